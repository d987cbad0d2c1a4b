"""Org stores: where an org's tables live, behind small protocols (see `protocols`)."""
