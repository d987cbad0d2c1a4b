"""The composition root: one function per use case, and the only place that joins rooms."""
