"""Subscriptions that follow the new name of a field or object (PUB-11)."""

from __future__ import annotations

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.stores.sql import subscriptions
from orgsync_reconcile.stores.sql.connections import get_connection
from orgsync_reconcile.stores.sql.org import Org


def follow_field_name(
    org: Org, connection: str, object_name: str, old: str, new: str, *, why: str, actor: str, clock: Clock
) -> None:
    """Accepts the partner's field under its new name where this org has it; else it drops out with the reason `why`."""
    with org.transaction() as db:
        number = get_connection(org, connection).number
        has = db.execute(
            "SELECT 1 FROM orgsync_field AS f JOIN orgsync_object AS o ON o.number = f.object"
            " WHERE o.name = ? AND f.name = ? AND f.definition IS NOT NULL",
            [object_name, new],
        ).fetchone()
        if has is None:
            subscriptions.drop_field(org, connection, object_name, old, why, actor=actor, clock=clock)
            return
        where = "connection = ? AND object = ? AND field = ?"
        moved = db.execute(
            f"UPDATE orgsync_subscribed_field SET field = ?, dropped = NULL WHERE {where} AND NOT EXISTS"
            " (SELECT 1 FROM orgsync_subscribed_field AS s WHERE s.connection = ? AND s.object = ? AND s.field = ?)",
            [new, number, object_name, old, number, object_name, new],
        ).rowcount
        # The new name may have been subscribed to by itself.
        db.execute(f"DELETE FROM orgsync_subscribed_field WHERE {where}", [number, object_name, old])
        if moved:
            org.touch_revision()


def follow_object_name(org: Org, connection: str, old: str, new: str) -> None:
    """Accepts the partner's object under its new name where this org has one of that name, and no longer the old one."""
    with org.transaction() as db:
        number = get_connection(org, connection).number
        names = {row[0] for row in db.execute("SELECT name FROM orgsync_object WHERE name IN (?, ?)", [old, new])}
        if names != {new}:
            return
        for table in ("orgsync_subscribed", "orgsync_subscribed_field"):
            same = " AND s.field = t.field" if table == "orgsync_subscribed_field" else ""
            db.execute(
                f"UPDATE {table} AS t SET object = ?1 WHERE connection = ?2 AND object = ?3 AND NOT EXISTS"
                f" (SELECT 1 FROM {table} AS s WHERE s.connection = ?2 AND s.object = ?1{same})",
                [new, number, old],
            )
            db.execute(f"DELETE FROM {table} WHERE connection = ? AND object = ?", [number, old])
        org.touch_revision()
