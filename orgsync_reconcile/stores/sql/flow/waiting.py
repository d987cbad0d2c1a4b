"""Filling in lookups whose parent has arrived (LKP-2, LKP-3), and owners whose user has (USR-5)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.text import literal, quote


def fill_waiting(
    db: Database, connection: int, links_after: int, writing: Callable[[int], AbstractContextManager[None]]
) -> int:
    """Fills in every lookup that waits for a record linked since link number `links_after`; returns how many.

    `writing` marks writes to an object, by number, as the engine's. A field that no longer holds its placeholder was
    edited meanwhile, and keeps the edit.
    """
    if db.execute("SELECT 1 FROM main.orgsync_waiting WHERE connection = ? LIMIT 1", [connection]).fetchone() is None:
        return 0
    db.execute(
        "CREATE TEMP TABLE IF NOT EXISTS arrived (object BIGINT, record TEXT, field TEXT, parent TEXT, local TEXT, placeholder TEXT)"
    )
    db.execute("DELETE FROM temp.arrived")
    db.execute(
        "INSERT INTO temp.arrived SELECT w.object, w.record, w.field, w.parent, l.local, w.placeholder"
        " FROM main.orgsync_link AS l CROSS JOIN main.orgsync_waiting AS w ON w.connection = l.connection AND w.parent = l.partner"
        " WHERE l.number > ? AND l.connection = ?",
        [links_after, connection],
    )
    kinds = db.execute(
        "SELECT DISTINCT o.number, o.name, a.field FROM temp.arrived AS a JOIN main.orgsync_object AS o ON o.number = a.object"
    ).fetchall()
    for number, name, field in kinds:
        column = quote(field)
        with writing(number):
            db.execute(
                f"UPDATE main.{quote(name)} AS t SET {column} = a.local,"
                f' "SystemModstamp" = {db.dialect.now}, "LastModifiedDate" = t."LastModifiedDate"'
                f' FROM temp.arrived AS a WHERE a.object = {number} AND a.field = {literal(field)} AND t."Id" = a.record'
                f" AND t.{column} IS a.placeholder"
            )
    (count,) = db.execute("SELECT count(*) FROM temp.arrived").fetchone()
    db.execute(
        "DELETE FROM main.orgsync_waiting WHERE (connection, parent, record, field) IN"
        " (SELECT CAST(? AS BIGINT), parent, record, field FROM temp.arrived)",
        [connection],
    )
    return int(count)
