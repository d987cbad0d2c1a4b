"""What an org offers and accepts over a connection: publish, unpublish, subscribe, unsubscribe (PUB-2, PUB-8…10).

Each function is one transaction with its row in the connection history. `rebuild=False` leaves the capture triggers to
the caller, who then calls `schema.rebuild_triggers` once for many objects.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Literal

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.errors import StoreError
from orgsync_reconcile.model.actual import ActualPublication, ActualSubscription
from orgsync_reconcile.model.events import QueueAction
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.stores.sql import events, history
from orgsync_reconcile.stores.sql.connections import Connection, get_connection
from orgsync_reconcile.stores.sql.layout import WORD
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import rebuild_triggers

_ACTIVE, _DISCONNECTED = 1, 2


def _of(known: Connection, only: str | None) -> tuple[str, list[object]]:
    """The condition on rows of a connection, of one object alone where `only` names it, and its values."""
    if only is None:
        return "connection = ?", [known.number]
    return "connection = ? AND object = ?", [known.number, only]


def read_published(org: Org, connection: str, only: str | None = None) -> dict[str, ActualPublication]:
    """Object -> what this org offers of it over the connection; of one object where `only` names it."""
    with org.snapshot() as db:
        condition, values = _of(get_connection(org, connection), only)
        fields: dict[str, set[str]] = {}
        for name, field in db.execute(f"SELECT object, field FROM orgsync_published_field WHERE {condition}", values):
            fields.setdefault(name, set()).add(field)
        rows = db.execute(
            f"SELECT object, match_on, record_types FROM orgsync_published WHERE {condition} ORDER BY object", values
        ).fetchall()
    return {
        name: ActualPublication(
            object=name,
            fields=frozenset(fields.get(name, ())),
            match_on=match_on,
            record_types=frozenset(json.loads(record_types)),
        )
        for name, match_on, record_types in rows
    }


def read_subscribed(org: Org, connection: str, only: str | None = None) -> dict[str, ActualSubscription]:
    """Object -> what this org accepts of it over the connection, and the fields that unsubscribed themselves (PUB-8).

    Of one object where `only` names it.
    """
    with org.snapshot() as db:
        condition, values = _of(get_connection(org, connection), only)
        fields: dict[str, set[str]] = {}
        dropped: dict[str, dict[str, str]] = {}
        for name, field, reason in db.execute(
            f"SELECT object, field, dropped FROM orgsync_subscribed_field WHERE {condition}", values
        ):
            if reason is None:
                fields.setdefault(name, set()).add(field)
            else:
                dropped.setdefault(name, {})[field] = reason
        names = [
            row[0]
            for row in db.execute(f"SELECT object FROM orgsync_subscribed WHERE {condition} ORDER BY object", values)
        ]
    return {
        name: ActualSubscription(object=name, fields=frozenset(fields.get(name, ())), dropped=dropped.get(name, {}))
        for name in names
    }


def _move_links(org: Org, known: Connection, object_name: str, old: int, new: int) -> int:
    """Disconnects or revives the object's links; returns how many (PUB-10)."""
    return org.db.execute(
        "UPDATE orgsync_link SET status = ? WHERE connection = ? AND status = ?"
        " AND object = (SELECT number FROM orgsync_object WHERE name = ?)",
        [new, known.number, old, object_name],
    ).rowcount


def _require_object(org: Org, object_name: str) -> None:
    if org.db.execute("SELECT 1 FROM orgsync_object WHERE name = ?", [object_name]).fetchone() is None:
        raise StoreError(f"there is no object {object_name}", where=org.label, hint="deploy it first, then plan again")


def _finish(org: Org, names: Iterable[str], *, rebuild: bool) -> None:
    if rebuild:
        rebuild_triggers(org, names)
    org.touch_revision()


def rebuild_subscribed(org: Org, names: Iterable[str]) -> None:
    """What arrives over one connection is captured for the others: only then does a subscription change triggers."""
    (several,) = org.db.execute("SELECT count(*) > 1 FROM orgsync_connection").fetchone()
    if several:
        rebuild_triggers(org, names)


def publish_object(
    org: Org,
    connection: str,
    object_name: str,
    fields: Iterable[str],
    *,
    match_on: str | None = None,
    record_types: Iterable[str] = (),
    actor: str,
    clock: Clock,
    rebuild: bool = True,
) -> None:
    """Offers an object with exactly these fields. Copies nothing; revives links that were disconnected (PUB-2, PUB-10).

    Raises StoreError where the org has no such object.
    """
    wanted = sorted(set(fields))
    with org.transaction() as db:
        known = get_connection(org, connection)
        _require_object(org, object_name)
        again = db.execute(
            "SELECT 1 FROM orgsync_published WHERE connection = ? AND object = ?", [known.number, object_name]
        ).fetchone()
        db.execute(
            "INSERT INTO orgsync_published (connection, object, match_on, record_types) VALUES (?1, ?2, ?3, ?4)"
            " ON CONFLICT (connection, object) DO UPDATE SET match_on = ?3, record_types = ?4",
            [known.number, object_name, match_on, json.dumps(sorted(set(record_types)))],
        )
        db.execute(
            "DELETE FROM orgsync_published_field WHERE connection = ? AND object = ?", [known.number, object_name]
        )
        db.executemany(
            "INSERT INTO orgsync_published_field (connection, object, field) VALUES (?, ?, ?)",
            [(known.number, object_name, name) for name in wanted],
        )
        revived = _move_links(org, known, object_name, _DISCONNECTED, _ACTIVE)
        detail = f"{object_name} with {counted(len(wanted), 'field')}" + (
            f", {counted(revived, 'link')} revived" if revived else ""
        )
        history.record_event(org, connection, history.PUBLISH, detail, actor=actor, clock=clock)
        if again:
            events.tell(
                org,
                known.number,
                QueueAction.TYPE_MAP_UPDATE,
                object_name=object_name,
                detail={"match_on": match_on, "record_types": sorted(set(record_types)) or None},
                actor=actor,
                clock=clock,
            )
        _finish(org, [object_name], rebuild=rebuild)


def publish_field(
    org: Org, connection: str, object_name: str, field: str, *, actor: str, clock: Clock, rebuild: bool = True
) -> None:
    """Offers one more field of a published object (PUB-9). Raises StoreError where the object is not published."""
    with org.transaction() as db:
        known = get_connection(org, connection)
        if not db.execute(
            "SELECT 1 FROM orgsync_published WHERE connection = ? AND object = ?", [known.number, object_name]
        ).fetchone():
            raise StoreError(
                f"{object_name} is not published over {connection}", where=org.label, hint="plan again, then apply"
            )
        added = db.execute(
            "INSERT OR IGNORE INTO orgsync_published_field (connection, object, field) VALUES (?, ?, ?)",
            [known.number, object_name, field],
        ).rowcount
        if added:
            history.record_event(org, connection, history.PUBLISH, f"{object_name}.{field}", actor=actor, clock=clock)
        _finish(org, [object_name], rebuild=rebuild)


def unpublish_field(
    org: Org, connection: str, object_name: str, field: str, *, actor: str, clock: Clock, rebuild: bool = True
) -> None:
    """Stops offering one field; the object and its links go on (PUB-10)."""
    with org.transaction() as db:
        known = get_connection(org, connection)
        gone = db.execute(
            "DELETE FROM orgsync_published_field WHERE connection = ? AND object = ? AND field = ?",
            [known.number, object_name, field],
        ).rowcount
        if gone:
            history.record_event(org, connection, history.UNPUBLISH, f"{object_name}.{field}", actor=actor, clock=clock)
            events.tell(
                org,
                known.number,
                QueueAction.FIELD_MAP_DELETE,
                object_name=object_name,
                field=field,
                actor=actor,
                clock=clock,
            )
        _finish(org, [object_name], rebuild=rebuild)


def unpublish_object(
    org: Org,
    connection: str,
    object_name: str,
    *,
    disconnect: bool = True,
    actor: str,
    clock: Clock,
    rebuild: bool = True,
) -> int:
    """Stops offering an object; `disconnect` also cuts its records' links in this org. Returns how many (PUB-10)."""
    with org.transaction():
        known = get_connection(org, connection)
        gone = _withdraw(org, known, "published", object_name)
        cut = _disconnect(org, known, object_name) if disconnect else 0
        if gone:
            history.record_event(org, connection, history.UNPUBLISH, _cut(object_name, cut), actor=actor, clock=clock)
            events.tell(
                org,
                known.number,
                QueueAction.TYPE_MAP_DELETE,
                object_name=object_name,
                detail={"disconnect": disconnect},
                actor=actor,
                clock=clock,
            )
        _finish(org, [object_name], rebuild=rebuild)
    return cut


def _cut(object_name: str, cut: int) -> str:
    """What the history says; of a two-way object's four ends the first in each org disconnects."""
    return f"{object_name}, {counted(cut, 'record')} disconnected" if cut else object_name


def _withdraw(org: Org, known: Connection, kind: Literal["published", "subscribed"], object_name: str) -> bool:
    """Takes an object with its fields out of what is published or subscribed; whether it was there."""
    which = [known.number, object_name]
    gone = org.db.execute(f"DELETE FROM orgsync_{kind} WHERE connection = ? AND object = ?", which).rowcount
    org.db.execute(f"DELETE FROM orgsync_{kind}_field WHERE connection = ? AND object = ?", which)
    return bool(gone)


def _disconnect(org: Org, known: Connection, object_name: str) -> int:
    """Cuts the object's links and forgets what was held or waiting for them; its next bulk sync starts afresh."""
    cut = _move_links(org, known, object_name, _ACTIVE, _DISCONNECTED)
    number = "(SELECT number FROM orgsync_object WHERE name = ?2)"
    for table in ("orgsync_held", "orgsync_waiting"):
        org.db.execute(f"DELETE FROM {table} WHERE connection = ?1 AND object = {number}", [known.number, object_name])
    for table in ("orgsync_bulk", "orgsync_bulk_range"):
        org.db.execute(f"DELETE FROM {table} WHERE connection = ? AND object = ?", [known.number, object_name])
    return cut


def subscribe_object(
    org: Org,
    connection: str,
    object_name: str,
    shapes: Mapping[str, str],
    *,
    since_seq: int,
    since: str,
    actor: str,
    clock: Clock,
    rebuild: bool = True,
) -> None:
    """Accepts an object with these fields. `shapes`: field -> shape in the publishing org (PUB-5, PUB-8).

    `since_seq` is the publishing org's log position now, `since` the moment: what was made before waits for a bulk sync
    or a forward (QUE-4). An object that is subscribed already keeps both. Raises StoreError where the org lacks it.
    """
    with org.transaction() as db:
        known = get_connection(org, connection)
        _require_object(org, object_name)
        db.execute(
            "INSERT OR IGNORE INTO orgsync_subscribed (connection, object, since_seq, since) VALUES (?, ?, ?, ?)",
            [known.number, object_name, since_seq, since],
        )
        for field, shape in sorted(shapes.items()):
            _accept(org, known, object_name, field, shape)
        revived = _move_links(org, known, object_name, _DISCONNECTED, _ACTIVE)
        detail = f"{object_name} with {counted(len(shapes), 'field')}" + (
            f", {counted(revived, 'link')} revived" if revived else ""
        )
        history.record_event(org, connection, history.SUBSCRIBE, detail, actor=actor, clock=clock)
        _tell_subscribed(org, known, object_name, actor, clock)
        if rebuild:
            rebuild_subscribed(org, [object_name])
        org.touch_revision()


def _tell_subscribed(org: Org, known: Connection, object_name: str, actor: str, clock: Clock) -> None:
    """The publisher shall know whether this org accepts the object (QUE-2)."""
    events.tell(
        org, known.number, QueueAction.TYPE_MAP_SET_PARTNER_SUB, object_name=object_name, actor=actor, clock=clock
    )


def set_partner_sub(org: Org, connection: str, object_name: str, *, subscribed: bool) -> None:
    """Notes whether the partner accepts what this org offers."""
    with org.transaction() as db:
        changed = db.execute(
            "UPDATE orgsync_published SET partner_sub = ?1 WHERE connection = ?2 AND object = ?3 AND partner_sub <> ?1",
            [int(subscribed), get_connection(org, connection).number, object_name],
        ).rowcount
        if changed:
            org.touch_revision()


def _accept(org: Org, known: Connection, object_name: str, field: str, shape: str) -> None:
    org.db.execute(
        "INSERT INTO orgsync_subscribed_field (connection, object, field, shape, dropped) VALUES (?1, ?2, ?3, ?4, NULL)"
        " ON CONFLICT (connection, object, field) DO UPDATE SET shape = ?4, dropped = NULL",
        [known.number, object_name, field, shape],
    )


def subscribe_field(
    org: Org, connection: str, object_name: str, field: str, shape: str, *, actor: str, clock: Clock
) -> None:
    """Accepts one more field of a subscribed object, or one that unsubscribed itself (PUB-8, PUB-9).

    Raises StoreError where the object is not subscribed.
    """
    with org.transaction() as db:
        known = get_connection(org, connection)
        if not db.execute(
            "SELECT 1 FROM orgsync_subscribed WHERE connection = ? AND object = ?", [known.number, object_name]
        ).fetchone():
            raise StoreError(
                f"{object_name} is not subscribed over {connection}", where=org.label, hint="plan again, then apply"
            )
        _accept(org, known, object_name, field, shape)
        history.record_event(org, connection, history.SUBSCRIBE, f"{object_name}.{field}", actor=actor, clock=clock)
        org.touch_revision()


def unsubscribe_field(org: Org, connection: str, object_name: str, field: str, *, actor: str, clock: Clock) -> None:
    """Stops accepting one field."""
    with org.transaction() as db:
        known = get_connection(org, connection)
        gone = db.execute(
            "DELETE FROM orgsync_subscribed_field WHERE connection = ? AND object = ? AND field = ?",
            [known.number, object_name, field],
        ).rowcount
        if gone:
            history.record_event(
                org, connection, history.UNSUBSCRIBE, f"{object_name}.{field}", actor=actor, clock=clock
            )
        org.touch_revision()


def unsubscribe_object(
    org: Org,
    connection: str,
    object_name: str,
    *,
    disconnect: bool = True,
    actor: str,
    clock: Clock,
    tell: bool = True,
    rebuild: bool = True,
) -> int:
    """Stops accepting an object; `disconnect` also cuts its records' links in this org. Returns how many (PUB-10).

    `tell` queues it for the publisher, unless it was the publisher who told.
    """
    with org.transaction():
        known = get_connection(org, connection)
        gone = _withdraw(org, known, "subscribed", object_name)
        cut = _disconnect(org, known, object_name) if disconnect else 0
        if gone:
            history.record_event(org, connection, history.UNSUBSCRIBE, _cut(object_name, cut), actor=actor, clock=clock)
            if tell:
                _tell_subscribed(org, known, object_name, actor, clock)
        if rebuild:
            rebuild_subscribed(org, [object_name])
        org.touch_revision()
    return cut


def drop_field(
    org: Org, connection: str, object_name: str, field: str, reason: str, *, actor: str, clock: Clock
) -> None:
    """Unsubscribes a field by itself and keeps the reason; it stays published in the other org (PUB-8)."""
    with org.transaction() as db:
        known = get_connection(org, connection)
        changed = db.execute(
            "UPDATE orgsync_subscribed_field SET dropped = ? WHERE connection = ? AND object = ? AND field = ?"
            " AND dropped IS NULL",
            [reason, known.number, object_name, field],
        ).rowcount
        if changed:
            detail = f"{object_name}.{field}: {reason}"
            history.record_event(org, connection, history.UNSUBSCRIBE, detail, actor=actor, clock=clock)
            queue_email(org, known.number, object_name, field, reason, actor=actor, clock=clock)
            org.touch_revision()


def queue_email(org: Org, connection: int, object_name: str, field: str, why: str, *, actor: str, clock: Clock) -> None:
    """The administrators shall be told by email that a map of this org changed without them. Inside a transaction."""
    events.add_event(
        org,
        connection,
        QueueAction.MAP_UPDATE_EMAIL,
        object_name=object_name,
        field=field,
        detail={"why": why},
        actor=actor,
        clock=clock,
    )


def send_again(org: Org, connection: str, object_name: str, fields: Iterable[str], clock: Clock) -> int:
    """Queues the present values of these fields for every linked record of an object; returns how many (PUB-9)."""
    with org.transaction() as db:
        known = get_connection(org, connection)
        words: dict[int, int] = {}
        for (number,) in db.execute(
            "SELECT f.number FROM orgsync_field AS f JOIN orgsync_object AS o ON o.number = f.object"
            f" WHERE o.name = ? AND f.definition IS NOT NULL AND f.name IN ({_marks(fields)})",
            [object_name, *fields],
        ):
            words[number // WORD] = words.get(number // WORD, 0) | 1 << (number % WORD)
        if not words:
            return 0
        names = "".join(f", m{word}" for word in sorted(words))
        values = "".join(f", {words[word]}" for word in sorted(words))
        return db.execute(
            f"INSERT INTO orgsync_change (object, record, op, at{names})"
            f" SELECT l.object, l.local, 'U', ?1{values} FROM orgsync_link AS l"
            " WHERE l.connection = ?2 AND l.status = 1"
            " AND l.object = (SELECT number FROM orgsync_object WHERE name = ?3) ORDER BY l.number",
            [int(clock().timestamp() * 1000), known.number, object_name],
        ).rowcount


def _marks(values: Iterable[str]) -> str:
    return ", ".join("?" for _ in values)
