"""`orgsync init`: a starter set of manifests, the schema that editors use, and a pipeline."""

from __future__ import annotations

from pathlib import Path

from orgsync_reconcile.app.workspace import Workspace
from orgsync_reconcile.manifest.scaffolding import PIPELINES, StarterNames, scaffold, schema_text

__all__ = ["PIPELINES", "StarterNames", "editor_schema", "init"]


def init(workspace: Workspace, names: StarterNames, pipeline: str | None) -> list[Path]:
    """Writes the starter set into the manifest folder. Raises UsageError before it would overwrite a file."""
    return scaffold(workspace.directory / workspace.manifests, names, pipeline)


def editor_schema() -> str:
    """The JSON Schema of manifests as text."""
    return schema_text()
