"""What people changed in the orgs, apart from what Git changed (REC-6)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from orgsync_reconcile.app.planning import Choice, plan
from orgsync_reconcile.app.workspace import Workspace, pick_connection
from orgsync_reconcile.model.plan import Action, Drift, ManualTask, Reason
from orgsync_reconcile.plan import Mode
from orgsync_reconcile.plan.codes import COMPONENT_ADDED


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftReport:
    """The changes by hand of some connections.

    `corrected` and `reported` say what an unattended run does with each, by the manifests' drift policy.
    """

    connections: tuple[str, ...]
    drift: tuple[Drift, ...]
    #: Components that exist only in the secondary: listed, never sent back (MET-5).
    added: tuple[ManualTask, ...]
    #: What the manifests or the primary's metadata changed and nobody has applied yet.
    changes: tuple[Action, ...]

    @property
    def corrected(self) -> tuple[Drift, ...]:
        """What an unattended run puts right."""
        return tuple(item for item in self.drift if item.policy == "correct")

    @property
    def reported(self) -> tuple[Drift, ...]:
        """What an unattended run reports and leaves as it is."""
        return tuple(item for item in self.drift if item.policy != "correct")


def find_drift(workspace: Workspace, names: Collection[str] = ()) -> DriftReport:
    """What people changed in the orgs of these connections, or of all; nothing is written.

    Corrections alone are `plan` and `carry_out` with `CORRECTIONS`. Raises UsageError for an unknown name, ManifestError,
    and StoreError for an org that cannot be read.
    """
    desired = workspace.desired()
    chosen = sorted({pick_connection(desired, name).name for name in names} or desired.connections)
    made = plan(workspace)

    def ours(address: str) -> bool:
        return address.partition("/")[0] in chosen

    return DriftReport(
        connections=tuple(chosen),
        drift=tuple(item for item in made.drift if ours(item.address)),
        added=tuple(item for item in made.manual if item.code == COMPONENT_ADDED and ours(item.address)),
        changes=tuple(
            item for item in made.actions if item.reason is not Reason.DRIFT and item.connection in ("", *chosen)
        ),
    )


#: The part of a plan that an unattended run may put right: drift whose policy is `correct`, and fields that
#: unsubscribed themselves and fit again (PUB-8). Add `targets` for one connection.
CORRECTIONS = Choice(mode=Mode.CORRECTIONS)
