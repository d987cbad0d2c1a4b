"""Filling in lookups whose parent has arrived (LKP-2, LKP-3), and owners whose user has (USR-5)."""

from __future__ import annotations

from orgsync_reconcile.stores.sql.flow import stamps
from orgsync_reconcile.stores.sql.flow.flow import Flow
from orgsync_reconcile.stores.sql.text import literal, quote


def has_waiting(flow: Flow) -> bool:
    """Whether any lookup of the target waits for its parent."""
    (found,) = flow.db.execute(
        "SELECT EXISTS (SELECT 1 FROM main.orgsync_waiting WHERE connection = ?)", [flow.numbers[1]]
    ).fetchone()
    return bool(found)


def fill_waiting(flow: Flow) -> None:
    """Fills in the lookups whose parents were linked since the last time, by whatever made the links."""
    (done,) = flow.db.execute("SELECT link FROM main.orgsync_inbox WHERE connection = ?", [flow.numbers[1]]).fetchone()
    newest = flow.last_link()
    if newest != done:
        filled = _fill(flow, done)
        if filled and flow.stamped:
            stamps.bring_filled(flow.db, flow.partner, flow.numbers[1])
        flow.db.execute("UPDATE main.orgsync_inbox SET link = ? WHERE connection = ?", [newest, flow.numbers[1]])


def _fill(flow: Flow, links_after: int) -> int:
    """Fills in every lookup that waits for a record linked since link number `links_after`; returns how many.

    A field that no longer holds its placeholder was edited meanwhile, and keeps the edit.
    """
    db, connection = flow.db, flow.numbers[1]
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
        with flow.guard.writing(number):
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
