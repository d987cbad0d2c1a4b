"""What an org offers over a connection: publish, unpublish, send what was offered late (PUB-2, PUB-9, PUB-10).

Each function is one transaction with its row in the connection history. `rebuild=False` leaves the capture triggers to
the caller, who then calls `schema.rebuild_triggers` once for many objects.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from orgsync_reconcile.clock import Clock, milliseconds
from orgsync_reconcile.model.events import QueueAction
from orgsync_reconcile.stores.sql import events, history
from orgsync_reconcile.stores.sql.connections import get_connection
from orgsync_reconcile.stores.sql.layout import WORD
from orgsync_reconcile.stores.sql.object_maps import (
    cut_text,
    disconnect_records,
    is_mapped,
    joined_text,
    require_mapped,
    require_object,
    revive,
    withdraw,
    withdraw_field,
)
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import rebuild_triggers
from orgsync_reconcile.stores.sql.text import commas


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
        require_object(org, object_name)
        again = is_mapped(org, known, "published", object_name)
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
        revived = revive(org, known, object_name)
        detail = joined_text(object_name, len(wanted), revived)
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
        require_mapped(org, known, "published", object_name)
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
    with org.transaction():
        known = get_connection(org, connection)
        if withdraw_field(org, known, "published", object_name, field):
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
        gone = withdraw(org, known, "published", object_name)
        cut = disconnect_records(org, known, object_name) if disconnect else 0
        if gone:
            history.record_event(
                org, connection, history.UNPUBLISH, cut_text(object_name, cut), actor=actor, clock=clock
            )
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


def _finish(org: Org, names: Iterable[str], *, rebuild: bool) -> None:
    if rebuild:
        rebuild_triggers(org, names)
    org.touch_revision()


def set_partner_sub(org: Org, connection: str, object_name: str, *, subscribed: bool) -> None:
    """Notes whether the partner accepts what this org offers."""
    with org.transaction() as db:
        changed = db.execute(
            "UPDATE orgsync_published SET partner_sub = ?1 WHERE connection = ?2 AND object = ?3 AND partner_sub <> ?1",
            [int(subscribed), get_connection(org, connection).number, object_name],
        ).rowcount
        if changed:
            org.touch_revision()


def send_again(org: Org, connection: str, object_name: str, fields: Iterable[str], clock: Clock) -> int:
    """Queues the present values of these fields for every linked record of an object; returns how many (PUB-9)."""
    with org.transaction() as db:
        known = get_connection(org, connection)
        names = list(fields)
        words: dict[int, int] = {}
        for (number,) in db.execute(
            "SELECT f.number FROM orgsync_field AS f JOIN orgsync_object AS o ON o.number = f.object"
            f" WHERE o.name = ? AND f.definition IS NOT NULL AND f.name IN ({commas('?' for _ in names)})",
            [object_name, *names],
        ):
            words[number // WORD] = words.get(number // WORD, 0) | 1 << (number % WORD)
        if not words:
            return 0
        columns = "".join(f", m{word}" for word in sorted(words))
        values = "".join(f", {words[word]}" for word in sorted(words))
        return db.execute(
            f"INSERT INTO orgsync_change (object, record, op, at{columns})"
            f" SELECT l.object, l.local, 'U', ?1{values} FROM orgsync_link AS l"
            " WHERE l.connection = ?2 AND l.status = 1"
            " AND l.object = (SELECT number FROM orgsync_object WHERE name = ?3) ORDER BY l.number",
            [milliseconds(clock()), known.number, object_name],
        ).rowcount
