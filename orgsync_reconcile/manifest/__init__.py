"""Manifests: YAML to the desired state, the schema for editors, a starter set and advice (REC-8, REC-11)."""

from orgsync_reconcile.manifest.advice import lint
from orgsync_reconcile.manifest.editor_schema import schema
from orgsync_reconcile.manifest.loader import load
from orgsync_reconcile.manifest.scaffolding import scaffold, schema_text

__all__ = ["lint", "load", "scaffold", "schema", "schema_text"]
