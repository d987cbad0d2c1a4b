"""The links that a batch has made, on their way from the target to the source."""

from __future__ import annotations

from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.partner import Partner


def copy_new_links(db: Database, partner: Partner, connections: tuple[int, int], after: int, upto: int) -> None:
    """Copies the target's (the partner's) links of records that came from here, numbered (after, upto].

    `connections` are the connection's numbers in (source, target). Links that are known here already stay as they are.
    """
    here, there = connections
    if upto <= after:
        return
    new = "l.number > ? AND l.number <= ? AND l.connection = ? AND l.made_here = 1"
    theirs = partner.query(
        "SELECT o.number, o.name FROM partner.orgsync_object AS o WHERE o.number IN"
        f" (SELECT l.object FROM partner.orgsync_link AS l WHERE {new})",
        [after, upto, there],
    ).fetchall()
    for number, name in theirs:
        ours = db.execute("SELECT number FROM main.orgsync_object WHERE name = ?", [name]).fetchone()
        if ours is not None:
            partner.pour(
                f"SELECT CAST({here} AS BIGINT), CAST({ours[0]} AS BIGINT), l.partner, l.local, l.status, l.since"
                f" FROM partner.orgsync_link AS l WHERE {new} AND l.object = ? ORDER BY l.number",
                [after, upto, there, number],
                "main.orgsync_link",
                dict.fromkeys(("connection", "object"), "BIGINT")
                | dict.fromkeys(("local", "partner"), "TEXT")
                | dict.fromkeys(("status", "since"), "BIGINT"),
            )
