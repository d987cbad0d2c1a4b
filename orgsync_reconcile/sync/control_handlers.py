"""What each control event does in the org that is told: it is brought in line with what the other holds now (QUE-2).

So an event that comes late, or once more after a crash, does no harm. Handlers run inside the target's transaction;
what they raise sets their event apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.events import ControlEvent, QueueAction
from orgsync_reconcile.stores.sql import (
    connection_changes,
    connections,
    map_names,
    publication_reader,
    publications,
    subscriptions,
)
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.sync.metadata import drop_towards


@dataclass(frozen=True, kw_only=True, slots=True)
class Carrying:
    """One event on its way: the orgs, the connection's name, and the clock."""

    source: Org
    target: Org
    connection: str
    event: ControlEvent
    clock: Clock


#: Brings the target in line.
Handler = Callable[[Carrying], None]


def _note(carrying: Carrying) -> None:
    """Nothing but the row in the history: each end keeps a state of its own (SUS-1)."""


def _deactivate(carrying: Carrying) -> None:
    """The connection ended over there, so it ends here, with the row in the history that every end has (CON-9)."""
    connections.deactivate(
        carrying.target, carrying.connection, actor=carrying.event.actor, clock=carrying.clock, tell=False
    )


def _update(carrying: Carrying) -> None:
    """Options that both orgs share follow the primary; the owner and contact are the primary's own (CON-6, CON-7)."""
    theirs = connections.get_connection(carrying.source, carrying.connection)
    if theirs.side is not Side.PRIMARY:
        return
    connection_changes.set_options(
        carrying.target,
        carrying.connection,
        feeds_and_audit_fields=theirs.feeds_and_audit_fields,
        metadata=theirs.metadata,
        actor=carrying.event.actor,
        clock=carrying.clock,
        tell=False,
    )


def _delete_field_map(carrying: Carrying) -> None:
    """The field is no longer offered, so it is no longer accepted (PUB-10)."""
    event = carrying.event
    offered = publication_reader.read_published(carrying.source, carrying.connection, event.object).get(event.object)
    if offered is None or event.field not in offered.fields:
        _email(carrying, "is no longer published")
        subscriptions.unsubscribe_field(
            carrying.target,
            carrying.connection,
            event.object,
            event.field,
            actor=event.actor,
            clock=carrying.clock,
        )


def _delete_type_map(carrying: Carrying) -> None:
    """The object is no longer offered, so it is no longer accepted; its records are disconnected here as there (PUB-10)."""
    event = carrying.event
    if event.object not in publication_reader.read_published(carrying.source, carrying.connection, event.object):
        _email(carrying, "is no longer published")
        subscriptions.unsubscribe_object(
            carrying.target,
            carrying.connection,
            event.object,
            disconnect=bool(event.detail.get("disconnect", True)),
            actor=event.actor,
            clock=carrying.clock,
            tell=False,
        )


def _set_partner_sub(carrying: Carrying) -> None:
    """The publisher learns whether the other org has subscribed."""
    event = carrying.event
    accepted = publication_reader.read_subscribed(carrying.source, carrying.connection, event.object)
    publications.set_partner_sub(
        carrying.target, carrying.connection, event.object, subscribed=event.object in accepted
    )


def _check_again(carrying: Carrying) -> None:
    """A definition changed: what no longer fits unsubscribes itself here, and stays published there (PUB-8)."""
    drop_towards(
        carrying.source,
        carrying.target,
        carrying.connection,
        object_name=carrying.event.object,
        clock=carrying.clock,
    )


def _delete_value_map(carrying: Carrying) -> None:
    """Each value stands for itself, so its map ends with it: the administrators are told (PUB-11).

    Records keep what they hold. Where one with such a value is sent, the linked org takes or refuses it by its own
    picklist.
    """
    values = carrying.event.detail["values"]
    _email(carrying, f"has lost the values {', '.join(map(str, values))}")


def _rename_field_map(carrying: Carrying) -> None:
    """The map follows a field's new name where this org has such a field; until then the field drops out (PUB-11)."""
    event = carrying.event
    before = str(event.detail["before"])
    if (
        event.field
        not in publication_reader.read_published(carrying.source, carrying.connection, event.object)[
            event.object
        ].fields
    ):
        return
    map_names.follow_field_name(
        carrying.target,
        carrying.connection,
        event.object,
        before,
        event.field,
        why=f"renamed to {event.field} in {carrying.source.label}",
        actor=event.actor,
        clock=carrying.clock,
    )
    _check_again(carrying)
    _email(carrying, f"was {before} before")


def _rename_type_map(carrying: Carrying) -> None:
    """The map follows an object's new name once this org has such an object (PUB-11)."""
    event = carrying.event
    before = str(event.detail["before"])
    if event.object in publication_reader.read_published(carrying.source, carrying.connection, event.object):
        map_names.follow_object_name(carrying.target, carrying.connection, before, event.object)
        _email(carrying, f"was {before} before")


def _email(carrying: Carrying, why: str) -> None:
    """The map of this org changes without its administrators: they are told."""
    event = carrying.event
    subscriptions.queue_email(
        carrying.target,
        connections.get_connection(carrying.target, carrying.connection).number,
        event.object,
        event.field,
        f"{why} in {carrying.source.label}",
        actor=event.actor,
        clock=carrying.clock,
    )


#: Action -> what carries it out. An action that is missing here is none that one org tells the other.
HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        QueueAction.ADMIN_SUSPENDED: _note,
        QueueAction.ADMIN_RESUMED: _note,
        QueueAction.SUSPENDED: _note,
        QueueAction.RESUMED: _note,
        QueueAction.DEACTIVATE: _deactivate,
        QueueAction.UPDATE: _update,
        QueueAction.FIELD_MAP_DELETE: _delete_field_map,
        QueueAction.FIELD_MAP_NAME_UPDATE: _rename_field_map,
        QueueAction.FIELD_MAP_UPDATE: _check_again,
        QueueAction.TYPE_MAP_NAME_UPDATE: _rename_type_map,
        QueueAction.TYPE_MAP_UPDATE: _check_again,
        QueueAction.VALUE_MAP_DELETE: _delete_value_map,
        QueueAction.TYPE_MAP_DELETE: _delete_type_map,
        QueueAction.TYPE_MAP_SET_PARTNER_SUB: _set_partner_sub,
    }
)
