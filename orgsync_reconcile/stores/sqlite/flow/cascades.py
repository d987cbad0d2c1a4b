"""What a delete or undelete does in the target alone, and so has to go back to the source (LKP-4, CNF-3).

It cascades in each org by itself, and the two may know other children of one parent while an edit is still on its way:
where the source's child is not in the same state afterwards, the target's cascade is a change of the target's own. And
what was deleted for good in the target cannot come back there.
"""

from __future__ import annotations

import sqlite3

from orgsync_reconcile.stores.sqlite.text import quote


def stage_children(db: sqlite3.Connection) -> bool:
    """Fills temp.below with all that was deleted along with the records of temp.todo; whether there is anything.

    Call it after a delete and before an undelete, which forgets it.
    """
    db.execute("CREATE TEMP TABLE IF NOT EXISTS below (record TEXT PRIMARY KEY)")
    db.execute("DELETE FROM temp.below")
    found = db.execute(
        "INSERT INTO temp.below WITH RECURSIVE b (record) AS (SELECT c.child FROM temp.todo AS t"
        " CROSS JOIN main.orgsync_cascade AS c ON c.parent = t.local"
        " UNION SELECT c.child FROM b CROSS JOIN main.orgsync_cascade AS c ON c.parent = b.record) SELECT record FROM b"
    )
    return found.rowcount > 0


def log_disagreements(db: sqlite3.Connection, connection: int, now_ms: int, *, deleted: bool) -> None:
    """Logs the records of temp.below that are deleted (or alive) here and not in the source, as changes of the target."""
    objects = db.execute(
        "SELECT DISTINCT o.number, o.name FROM temp.below AS b"
        " JOIN main.orgsync_object AS o ON o.key_prefix = substr(b.record, 1, 3)"
    ).fetchall()
    known = {row[0] for row in db.execute("SELECT name FROM partner.orgsync_object")}
    for number, name in objects:
        if name not in known:
            continue
        # A record that never got across has no partner, which is as good as a deleted one.
        db.execute(
            "INSERT INTO main.orgsync_change (object, record, op, at)"
            f' SELECT ?, b.record, ?, ? FROM temp.below AS b JOIN main.{quote(name)} AS t ON t."Id" = b.record'
            " LEFT JOIN main.orgsync_link AS l ON l.local = b.record AND l.connection = ? AND l.status = 1"
            f' LEFT JOIN partner.{quote(name)} AS s ON s."Id" = l.partner'
            ' WHERE t."IsDeleted" = ? AND coalesce(s."IsDeleted", 1) <> t."IsDeleted"',
            [number, "D" if deleted else "R", now_ms, connection, int(deleted)],
        )


def log_gone(db: sqlite3.Connection, object_number: int, name: str, now_ms: int) -> None:
    """Logs the records of temp.todo that should be alive here and were deleted for good: they go in the source too."""
    db.execute(
        "INSERT INTO main.orgsync_change (object, record, op, at) SELECT ?, st.local, 'D', ? FROM temp.todo AS st"
        f' WHERE NOT EXISTS (SELECT 1 FROM main.{quote(name)} AS t WHERE t."Id" = st.local)',
        [object_number, now_ms],
    )
