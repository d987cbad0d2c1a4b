"""Checking manifests without touching an org (REC-8), and advice on them."""

from __future__ import annotations

from orgsync_reconcile.app.workspace import Workspace
from orgsync_reconcile.manifest import lint, without_silenced
from orgsync_reconcile.model.desired import Desired
from orgsync_reconcile.model.diagnostic import Diagnostic


def validate(workspace: Workspace) -> Desired:
    """What the manifests say, with their warnings in `diagnostics`. Raises ManifestError with every error."""
    return workspace.desired()


def advise(workspace: Workspace) -> tuple[Diagnostic, ...]:
    """The warnings of the manifests and the advice on them, less what is silenced. Raises ManifestError where they do not load."""
    desired = workspace.desired()
    return without_silenced([*desired.diagnostics, *lint(desired, workspace.clock().date())], desired.silences)
