"""Manifests: YAML to the desired state, the schema for editors, a starter set and advice (REC-8, REC-11)."""

from orgsync_reconcile.manifest.advice import lint
from orgsync_reconcile.manifest.loader import load
from orgsync_reconcile.manifest.silences import without_silenced

__all__ = ["lint", "load", "without_silenced"]
