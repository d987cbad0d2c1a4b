"""From what two orgs are set to back to the manifests that say so: planning with these has nothing to do (REC-7)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from orgsync_reconcile.catalog import SUPPORTED_METADATA
from orgsync_reconcile.errors import StoreError
from orgsync_reconcile.model.actual import Actual, ActualConnection, ActualOrg
from orgsync_reconcile.model.component import ComponentKey
from orgsync_reconcile.model.connection import ConnectionStatus, ContactRef, Direction, Side
from orgsync_reconcile.model.desired import (
    Desired,
    DesiredConnection,
    DesiredMetadata,
    DesiredOrg,
    DesiredPublication,
    FieldSelection,
)
from orgsync_reconcile.model.origin import Origin
from orgsync_reconcile.model.plan import Op
from orgsync_reconcile.plan import address
from orgsync_reconcile.plan.build import build_plan
from orgsync_reconcile.plan.schema import Schema, current
from orgsync_reconcile.plan.selection import chosen_fields
from orgsync_reconcile.plan.settings import read_settings

NOWHERE = Origin(file="")


@dataclass(kw_only=True, slots=True)
class Adoption:
    """What the orgs are set to, and what of it no manifest can say."""

    desired: Desired
    remarks: list[str] = field(default_factory=list)
    #: connection -> components that are left out because they never followed the primary
    left_out: dict[str, tuple[str, ...]] = field(default_factory=dict)


def adopt(orgs: Mapping[str, DesiredOrg], actual: Actual, wanted: Collection[str] = ()) -> Adoption:
    """The desired state of the connections among these orgs: all of them, or the `wanted` ones by name.

    `actual` holds every org of `orgs` under its manifest name. Raises StoreError for a connection without owner or
    contact, which no manifest can describe.
    """
    adoption = Adoption(desired=Desired(orgs=dict(orgs)))
    connections: dict[str, DesiredConnection] = {}
    publications: dict[tuple[str, str], DesiredPublication] = {}
    for end in _connections(actual, wanted, adoption.remarks):
        item = _connection(end, adoption.remarks)
        connections[item.name] = item
        for publication in _publications(end, item, adoption.remarks):
            publications[item.name, publication.object] = publication
    adoption.desired = Desired(orgs=dict(orgs), connections=connections, publications=publications)
    adoption.desired = replace(adoption.desired, metadata=_metadata(adoption, actual))
    return adoption


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ends:
    """A connection with both of its orgs, by their manifest names."""

    name: str
    primary_name: str
    secondary_name: str
    primary: ActualOrg
    secondary: ActualOrg
    here: ActualConnection
    #: None: the invitation has not been accepted.
    there: ActualConnection | None


def _connections(actual: Actual, wanted: Collection[str], remarks: list[str]) -> Iterator[_Ends]:
    by_id = {org.info.org_id: name for name, org in actual.orgs.items()}
    for name, org in sorted(actual.orgs.items()):
        for connection, known in sorted(org.connections.items()):
            if known.status is ConnectionStatus.INACTIVE or (wanted and connection not in wanted):
                continue
            partner = by_id.get(known.partner_org_id)
            if partner is None:
                remarks.append(
                    f"{name} is connected with an org that was not given, over {connection}: planning would deactivate"
                    " that connection; name the other org too"
                )
            elif known.side is Side.PRIMARY:
                theirs = actual.orgs[partner].connections.get(connection)
                live = theirs is not None and theirs.status is not ConnectionStatus.INACTIVE
                yield _Ends(
                    name=connection,
                    primary_name=name,
                    secondary_name=partner,
                    primary=org,
                    secondary=actual.orgs[partner],
                    here=known,
                    there=theirs if live else None,
                )


def _connection(ends: _Ends, remarks: list[str]) -> DesiredConnection:
    here, there = ends.here, ends.there
    if not here.owner or here.contact is None:
        missing = "contact" if here.owner else "owner"
        raise StoreError(
            f"the connection {ends.name} has no {missing}",
            where=ends.primary_name,
            hint=f"give it one in the org's table PartnerNetworkConnection, then export again; a {missing} is needed",
        )
    read = read_settings(here.settings)
    remarks.extend(f"{ends.name}: {item}" for item in read.problems)
    first = here.contact.name.removesuffix(here.contact.last_name).strip() if here.contact.last_name else ""
    connection = DesiredConnection(
        name=ends.name,
        primary=ends.primary_name,
        secondary=ends.secondary_name,
        owner=here.owner,
        contact=ContactRef(
            first_name=first,
            last_name=here.contact.last_name or here.contact.name,
            email=here.contact.email,
            # A contact need not have an account; where one is to be made anew, it gets one.
            account=here.contact.account or ends.primary.info.name,
        ),
        origin=NOWHERE,
        **read.values,
    )
    options = replace(
        connection.options,
        feeds_and_audit_fields=here.feeds_and_audit_fields,
        metadata=here.metadata,
        users_primary=here.users,
        users_secondary=there.users if there else here.users,
    )
    return replace(connection, options=options, state=_state(ends, connection.direction, remarks))


def _state(ends: _Ends, direction: Direction, remarks: list[str]) -> Literal["active", "suspended"]:
    sides = {Side.PRIMARY: ends.here, **({Side.SECONDARY: ends.there} if ends.there else {})}
    suspended = {side for side, known in sides.items() if known.status is ConnectionStatus.SUSPENDED}
    needed = set(Side) if direction is Direction.TWO_WAY else {Side.PRIMARY}
    if suspended >= needed:
        return "suspended"
    if suspended:
        names = [ends.primary_name if side is Side.PRIMARY else ends.secondary_name for side in sorted(suspended)]
        remarks.append(f"{ends.name} is suspended in {names[0]} only, which no manifest can say")
    return "active"


def _publications(ends: _Ends, connection: DesiredConnection, remarks: list[str]) -> Iterator[DesiredPublication]:
    schema = current(ends.primary)
    back = ends.there.published if ends.there else {}
    for name in sorted(back.keys() - ends.here.published.keys()):
        remarks.append(f"{ends.name}: {name} is published in {ends.secondary_name} only, which no manifest can say")
    connected = frozenset(ends.here.published)
    brought = {(item.object, item.mirror) for item in connection.auto_numbers}
    for name, item in sorted(ends.here.published.items()):
        direction = Direction.TWO_WAY if name in back else Direction.ONE_WAY
        mirrors = frozenset(mirror for object_name, mirror in brought if object_name == name)
        yield DesiredPublication(
            connection=ends.name,
            object=name,
            fields=_selection(name, item.fields, mirrors, schema, connected),
            direction=None if direction is connection.direction else direction,
            match_on=item.match_on,
            origin=NOWHERE,
        )


def _selection(
    name: str, published: frozenset[str], mirrors: frozenset[str], schema: Schema, connected: Collection[str]
) -> FieldSelection:
    """The shorter way to choose just these fields; `mirrors` come along by themselves."""
    known = schema.objects.get(name)
    everything = DesiredPublication(connection="", object=name, origin=NOWHERE)
    by_default = (chosen_fields(everything, known, schema, connected) if known else published) | mirrors
    left_out = by_default - published
    if published == by_default:
        return FieldSelection()
    if published < by_default and len(left_out) <= len(published):
        return FieldSelection(mode="exclude", names=dict.fromkeys(sorted(left_out), NOWHERE))
    return FieldSelection(mode="include", names=dict.fromkeys(sorted(published), NOWHERE))


def _metadata(adoption: Adoption, actual: Actual) -> dict[str, DesiredMetadata]:
    """What follows the primary: all types, less the components that would be deployed and never were."""
    result: dict[str, DesiredMetadata] = {}
    made = build_plan(adoption.desired, actual)
    for name, connection in sorted(adoption.desired.connections.items()):
        if not connection.options.metadata:
            continue
        prefix = address.component(name, ComponentKey("", "")).removesuffix(":")
        keys = [
            ComponentKey(*action.address.removeprefix(prefix).split(":", 1))
            for action in made.actions
            if action.connection == name
            and action.op is Op.DEPLOY_COMPONENT
            and not (action.before or {}).get("full_name")
        ]
        there = actual.orgs[connection.secondary].components
        left_out = sorted(key for key in keys if key not in there or not there[key].synced_hash)
        include, exclude = _compact(left_out, actual.orgs[connection.primary])
        adoption.left_out[name] = tuple(str(key) for key in left_out)
        result[name] = DesiredMetadata(connection=name, include=include, exclude=exclude, origin=NOWHERE)
    return result


def _compact(left_out: Collection[ComponentKey], primary: ActualOrg) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Whole types where nothing of them follows, single components otherwise."""
    following = {key.type for key in primary.components.keys() - set(left_out)}
    unused = {key.type for key in left_out} - following
    include = tuple(sorted(SUPPORTED_METADATA - unused))
    exclude = tuple(f"{key.type}:{_literally(key.full_name)}" for key in left_out if key.type not in unused)
    return (include, exclude) if include else (tuple(sorted(SUPPORTED_METADATA)), tuple(sorted(unused)))


def _literally(name: str) -> str:
    """A name as a pattern that matches it alone."""
    return re.sub(r"([*?\[])", r"[\1]", name)
