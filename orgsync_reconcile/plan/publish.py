"""The actions that bring one direction's published objects and fields to what the manifests want (PUB-2…10, MET-10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orgsync_reconcile.model.actual import ActualPublication
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.plan import Change, Op, Reason, Risk
from orgsync_reconcile.model.schema import FieldDef
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.plan import address, codes
from orgsync_reconcile.plan.connection import ready_needs
from orgsync_reconcile.plan.draft import Draft, Phase, Sheet, listed
from orgsync_reconcile.plan.lane import Lane
from orgsync_reconcile.plan.schema import resolvable


def plan_publish(lane: Lane, sheet: Sheet) -> None:
    """Publish new objects, and the fields that came or went on those that are published."""
    for rank, name in enumerate(lane.order):
        known = lane.offered.get(name)
        if known is None:
            _publish_object(lane, name, rank, sheet)
        else:
            _publish_again(lane, name, rank, known, sheet)
            _publish_fields(lane, name, rank, known, sheet)
            _unpublish_fields(lane, name, known, sheet)


def _phase(lane: Lane) -> Phase:
    return Phase.PUBLISH if lane.source is Side.PRIMARY else Phase.PUBLISH_BACK


def _common(lane: Lane, name: str) -> dict[str, Any]:
    publication = lane.publications[name]
    return {
        "org": lane.source_name,
        "connection": lane.scope.name,
        "source": publication.origins.get("fields", publication.origin),
    }


def _content(lane: Lane, name: str) -> dict[str, Any]:
    return {
        "fields": sorted(lane.chosen[name]),
        "match_on": lane.publications[name].match_on,
        "record_types": sorted(lane.source_schema.record_types.get(name, ())),
    }


def parents_of(lane: Lane, name: str, rank: int) -> tuple[str, ...]:
    """The objects that the published references of `name` point at, as far as they come before it."""
    fields = lane.source_schema.objects[name].fields
    before = set(lane.order[:rank])
    found = {target for item in lane.chosen[name] for target in fields[item].reference_to}
    return tuple(sorted(found & before))


def _publish_object(lane: Lane, name: str, rank: int, sheet: Sheet) -> None:
    sheet.drafts.append(
        Draft(
            phase=_phase(lane),
            rank=rank,
            address=address.publication(lane.scope.name, name, lane.source),
            op=Op.PUBLISH_OBJECT,
            change=Change.CREATE,
            after=_content(lane, name),
            needs=(
                *ready_needs(lane.scope),
                *lane.deployments_of(lane.source, name, lane.chosen[name]),
                *(address.publication(lane.scope.name, parent, lane.source) for parent in parents_of(lane, name, rank)),
            ),
            **{**_common(lane, name), "source": lane.publications[name].origin},
        )
    )


def _publish_again(lane: Lane, name: str, rank: int, known: ActualPublication, sheet: Sheet) -> None:
    """Another match key, or the first record types of an object that was published without any (BLK-6, MET-10)."""
    wanted = _content(lane, name)
    publication = lane.publications[name]
    before: dict[str, Any] = {}
    if known.match_on != publication.match_on:
        before["match_on"] = known.match_on
    if wanted["record_types"] and not known.record_types:
        before["record_types"] = []
        sheet.warn(
            codes.PUBLISH_AGAIN,
            f"{name} got record types in {lane.source_name} after it was published"
            f" ({listed(wanted['record_types'])}): it is published again",
            origin=publication.origin,
        )
    if not before:
        return
    sheet.drafts.append(
        Draft(
            phase=_phase(lane),
            rank=rank,
            address=address.publication(lane.scope.name, name, lane.source),
            op=Op.PUBLISH_OBJECT,
            change=Change.UPDATE,
            reason=Reason.CHANGED,
            before=before,
            after=wanted,
            needs=lane.deployments_of(lane.source, name, lane.chosen[name]),
            **{**_common(lane, name), "source": publication.origins.get("match_on", publication.origin)},
        )
    )


def publish_reason(lane: Lane, name: str, field: FieldDef) -> Reason:
    """A lookup comes along with its parent, a mirror with its auto-number; others were added (PUB-5, PUB-9, AUT-1)."""
    if field.name in lane.brought.get(name, ()):
        return Reason.DEPENDENCY
    if not field.is_reference or resolvable(field, lane.source_schema, lane.offered):
        return Reason.ADDED
    return Reason.DEPENDENCY if any(target in lane.order for target in field.reference_to) else Reason.ADDED


def _publish_fields(lane: Lane, name: str, rank: int, known: ActualPublication, sheet: Sheet) -> None:
    added = sorted(lane.chosen[name] - known.fields)
    if not added:
        return
    publication = lane.publications[name]
    fields = lane.source_schema.objects[name].fields
    linked = lane.scope.linked(name)
    backfill = publication.backfill and linked > 0
    for item in added:
        reason = publish_reason(lane, name, fields[item])
        parents = fields[item].reference_to if fields[item].is_reference else ()
        sheet.drafts.append(
            Draft(
                phase=_phase(lane),
                rank=rank,
                address=address.publication(lane.scope.name, name, lane.source, item),
                op=Op.PUBLISH_FIELD,
                change=Change.CREATE,
                risk=Risk.MOVES_DATA if backfill else Risk.SAFE,
                reason=reason,
                after={"backfill": True} if publication.backfill else {},
                needs=(
                    *lane.deployments_of(lane.source, name, (item,)),
                    *(address.publication(lane.scope.name, parent, lane.source) for parent in parents),
                ),
                effects={"records": linked} if backfill else {},
                **_common(lane, name),
            )
        )
    # The values of a mirror that is only now made are sent when it is filled.
    unsent = [item for item in added if (lane.source, name, item) not in lane.mirrors]
    if linked and unsent and not publication.backfill and lane.source is Side.PRIMARY:
        sheet.warn(
            codes.VALUES_BEFORE,
            f"values of {name}.{listed(unsent)} that were set before are not sent for the"
            f" {counted(linked, 'linked record')}",
            hint=f"set backfill: true on the publication of {name} to send them",
            origin=publication.origins.get("fields", publication.origin),
        )


def _unpublish_fields(lane: Lane, name: str, known: ActualPublication, sheet: Sheet) -> None:
    fields = lane.source_schema.objects[name].fields
    for item in sorted(known.fields - lane.chosen[name]):
        sheet.drafts.append(
            Draft(
                phase=Phase.UNPUBLISH,
                address=address.publication(lane.scope.name, name, lane.source, item),
                op=Op.UNPUBLISH_FIELD,
                change=Change.DELETE,
                reason=removal_reason(lane, name, item, fields),
                **_common(lane, name),
            )
        )


def removal_reason(lane: Lane, name: str, item: str, fields: Mapping[str, FieldDef]) -> Reason:
    """Why a field is no longer offered: the manifest left it out, its parent went, or the field itself changed."""
    selection = lane.publications[name].fields
    if (selection.mode == "exclude" and item in selection.names) or (
        selection.mode == "include" and item not in selection.names
    ):
        return Reason.REMOVED
    field = fields.get(item)
    if field is not None and field.is_reference and not resolvable(field, lane.source_schema, lane.connected):
        return Reason.DEPENDENCY
    return Reason.CHANGED
