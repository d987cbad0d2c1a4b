"""The published objects of a connection: checks first, then both directions (PUB-*)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from orgsync_reconcile.catalog import unpublishable_field
from orgsync_reconcile.model.applied import ConnectionState, OfferedObject
from orgsync_reconcile.model.component import ComponentKey
from orgsync_reconcile.model.connection import Direction, Side
from orgsync_reconcile.model.desired import DesiredPublication
from orgsync_reconcile.model.graph import parents_first
from orgsync_reconcile.model.plan import Op
from orgsync_reconcile.model.schema import ObjectDef
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.plan import address, codes
from orgsync_reconcile.plan.attribution import tell_apart
from orgsync_reconcile.plan.auto_numbers import check_published, plan_mirrors, plan_values
from orgsync_reconcile.plan.connection import will_be_suspended_throughout
from orgsync_reconcile.plan.draft import Sheet, listed
from orgsync_reconcile.plan.lane import Lane
from orgsync_reconcile.plan.publish import plan_publish
from orgsync_reconcile.plan.relations import check_computed, check_cycles, pruned
from orgsync_reconcile.plan.schema import Schema, current, future
from orgsync_reconcile.plan.scope import Scope
from orgsync_reconcile.plan.selection import (
    check_match,
    check_named_fields,
    check_required,
    chosen_fields,
    publishable,
)
from orgsync_reconcile.plan.subscribe import plan_subscribe
from orgsync_reconcile.plan.three_way import wanted_settings
from orgsync_reconcile.plan.unpublish import plan_unpublish

_OBJECT_OPS = frozenset({Op.PUBLISH_OBJECT, Op.SUBSCRIBE_OBJECT, Op.UNPUBLISH_OBJECT, Op.UNSUBSCRIBE_OBJECT})


def plan_publications(scope: Scope, sheet: Sheet, planned: Collection[ComponentKey]) -> tuple[str, ...]:
    """Write what to publish, subscribe and take back; `planned` components count as there. Returns parents first."""
    mirrors = plan_mirrors(
        scope, sheet, current(scope.primary), future(scope.secondary, scope.primary, planned), planned
    )
    here, there = mirrors.schemas[Side.PRIMARY], mirrors.schemas[Side.SECONDARY]
    publications = _sound(scope, here, there, sheet)
    connected = frozenset(publications)
    chosen = {
        name: chosen_fields(item, here.objects[name], here, connected) | _brought(item, mirrors.fields)
        for name, item in publications.items()
    }
    _check(scope, publications, chosen, here, there, sheet)
    links = pruned(here.objects, chosen)
    check_cycles(links, publications, sheet)
    order = parents_first(links, publications)
    deployments = _deployments(scope.name, planned)
    back = {name: item for name, item in publications.items() if scope.direction_of(item) is Direction.TWO_WAY}
    work = Sheet()
    published: dict[tuple[Side, str], OfferedObject] = {}
    subscribed: dict[tuple[Side, str], frozenset[str]] = {}
    for source, members in ((Side.PRIMARY, publications), (Side.SECONDARY, back)):
        ends = (here, there) if source is Side.PRIMARY else (there, here)
        lane = Lane(
            scope=scope,
            source=source,
            source_schema=ends[0],
            target_schema=ends[1],
            order=tuple(name for name in order if name in members),
            publications=members,
            chosen={name: _sendable(chosen[name], ends[0].objects[name]) for name in members},
            connected=connected,
            named=_named(scope, source),
            deployments=deployments,
            mirrors=mirrors.created,
            brought={name: mirrors.fields.get(name, frozenset()) for name in members},
        )
        plan_unpublish(lane, work)
        plan_publish(lane, work)
        accepted = plan_subscribe(lane, work)
        subscribed |= {(source, name): fields for name, fields in accepted.items()}
        published |= {
            (source, name): OfferedObject(fields=fields, match_on=members[name].match_on)
            for name, fields in lane.chosen.items()
        }
    plan_values(scope, work, mirrors)
    sheet.wanted[scope.name] = ConnectionState(
        settings=wanted_settings(scope.desired), published=published, subscribed=subscribed
    )
    tell_apart(scope, work)
    _merge(scope, work, sheet)
    check_published(scope, sheet, chosen)
    return order


def _brought(publication: DesiredPublication, mirrors: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The mirrors of auto-numbers, which come along unless they are excluded by name (AUT-1)."""
    excluded = publication.fields.names if publication.fields.mode == "exclude" else ()
    return mirrors.get(publication.object, frozenset()).difference(excluded)


def _sendable(chosen: frozenset[str], item: ObjectDef) -> frozenset[str]:
    """Two-way is the same in both directions, as far as the source has the fields (PUB-7)."""
    fields = item.fields
    return frozenset(name for name in chosen if name in fields and unpublishable_field(fields[name]) is None)


def _named(scope: Scope, source: Side) -> frozenset[str]:
    return frozenset(
        item.object
        for item in scope.publications
        if source is Side.PRIMARY or scope.direction_of(item) is Direction.TWO_WAY
    )


def _sound(scope: Scope, here: Schema, there: Schema, sheet: Sheet) -> dict[str, DesiredPublication]:
    """The publications whose object can be published and will exist in both orgs (PUB-1)."""
    result = {}
    for publication in scope.publications:
        item = publishable(publication, here, sheet)
        if item is None:
            continue
        if item.name not in there.objects:
            sheet.error(
                codes.NO_OBJECT_IN_TARGET,
                f"{scope.desired.secondary} has no object {item.name} to subscribe with",
                hint="sync its metadata (sync.metadata: true, and not excluded), or create it there",
                origin=publication.origins.get("object", publication.origin),
            )
            continue
        result[item.name] = publication
    return result


def _check(
    scope: Scope,
    publications: Mapping[str, DesiredPublication],
    chosen: Mapping[str, frozenset[str]],
    here: Schema,
    there: Schema,
    sheet: Sheet,
) -> None:
    connected = frozenset(publications)
    named = connected | {item.object for item in scope.publications}
    for name, publication in publications.items():
        item = here.objects[name]
        check_named_fields(publication, item, here, connected, sheet)
        check_match(publication, item, chosen[name], sheet)
        # A parent whose own publication is faulty has its own error: one cause, one message.
        check_required(publication, item, here, chosen[name], named, sheet)
        check_computed(publication, item, there.objects[name], chosen, here, sheet)
    mixed = [item for item in scope.publications if scope.direction_of(item) is not scope.desired.direction]
    if mixed:
        sheet.warn(
            codes.MIXED_DIRECTIONS,
            f"{scope.name} is {scope.desired.direction}, but {listed([item.object for item in mixed])}"
            f" {'is' if len(mixed) == 1 else 'are'} {scope.direction_of(mixed[0])}",
            hint="give all objects of a connection the same direction",
            origin=mixed[0].origins.get("direction", mixed[0].origin),
        )


def _deployments(connection: str, planned: Collection[ComponentKey]) -> dict[str, tuple[str, ...]]:
    """object, or object.field -> the planned deployments that it waits for."""
    result: dict[str, tuple[str, ...]] = {}
    for key in sorted(planned):
        name = key.full_name.partition(".")[0]
        where = address.component(connection, key)
        if key.type in ("CustomObject", "RecordType"):
            result[name] = (*result.get(name, ()), where)
        elif key.type == "CustomField":
            result[key.full_name] = (where,)
    return result


def _merge(scope: Scope, work: Sheet, sheet: Sheet) -> None:
    """Take the directions' actions over, unless the connection is suspended: then they are refused (SUS-1)."""
    sheet.diagnostics.extend(work.diagnostics)
    sheet.drift.extend(work.drift)
    if not work.drafts or not will_be_suspended_throughout(scope, sheet):
        sheet.drafts.extend(work.drafts)
        return
    origin = scope.desired.origin_of("state")
    hint = f"run orgsync resume {scope.name} first"
    objects = sorted({draft.address for draft in work.drafts if draft.op in _OBJECT_OPS})
    fields = [draft for draft in work.drafts if draft.op not in _OBJECT_OPS]
    if objects:
        sheet.error(
            codes.CONNECTION_SUSPENDED,
            f"{scope.name} is suspended, so its publications cannot change: {listed(objects)}",
            hint=hint,
            origin=origin,
        )
    if fields:
        sheet.warn(
            codes.FIELDS_WITHHELD,
            f"{scope.name} is suspended: {counted(len(fields), 'field change')} wait until it is resumed",
            hint=hint,
            origin=origin,
        )
