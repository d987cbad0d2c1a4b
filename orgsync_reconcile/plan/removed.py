"""Connections that the orgs have and the manifests no longer name: deactivated, never silently (CON-9)."""

from __future__ import annotations

from orgsync_reconcile.model.actual import Actual, ActualConnection
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.model.desired import Desired
from orgsync_reconcile.model.plan import Change, Op, Reason, Risk
from orgsync_reconcile.plan import address
from orgsync_reconcile.plan.draft import Draft, Phase, Sheet


def _kept(desired: Desired, org: str, name: str) -> bool:
    """Whether the manifests still want this org in that connection."""
    wanted = desired.connections.get(name)
    return wanted is not None and org in (wanted.primary, wanted.secondary)


def removed_connections(desired: Desired, actual: Actual) -> dict[str, dict[str, ActualConnection]]:
    """Connection -> org -> what that org knows of it, for live connections that no manifest wants."""
    result: dict[str, dict[str, ActualConnection]] = {}
    for org in sorted(actual.orgs):
        for name, known in sorted(actual.orgs[org].connections.items()):
            if known.status is not ConnectionStatus.INACTIVE and not _kept(desired, org, name):
                result.setdefault(name, {})[org] = known
    return result


def plan_removed(desired: Desired, actual: Actual, sheet: Sheet) -> None:
    """Deactivate in each org that was read; the primary first."""
    for name, ends in removed_connections(desired, actual).items():
        counted = False
        for org, known in sorted(ends.items(), key=lambda item: (item[1].side is not Side.PRIMARY, item[0])):
            sheet.drafts.append(
                Draft(
                    phase=Phase.DEACTIVATE,
                    rank=0 if known.side is Side.PRIMARY else 1,
                    address=address.end(name, known.side),
                    op=Op.DEACTIVATE,
                    org=org,
                    connection=name,
                    change=Change.DELETE,
                    risk=Risk.DESTRUCTIVE,
                    reason=Reason.REMOVED,
                    before={"status": known.status.value},
                    after={"status": ConnectionStatus.INACTIVE.value},
                    needs=(address.end(name, Side.PRIMARY),) if known.side is Side.SECONDARY else (),
                    # A pair of records is disconnected once, though both orgs hold the link.
                    effects={} if counted else {"disconnected": known.linked_records},
                )
            )
            counted = True
