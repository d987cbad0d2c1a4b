"""Manifests: YAML to the desired state, the schema for editors, a starter set and advice (REC-8, REC-11)."""

from orgsync_reconcile.manifest.advice import lint
from orgsync_reconcile.manifest.loader import load

__all__ = ["lint", "load"]
