"""What an org accepts over a connection: subscribe, unsubscribe, fields that drop out by themselves (PUB-5, PUB-8…10).

Each function is one transaction with its row in the connection history. `rebuild=False` leaves the capture triggers to
the caller, who then calls `rebuild_subscribed` once for many objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.model.events import QueueAction
from orgsync_reconcile.stores.sql import events, history
from orgsync_reconcile.stores.sql.connections import Connection, get_connection
from orgsync_reconcile.stores.sql.object_maps import (
    cut_text,
    disconnect_records,
    joined_text,
    require_mapped,
    require_object,
    revive,
    withdraw,
    withdraw_field,
)
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import rebuild_triggers


def rebuild_subscribed(org: Org, names: Iterable[str]) -> None:
    """What arrives over one connection is captured for the others: only then does a subscription change triggers."""
    (several,) = org.db.execute("SELECT count(*) > 1 FROM orgsync_connection").fetchone()
    if several:
        rebuild_triggers(org, names)


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
        require_object(org, object_name)
        db.execute(
            "INSERT OR IGNORE INTO orgsync_subscribed (connection, object, since_seq, since) VALUES (?, ?, ?, ?)",
            [known.number, object_name, since_seq, since],
        )
        for field, shape in sorted(shapes.items()):
            _accept(org, known, object_name, field, shape)
        revived = revive(org, known, object_name)
        detail = joined_text(object_name, len(shapes), revived)
        history.record_event(org, connection, history.SUBSCRIBE, detail, actor=actor, clock=clock)
        _tell_subscribed(org, known, object_name, actor, clock)
        if rebuild:
            rebuild_subscribed(org, [object_name])
        org.touch_revision()


def subscribe_field(
    org: Org, connection: str, object_name: str, field: str, shape: str, *, actor: str, clock: Clock
) -> None:
    """Accepts one more field of a subscribed object, or one that unsubscribed itself (PUB-8, PUB-9).

    Raises StoreError where the object is not subscribed.
    """
    with org.transaction():
        known = get_connection(org, connection)
        require_mapped(org, known, "subscribed", object_name)
        _accept(org, known, object_name, field, shape)
        history.record_event(org, connection, history.SUBSCRIBE, f"{object_name}.{field}", actor=actor, clock=clock)
        org.touch_revision()


def _accept(org: Org, known: Connection, object_name: str, field: str, shape: str) -> None:
    org.db.execute(
        "INSERT INTO orgsync_subscribed_field (connection, object, field, shape, dropped) VALUES (?1, ?2, ?3, ?4, NULL)"
        " ON CONFLICT (connection, object, field) DO UPDATE SET shape = ?4, dropped = NULL",
        [known.number, object_name, field, shape],
    )


def unsubscribe_field(org: Org, connection: str, object_name: str, field: str, *, actor: str, clock: Clock) -> None:
    """Stops accepting one field."""
    with org.transaction():
        known = get_connection(org, connection)
        if withdraw_field(org, known, "subscribed", object_name, field):
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
        gone = withdraw(org, known, "subscribed", object_name)
        cut = disconnect_records(org, known, object_name) if disconnect else 0
        if gone:
            history.record_event(
                org, connection, history.UNSUBSCRIBE, cut_text(object_name, cut), actor=actor, clock=clock
            )
            if tell:
                _tell_subscribed(org, known, object_name, actor, clock)
        if rebuild:
            rebuild_subscribed(org, [object_name])
        org.touch_revision()
    return cut


def _tell_subscribed(org: Org, known: Connection, object_name: str, actor: str, clock: Clock) -> None:
    """The publisher shall know whether this org accepts the object (QUE-2)."""
    events.tell(
        org, known.number, QueueAction.TYPE_MAP_SET_PARTNER_SUB, object_name=object_name, actor=actor, clock=clock
    )


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
