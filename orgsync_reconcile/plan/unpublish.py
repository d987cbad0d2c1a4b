"""Objects that the manifests no longer name: unpublished in one org, unsubscribed in the other (PUB-10)."""

from __future__ import annotations

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.graph import parents_first
from orgsync_reconcile.model.plan import Change, Op, Reason, Risk
from orgsync_reconcile.plan import address
from orgsync_reconcile.plan.draft import Draft, Phase, Sheet
from orgsync_reconcile.plan.lane import Lane

#: Objects follow the fields of the same phase.
_AFTER_FIELDS = 1


def plan_unpublish(lane: Lane, sheet: Sheet) -> None:
    """Take back what is no longer named, children first.

    The records of an object are disconnected when the object leaves the connection altogether; where only the way
    back ends, links and the other direction go on (PUB-7, PUB-10). `after.disconnect` says which it is.
    """
    removed = (set(lane.offered) | set(lane.accepted)) - lane.named
    order = parents_first(lane.source_schema.objects, removed)
    unknown = sorted(removed.difference(order))
    for rank, name in enumerate([*unknown, *reversed(order)], start=_AFTER_FIELDS):
        disconnect = name not in lane.connected
        risk = Risk.DESTRUCTIVE if disconnect else Risk.SAFE
        accepted, offered = lane.accepted.get(name), lane.offered.get(name)
        publication = address.publication(lane.scope.name, name, lane.source)
        if accepted is not None:
            sheet.drafts.append(
                Draft(
                    phase=Phase.UNSUBSCRIBE,
                    rank=rank,
                    address=address.subscription(lane.scope.name, name, lane.source),
                    op=Op.UNSUBSCRIBE_OBJECT,
                    org=lane.target_name,
                    connection=lane.scope.name,
                    change=Change.DELETE,
                    risk=risk,
                    reason=Reason.REMOVED,
                    before={"fields": sorted(accepted.fields)},
                    after={"disconnect": disconnect},
                    source=lane.scope.desired.origin,
                    needs=(publication,),
                )
            )
        if offered is not None:
            counts = disconnect and lane.source is Side.PRIMARY
            sheet.drafts.append(
                Draft(
                    phase=Phase.UNPUBLISH,
                    rank=rank,
                    address=publication,
                    op=Op.UNPUBLISH_OBJECT,
                    org=lane.source_name,
                    connection=lane.scope.name,
                    change=Change.DELETE,
                    risk=risk,
                    reason=Reason.REMOVED,
                    before={"fields": sorted(offered.fields)},
                    after={"disconnect": disconnect},
                    source=lane.scope.desired.origin,
                    # A pair of records is disconnected once, however many directions end.
                    effects={"disconnected": lane.scope.linked(name)} if counts else {},
                )
            )
