"""`orgsync fmt`: manifests in canonical form (REC-8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orgsync_reconcile.app.workspace import Workspace
from orgsync_reconcile.errors import ManifestError
from orgsync_reconcile.manifest.canonical import canonical_text
from orgsync_reconcile.manifest.findings import Findings
from orgsync_reconcile.manifest.formatting import Formatted, format_paths, replace_file
from orgsync_reconcile.model.diagnostic import Diagnostic


@dataclass(frozen=True, kw_only=True, slots=True)
class Formatting:
    """All files that were looked at, and what could not be read."""

    files: tuple[Formatted, ...]
    problems: tuple[Diagnostic, ...]

    @property
    def changed(self) -> tuple[Formatted, ...]:
        """The files that are not in canonical form, or were not."""
        return tuple(item for item in self.files if item.changed)


def format_manifests(workspace: Workspace, paths: Sequence[Path] = (), *, write: bool = True) -> Formatting:
    """Brings files and folders, by default the manifest folder, to canonical form; only looks without `write`.

    A file that is broken stays as it is and is in `problems`. Raises UsageError for a path that cannot be formatted.
    """
    findings = Findings()
    chosen = [workspace.directory / path for path in paths or (workspace.manifests,)]
    found = format_paths(chosen, workspace.directory, findings)
    if write:
        for item in found:
            if item.changed:
                replace_file(item.path, item.after)
    return Formatting(files=tuple(found), problems=findings.sorted())


def format_text(data: bytes) -> str:
    """One text in canonical form. Raises ManifestError where it is broken."""
    findings = Findings()
    text = canonical_text("-", data, findings)
    if findings.has_errors:
        raise ManifestError(findings.sorted())
    return text
