"""An org's control events: queued with their causes, read by lane, forgotten once the partner has them (QUE-2)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from orgsync_reconcile.clock import Clock, milliseconds, system_clock
from orgsync_reconcile.model.events import ControlEvent, Lane, QueueAction
from orgsync_reconcile.stores.sql import history
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.text import EVERY, literal

#: How many events are carried out in one transaction.
MOST = 500
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_COLUMNS = "number, lane, action, object, field, detail, actor, at, attempts, next_retry, error"


def add_event(
    org: Org,
    connection: int,
    action: QueueAction,
    *,
    object_name: str = "",
    field: str = "",
    detail: Mapping[str, Any] = _NOTHING,
    actor: str = "",
    clock: Clock = system_clock,
) -> None:
    """Queues an event over the connection with this number. Inside the transaction of its cause.

    The very same event that still waits is taken back: it is told once, at its newest place.
    """
    lane = Lane.of(action)
    values = [connection, lane.value, action.value, object_name, field, json.dumps(dict(detail), sort_keys=True)]
    if lane is Lane.MAP:
        org.db.execute(
            "DELETE FROM orgsync_event WHERE connection = ? AND lane = ? AND action = ? AND object = ? AND field = ?"
            " AND detail = ?",
            values,
        )
    org.db.execute(
        "INSERT INTO orgsync_event (connection, lane, action, object, field, detail, actor, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [*values, actor, milliseconds(clock())],
    )


def tell(
    org: Org,
    connection: int,
    action: QueueAction,
    *,
    object_name: str,
    field: str = "",
    detail: Mapping[str, Any] = _NOTHING,
    actor: str = "",
    clock: Clock = system_clock,
) -> None:
    """Queues an event about the map of an object, with its row in the connection history. Inside a transaction.

    Nothing where the connection has ended. A writer that cannot be told is the org's admin.
    """
    row = org.db.execute(
        'SELECT c.name FROM orgsync_connection AS c JOIN "PartnerNetworkConnection" AS p ON p."Id" = c.id'
        " WHERE c.number = ? AND p.\"ConnectionStatus\" <> 'Inactive'",
        [connection],
    ).fetchone()
    if row is None:
        return
    who = actor or admin_name(org)
    add_event(org, connection, action, object_name=object_name, field=field, detail=detail, actor=who, clock=clock)
    subject = f"{object_name}.{field}" if field else object_name
    history.record_event(org, row[0], action.value, described(subject, detail), actor=who, clock=clock)


def described(subject: str, detail: Mapping[str, Any]) -> str:
    """What an event is about, for people: its subject, and its detail in words."""
    words = [f"{key.replace('_', ' ')} {_word(value)}" for key, value in sorted(detail.items()) if value is not None]
    return ": ".join(part for part in (subject, ", ".join(words)) if part)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def admin_name(org: Org) -> str:
    """The username of the org's admin."""
    row = org.db.execute('SELECT u."Username" FROM "User" AS u JOIN orgsync_org AS o ON o.admin_id = u."Id"').fetchone()
    return str(row[0]) if row else ""


def has_events(org: Org, connection: int, *lanes: Lane) -> bool:
    """Whether any event of these lanes waits. Cheap enough for every round of an idle drain."""
    chosen = ", ".join(literal(lane.value) for lane in lanes)
    (found,) = org.db.execute(
        f"SELECT EXISTS (SELECT 1 FROM orgsync_event WHERE connection = ? AND lane IN ({chosen}))", [connection]
    ).fetchone()
    return bool(found)


def read_events(
    org: Org, connection: int, lane: Lane | None = None, *, after: int = 0, limit: int = EVERY
) -> list[ControlEvent]:
    """The events that wait, of one lane or of all, in their order; whatever somebody has put into the table."""
    test, values = ("TRUE", []) if lane is None else ("lane = ?", [lane.value])
    rows = org.db.execute(
        f"SELECT {_COLUMNS} FROM orgsync_event WHERE connection = ? AND {test} AND number > ? ORDER BY number LIMIT ?",
        [connection, *values, after, limit],
    ).fetchall()
    return [_event(row) for row in rows]


def take_strays(org: Org, connection: int) -> list[ControlEvent]:
    """Takes out the events in lanes that there are not: no reader of a lane would ever see them. Inside a transaction."""
    lanes = ", ".join(literal(lane.value) for lane in Lane)
    rows = org.db.execute(
        f"DELETE FROM orgsync_event WHERE connection = ? AND lane NOT IN ({lanes}) RETURNING {_COLUMNS}", [connection]
    ).fetchall()
    return sorted(map(_event, rows), key=lambda event: event.number)


def has_strays(org: Org, connection: int) -> bool:
    """Whether any event stands in a lane that there is not. As cheap as `has_events`."""
    lanes = ", ".join(literal(lane.value) for lane in Lane)
    (found,) = org.db.execute(
        f"SELECT EXISTS (SELECT 1 FROM orgsync_event WHERE connection = ? AND lane NOT IN ({lanes}))", [connection]
    ).fetchone()
    return bool(found)


def _event(row: Sequence[Any]) -> ControlEvent:
    number, lane, action, object_name, field, text, actor, at, attempts, next_retry, error = row
    try:
        detail = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        detail = None
    good = isinstance(detail, dict) and all(isinstance(item, str) for item in (lane, action, object_name, field, actor))
    return ControlEvent(
        number=number,
        lane=str(lane),
        action=str(action),
        object=str(object_name),
        field=str(field),
        detail=detail if isinstance(detail, dict) else {},
        actor=str(actor),
        at=at,
        attempts=attempts if isinstance(attempts, int) else 0,
        next_retry=next_retry if isinstance(next_retry, int) else None,
        error=str(error),
        broken=not good,
    )


def watermark(target: Org, connection: int, lane: Lane) -> int:
    """The partner's newest event of a lane that was carried out here."""
    row = target.db.execute(
        f"SELECT event_{lane.value} FROM main.orgsync_inbox WHERE connection = ?", [connection]
    ).fetchone()
    return int(row[0])


def move_watermark(target: Org, connection: int, lane: Lane, number: int) -> None:
    """Says how far the partner's events were carried out. Inside the transaction that does it (QUE-3)."""
    target.db.execute(
        f"UPDATE main.orgsync_inbox SET event_{lane.value} = ? WHERE connection = ?", [number, connection]
    )


def acknowledge(source: Org, connection: int, lane: Lane, number: int) -> None:
    """Forgets the events that the partner has."""
    with source.transaction() as db:
        db.execute(
            "DELETE FROM orgsync_event WHERE connection = ? AND lane = ? AND number <= ?",
            [connection, lane.value, number],
        )
        db.execute(
            f"UPDATE main.orgsync_outbox SET event_{lane.value} = {db.dialect.greater(f'event_{lane.value}', '?')}"
            " WHERE connection = ?",
            [number, connection],
        )


def forget_events(org: Org, connection: int) -> None:
    """Forgets all events of a connection, which ends or begins anew. Inside a transaction."""
    org.db.execute("DELETE FROM orgsync_event WHERE connection = ?", [connection])


def own_work(org: Org, connection: int, action: QueueAction) -> list[ControlEvent]:
    """The org's own work of one kind that is not done."""
    return [item for item in read_events(org, connection, Lane.OWN) if item.action == action]


def try_own(org: Org, event: ControlEvent, *, next_retry: int) -> bool:
    """Takes a piece of own work for one try, until `next_retry` (milliseconds); False where somebody else has it."""
    with org.transaction() as db:
        return bool(
            db.execute(
                "UPDATE orgsync_event SET attempts = attempts + 1, next_retry = ? WHERE number = ? AND attempts = ?",
                [next_retry, event.number, event.attempts],
            ).rowcount
        )


def own_failed(org: Org, number: int, error: str) -> None:
    """Notes why a piece of own work is not done yet."""
    with org.transaction() as db:
        db.execute("UPDATE orgsync_event SET error = ? WHERE number = ?", [error, number])


def finish_own(org: Org, number: int) -> None:
    """Takes a piece of own work out of the queue: it is done."""
    with org.transaction() as db:
        db.execute("DELETE FROM orgsync_event WHERE number = ? AND lane = ?", [number, Lane.OWN.value])
