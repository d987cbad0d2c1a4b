"""Carrying out control events: what one org has to tell the other besides records (QUE-2).

An event goes ahead of the records: what it tells has taken effect in its org already. It names what to look at;
`control_handlers` says what each kind does.
"""

from __future__ import annotations

from collections.abc import Sequence

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.failpoints import FailPoint, reach
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.model.events import ControlEvent, Lane, QueueAction
from orgsync_reconcile.stores.faults import faults
from orgsync_reconcile.stores.sql import connections, events, history
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.savepoint import savepoint
from orgsync_reconcile.sync.control_handlers import HANDLERS, Carrying, Handler

#: The code of log entries about events that make no sense.
UNKNOWN_EVENT = "UNKNOWN_EVENT"


class _NoSenseError(OrgsyncError):
    """An event that no program of ours has written."""


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
