"""What people changed in the orgs, apart from what Git changed (REC-6)."""

from __future__ import annotations

from collections.abc import Collection

from orgsync_reconcile.app.planning import Choice, plan
from orgsync_reconcile.app.workspace import Workspace, pick_connection
from orgsync_reconcile.plan import DriftReport, Mode, drift_of

__all__ = ["CORRECTIONS", "DriftReport", "find_drift"]


def find_drift(workspace: Workspace, names: Collection[str] = ()) -> DriftReport:
    """What people changed in the orgs of these connections, or of all; nothing is written.

    Corrections alone are `plan` and `carry_out` with `CORRECTIONS`. Raises UsageError for an unknown name, ManifestError,
    and StoreError for an org that cannot be read.
    """
    desired = workspace.desired()
    chosen = {pick_connection(desired, name).name for name in names} or set(desired.connections)
    return drift_of(plan(workspace), chosen)


#: The part of a plan that an unattended run may put right: drift whose policy is `correct`, and fields that
#: unsubscribed themselves and fit again (PUB-8). Add `targets` for one connection.
CORRECTIONS = Choice(mode=Mode.CORRECTIONS)
