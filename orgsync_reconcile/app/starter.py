"""`orgsync init`: a starter set of manifests, and the schema that editors use."""

from __future__ import annotations

from pathlib import Path

from orgsync_reconcile.app.workspace import Workspace
from orgsync_reconcile.manifest.scaffolding import scaffold, schema_text


def init(workspace: Workspace) -> list[Path]:
    """Writes the starter set into the manifest folder. Raises UsageError before it would overwrite a file."""
    return scaffold(workspace.directory / workspace.manifests)


def editor_schema() -> str:
    """The JSON Schema of manifests as text."""
    return schema_text()
