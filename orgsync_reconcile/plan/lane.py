"""One direction of a connection: what its source publishes and its target subscribes to, wanted and actual (PUB-*)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from orgsync_reconcile.model.actual import ActualPublication, ActualSubscription
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.desired import DesiredPublication
from orgsync_reconcile.model.schema import FieldDef, ObjectDef
from orgsync_reconcile.plan.schema import Schema, resolvable
from orgsync_reconcile.plan.scope import Scope


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """What is to travel from `source`, with the facts of both ends."""

    scope: Scope
    source: Side
    source_schema: Schema
    target_schema: Schema
    #: Objects of this direction, parents first.
    order: tuple[str, ...]
    publications: Mapping[str, DesiredPublication]
    #: object -> the fields to publish
    chosen: Mapping[str, frozenset[str]]
    #: All objects of the connection: their Ids are known in both orgs, whichever way they travel.
    connected: frozenset[str]
    #: What the manifests still name for this direction, sound or not: none of it is unpublished.
    named: frozenset[str]
    #: object, or object.field -> addresses of the deployments that it waits for
    deployments: Mapping[str, tuple[str, ...]]
    #: (side, object, field) -> address of the action that makes a mirror of an auto-number (AUT-1)
    mirrors: Mapping[tuple[Side, str, str], str] = field(default_factory=dict)
    #: object -> fields that come along with others: mirrors of auto-numbers
    brought: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def source_name(self) -> str:
        """The manifest name of the publishing org."""
        return self.scope.org_name(self.source)

    @property
    def target_name(self) -> str:
        """The manifest name of the subscribing org."""
        return self.scope.org_name(self.source.other)

    @property
    def offered(self) -> Mapping[str, ActualPublication]:
        """What the source publishes now."""
        known = self.scope.side(self.source)
        return known.published if known else {}

    @property
    def accepted(self) -> Mapping[str, ActualSubscription]:
        """What the target subscribes to now."""
        known = self.scope.side(self.source.other)
        return known.subscribed if known else {}

    def target_object(self, name: str) -> ObjectDef | None:
        """The object as the target will have it."""
        return self.target_schema.objects.get(name)

    def deployments_of(self, end: Side, name: str, fields: Collection[str] = ()) -> tuple[str, ...]:
        """What the org at `end` waits for before it can use an object, or fields of it; components only go there."""
        found = [self.mirrors[end, name, item] for item in sorted(fields) if (end, name, item) in self.mirrors]
        if end is Side.PRIMARY or not self.deployments:
            return tuple(found)
        found.extend(self.deployments.get(name, ()))
        for item in sorted(fields):
            found.extend(self.deployments.get(f"{name}.{item}", ()))
        return tuple(found)


def obstacle(lane: Lane, name: str, field: FieldDef) -> str | None:
    """Why the target cannot take a published field, or None (PUB-8)."""
    target = lane.target_object(name)
    other = target.fields.get(field.name) if target else None
    if other is None:
        return f"{lane.target_name} has no such field"
    # Fields that are defined alike in both orgs are one value.
    if other is not field and other.shape != field.shape:
        return f"{shape_words(field)} in {lane.source_name}, {shape_words(other)} in {lane.target_name}"
    return None


def shape_words(field: FieldDef) -> str:
    """A field's type and size for people: `text(80)`, `number(18,2)`."""
    if field.precision is not None:
        return f"{field.type}({field.precision},{field.scale or 0})"
    return f"{field.type}({field.length})" if field.length else f"{field.type}"


def acceptable_fields(lane: Lane, name: str) -> frozenset[str]:
    """The published fields that the target can take; a lookup with no subscribed parent is none available (PUB-5)."""
    fields = lane.source_schema.objects[name].fields
    return frozenset(
        item
        for item in lane.chosen[name]
        if obstacle(lane, name, fields[item]) is None
        and (not fields[item].is_reference or resolvable(fields[item], lane.target_schema, lane.connected))
    )
