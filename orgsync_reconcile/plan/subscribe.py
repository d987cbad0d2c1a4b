"""The actions that bring one direction's subscriptions to what is published and possible (PUB-5, PUB-8)."""

from __future__ import annotations

from typing import Any

from orgsync_reconcile.model.actual import ActualSubscription
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.plan import Change, Op, Reason, Risk
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.plan import address, codes
from orgsync_reconcile.plan.connection import ready_needs
from orgsync_reconcile.plan.draft import Draft, Phase, Sheet, listed
from orgsync_reconcile.plan.lane import Lane, acceptable_fields, obstacle
from orgsync_reconcile.plan.publish import parents_of, publish_reason, removal_reason
from orgsync_reconcile.plan.schema import resolvable


def plan_subscribe(lane: Lane, sheet: Sheet) -> dict[str, frozenset[str]]:
    """Subscribe to new objects, and to the fields that became possible on those that are subscribed.

    Returns object -> the fields that are to be subscribed.
    """
    found: dict[str, frozenset[str]] = {}
    for rank, name in enumerate(lane.order):
        known = lane.accepted.get(name)
        possible = found[name] = acceptable_fields(lane, name)
        if lane.source is Side.PRIMARY and len(possible) < len(lane.chosen[name]):
            _say_obstacles(lane, name, known, sheet)
        if known is None:
            _subscribe_object(lane, name, rank, possible, sheet)
        else:
            _subscribe_fields(lane, name, rank, known, possible, sheet)
            _unsubscribe_fields(lane, name, known, possible, sheet)
    return found


def _common(lane: Lane, name: str) -> dict[str, Any]:
    publication = lane.publications[name]
    return {
        "org": lane.target_name,
        "connection": lane.scope.name,
        "source": publication.origins.get("fields", publication.origin),
    }


def _phase(lane: Lane) -> Phase:
    return Phase.SUBSCRIBE if lane.source is Side.PRIMARY else Phase.SUBSCRIBE_BACK


def _say_obstacles(lane: Lane, name: str, known: ActualSubscription | None, sheet: Sheet) -> None:
    """Each field that stays out because the two orgs differ, with the reason (PUB-8)."""
    fields = lane.source_schema.objects[name].fields
    publication = lane.publications[name]
    for item in sorted(lane.chosen[name]):
        reason = obstacle(lane, name, fields[item])
        if reason is None:
            continue
        dropped = known.dropped.get(item, "") if known else ""
        sheet.warn(
            codes.FIELD_DIFFERS,
            f"{name}.{item} is published but not subscribed: {reason}" + (f" ({dropped})" if dropped else ""),
            hint="make the field the same in both orgs; the next plan subscribes to it again",
            origin=publication.fields.names.get(item, publication.origins.get("fields", publication.origin)),
        )


def _meanwhile(lane: Lane, name: str, records: int, what: str, sheet: Sheet) -> dict[str, Any]:
    """What linked records got while nothing was sent: sent on request, else said once (PUB-9)."""
    publication = lane.publications[name]
    if records and publication.backfill:
        return {"risk": Risk.MOVES_DATA, "effects": {"records": records}}
    if records and lane.source is Side.PRIMARY:
        sheet.warn(
            codes.VALUES_BEFORE,
            f"what changed meanwhile in {what} is not sent for the {counted(records, 'linked record')}",
            hint=f"set backfill: true on the publication of {name} to send present values",
            origin=publication.origins.get("fields", publication.origin),
        )
    return {}


def _subscribe_object(lane: Lane, name: str, rank: int, possible: frozenset[str], sheet: Sheet) -> None:
    moved = _meanwhile(lane, name, lane.scope.disconnected(name), f"{name}, which is published again,", sheet)
    sheet.drafts.append(
        Draft(
            phase=_phase(lane),
            rank=rank,
            address=address.subscription(lane.scope.name, name, lane.source),
            op=Op.SUBSCRIBE_OBJECT,
            change=Change.CREATE,
            after={"fields": sorted(possible)},
            needs=(
                *ready_needs(lane.scope),
                address.publication(lane.scope.name, name, lane.source),
                *lane.deployments_of(lane.source.other, name, possible),
                *(
                    address.subscription(lane.scope.name, parent, lane.source)
                    for parent in parents_of(lane, name, rank)
                ),
            ),
            **{**_common(lane, name), "source": lane.publications[name].origin},
            **moved,
        )
    )


def _reason(lane: Lane, name: str, item: str, known: ActualSubscription) -> Reason:
    """Why a field is subscribed: it came back in step, its parent got subscribed, or it is newly published."""
    field = lane.source_schema.objects[name].fields[item]
    if item in known.dropped:
        return Reason.CHANGED
    offered = lane.offered.get(name)
    if offered is None or item not in offered.fields:
        return publish_reason(lane, name, field)
    if field.is_reference and not resolvable(field, lane.target_schema, lane.accepted):
        return Reason.DEPENDENCY
    return Reason.CHANGED


def _subscribe_fields(
    lane: Lane, name: str, rank: int, known: ActualSubscription, possible: frozenset[str], sheet: Sheet
) -> None:
    fields = lane.source_schema.objects[name].fields
    offered = lane.offered.get(name)
    back = sorted((possible - known.fields) & offered.fields) if offered else []
    moved = _meanwhile(lane, name, lane.scope.linked(name), f"{name}.{listed(back)}", sheet) if back else {}
    for item in sorted(possible - known.fields):
        parents = fields[item].reference_to if fields[item].is_reference else ()
        dropped = known.dropped.get(item)
        sheet.drafts.append(
            Draft(
                phase=_phase(lane),
                rank=rank,
                address=address.subscription(lane.scope.name, name, lane.source, item),
                op=Op.SUBSCRIBE_FIELD,
                change=Change.CREATE,
                reason=_reason(lane, name, item, known),
                before={"dropped": dropped} if dropped is not None else None,
                after={},
                needs=(
                    address.publication(lane.scope.name, name, lane.source),
                    address.publication(lane.scope.name, name, lane.source, item),
                    *lane.deployments_of(lane.source.other, name, (item,)),
                    *(address.subscription(lane.scope.name, parent, lane.source) for parent in parents),
                ),
                **_common(lane, name),
                **(moved if item in back else {}),
            )
        )


def _unsubscribe_fields(
    lane: Lane, name: str, known: ActualSubscription, possible: frozenset[str], sheet: Sheet
) -> None:
    fields = lane.source_schema.objects[name].fields
    for item in sorted(known.fields - possible):
        gone = item not in lane.chosen[name]
        sheet.drafts.append(
            Draft(
                phase=Phase.UNSUBSCRIBE,
                address=address.subscription(lane.scope.name, name, lane.source, item),
                op=Op.UNSUBSCRIBE_FIELD,
                change=Change.DELETE,
                reason=removal_reason(lane, name, item, fields) if gone else Reason.CHANGED,
                needs=(address.publication(lane.scope.name, name, lane.source, item),),
                **_common(lane, name),
            )
        )
