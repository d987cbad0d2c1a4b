"""Carrying out control events: what one org has to tell the other besides records (QUE-2).

An event goes ahead of the records: what it tells has taken effect in its org already. It names what to look at, and its
handler brings the linked org in line with what its source holds now; so an event that comes late, or once more after a
crash, does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.failpoints import FailPoint, reach
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.model.events import ControlEvent, Lane, QueueAction
from orgsync_reconcile.stores.faults import faults
from orgsync_reconcile.stores.sql import (
    connection_changes,
    connections,
    events,
    history,
    map_names,
    publication_reader,
    publications,
    subscriptions,
)
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.savepoint import savepoint
from orgsync_reconcile.sync.metadata import drop_towards

#: The code of log entries about events that make no sense.
UNKNOWN_EVENT = "UNKNOWN_EVENT"


@dataclass(frozen=True, kw_only=True, slots=True)
class Carrying:
    """One event on its way: the orgs, the connection's name, and the clock."""

    source: Org
    target: Org
    connection: str
    event: ControlEvent
    clock: Clock


class _NoSenseError(OrgsyncError):
    """An event that no program of ours has written."""


#: Brings the target in line. Inside the target's transaction. What it raises sets its event apart.
Handler = Callable[[Carrying], None]


def deliver(pair: Pair, *, sides: Sequence[Side] = tuple(Side), clock: Clock) -> bool:
    """Carries out the events that wait in the queues of these orgs; returns whether there were any.

    What happened to the connection goes in any case; all else waits while either end is not active (SUS-1).
    """
    done = False
    for side in sides:
        _set_strays_apart(pair, side)
        for lane in (Lane.STATE, Lane.MAP):
            while events.has_events(pair.orgs[side], pair.numbers[side], lane) and (
                lane is Lane.STATE or is_active(pair)
            ):
                done = True
                if not _deliver_some(pair, side, lane, clock):
                    break
    return done


def _set_strays_apart(pair: Pair, side: Side) -> None:
    """Events in lanes that there are not go into the log of their own org: nobody can say what they were to tell."""
    org, number = pair.orgs[side], pair.numbers[side]
    if not events.has_strays(org, number):
        return
    with org.transaction():
        for event in events.take_strays(org, number):
            history.log_failure(
                org,
                connections.get_connection(org, pair.connection).id,
                entity=event.object,
                record=event.subject,
                event="Unknown",
                error_code=UNKNOWN_EVENT,
                description=f"control event {event.number} was left out: there is no lane {event.lane!r}",
            )


def is_active(pair: Pair) -> bool:
    """Whether the connection is active at both ends."""
    return all(pair.status(side) is ConnectionStatus.ACCEPTED for side in Side)


def _deliver_some(pair: Pair, side: Side, lane: Lane, clock: Clock) -> bool:
    """One transaction in the target, then the source learns of it; whether more may wait."""
    source, target = pair.orgs[side], pair.orgs[side.other]
    here, there = pair.numbers[side], pair.numbers[side.other]
    with pair.lease():
        done = events.watermark(target, there, lane)
        found = events.read_events(source, here, lane, after=done, limit=events.MOST)
        if found:
            with target.transaction():
                for event in found:
                    _carry_out(
                        Carrying(source=source, target=target, connection=pair.connection, event=event, clock=clock)
                    )
                done = found[-1].number
                events.move_watermark(target, there, lane, done)
                reach(FailPoint.CONTROL_BEFORE_TARGET_COMMIT)
            reach(FailPoint.CONTROL_AFTER_TARGET_COMMIT)
        events.acknowledge(source, here, lane, done)
        reach(FailPoint.CONTROL_AFTER_SOURCE_TOLD)
    return len(found) == events.MOST


def _carry_out(carrying: Carrying) -> None:
    """Carries out one event with its row in the history; one that cannot be is set apart with a log entry."""
    event, target = carrying.event, carrying.target
    try:
        with savepoint(target):
            _handler(event)(carrying)
            if event.action != QueueAction.DEACTIVATE:
                history.record_event(
                    target,
                    carrying.connection,
                    event.action,
                    events.described(event.subject, event.detail),
                    actor=event.actor,
                    clock=carrying.clock,
                    origin=carrying.source.name,
                )
    except faults(OrgsyncError, ValueError, TypeError, KeyError) as error:
        _set_apart(carrying, error)


def _handler(event: ControlEvent) -> Handler:
    found = None if event.broken else HANDLERS.get(event.action)
    if found is None:
        raise _NoSenseError(f"event {event.number} is none that orgsync writes")
    return found


def _set_apart(carrying: Carrying, error: Exception) -> None:
    event = carrying.event
    why = error.message if isinstance(error, OrgsyncError) else f"its detail makes no sense: {error}"
    history.log_failure(
        carrying.target,
        connections.get_connection(carrying.target, carrying.connection).id,
        entity=event.object,
        record=event.subject,
        event=event.action[:80] if not isinstance(error, _NoSenseError) else "Unknown",
        error_code=UNKNOWN_EVENT,
        description=f"a control event of {carrying.source.name} was left out: {why}",
    )


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
