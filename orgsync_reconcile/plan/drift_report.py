"""What people changed in the orgs, taken out of a plan, apart from what Git changed (REC-6)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from orgsync_reconcile.model.plan import Action, Drift, ManualTask, Plan, Reason
from orgsync_reconcile.plan.codes import COMPONENT_ADDED
from orgsync_reconcile.plan.document import drift_document


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

    @property
    def found(self) -> bool:
        """Whether anything was changed by hand."""
        return bool(self.drift or self.added)

    def document(self) -> dict[str, Any]:
        """The report as JSON-ready data."""
        return {
            "connections": list(self.connections),
            "drift": [drift_document(item) for item in self.drift],
            "added": [
                {"address": item.address, "org": item.org, "task": item.task, "why": item.why} for item in self.added
            ],
            "changes": [
                {
                    "address": item.address,
                    "op": item.op.value,
                    "org": item.org,
                    "change": item.change.value,
                    "reason": item.reason.value,
                    "source": item.source.document() if item.source else None,
                }
                for item in self.changes
            ],
            "summary": {
                "by_hand": len(self.drift),
                "corrected": len(self.corrected),
                "reported": len(self.reported),
                "added": len(self.added),
                "by_git": len(self.changes),
            },
        }


def drift_of(plan: Plan, connections: Collection[str]) -> DriftReport:
    """The part of a whole, attended plan that tells of changes by hand in these connections."""

    def ours(address: str) -> bool:
        return address.partition("/")[0] in connections

    return DriftReport(
        connections=tuple(sorted(connections)),
        drift=tuple(item for item in plan.drift if ours(item.address)),
        added=tuple(item for item in plan.manual if item.code == COMPONENT_ADDED and ours(item.address)),
        changes=tuple(
            item
            for item in plan.actions
            if item.reason is not Reason.DRIFT and (not item.connection or item.connection in connections)
        ),
    )
