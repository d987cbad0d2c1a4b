"""Deletes that take children with them, kept the same in both orgs (LKP-4, ORG-6).

The target's own triggers cascade with what its lookups say at that moment. Where the source's children were others, or
have moved or come back since, this file makes good.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.flow.paths import Path
from orgsync_reconcile.stores.sql.flow.writes import Target
from orgsync_reconcile.stores.sql.partner import Partner
from orgsync_reconcile.stores.sql.text import literal, quote


def prepare(db: Database) -> None:
    """Makes the temporary tables, empty."""
    for table in ("felled", "reach"):
        db.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table} (record TEXT PRIMARY KEY)")
        db.execute(f"DELETE FROM temp.{table}")


def bring_down(partner: Partner, parents: str) -> None:
    """Brings what the partner deleted with the records that the query finds here, at any depth."""
    more = partner.bring_by("orgsync_cascade", "s.parent", parents)
    while more:
        more = partner.bring_by("orgsync_cascade", "s.parent", "SELECT child FROM partner.orgsync_cascade")


def before_delete(db: Database, partner: Partner, path: Path, target: Target) -> None:
    """Notes which records of temp.todo are about to be deleted, and which children the source deleted with them.

    Children go first here, each by itself, so the target's triggers would not know that they come back with the parent.
    """
    db.execute(
        f"INSERT OR IGNORE INTO temp.felled SELECT st.local FROM temp.todo AS st"
        f' CROSS JOIN main.{quote(path.object)} AS t ON t."Id" = st.local WHERE t."IsDeleted" = FALSE'
    )
    partner.bring_by("orgsync_cascade", "s.parent", "SELECT record FROM temp.todo")
    db.execute(
        "INSERT OR IGNORE INTO main.orgsync_cascade (parent, child) SELECT st.local, l.local FROM temp.todo AS st"
        " CROSS JOIN partner.orgsync_cascade AS c ON c.parent = st.record"
        " CROSS JOIN main.orgsync_link AS l ON l.partner = c.child AND l.connection = ?",
        [target.connection],
    )


def after_deletes(
    db: Database,
    partner: Partner,
    paths: Mapping[str, Path],
    target: Target,
    writing: Callable[[int], AbstractContextManager[None]],
) -> None:
    """Brings back children that went with their parent here, but live on in the source: under another parent, say."""
    if not _reach(db, "SELECT record FROM temp.felled"):
        return
    for name in _linked_kinds(db, target):
        if name not in paths:
            continue
        _bring_children(partner, name, target)
        with writing(paths[name].target):
            db.execute(
                f'UPDATE main.{quote(name)} SET "IsDeleted" = FALSE, "SystemModstamp" = {literal(target.now)}'
                f' WHERE "IsDeleted" = TRUE AND "Id" IN ({_linked_children(name, alive=True)})',
                [target.connection],
            )


def before_undelete(db: Database, partner: Partner, target: Target) -> None:
    """Children of the records in temp.todo that are deleted in the source must not come back with their parent."""
    if not _reach(db, "SELECT local FROM temp.todo"):
        return
    for name in _linked_kinds(db, target):
        _bring_children(partner, name, target)
        db.execute(
            f"DELETE FROM main.orgsync_cascade WHERE child IN ({_linked_children(name, alive=False)})",
            [target.connection],
        )


def after_undelete(db: Database, partner: Partner, target: Target) -> None:
    """Children that came back and were never sent, since they were deleted before their turn, are queued again."""
    unlinked = "NOT EXISTS (SELECT 1 FROM main.orgsync_link AS l WHERE l.local = r.record AND l.connection = ?1)"
    kinds = db.execute(
        "SELECT DISTINCT o.number, o.name FROM temp.reach AS r"
        " JOIN main.orgsync_object AS o ON o.key_prefix = substr(r.record, 1, 3)"
        f" JOIN main.orgsync_published AS p ON p.object = o.name AND p.connection = ?1 WHERE {unlinked}",
        [target.connection],
    ).fetchall()
    since = db.dialect.moment("p.since")
    partner.bring("orgsync_subscribed", "s.connection = ?", [target.there])
    for number, name in kinds:
        db.execute(
            f"INSERT INTO main.orgsync_change (object, record, op, at) SELECT {number}, r.record, 'I', {target.now_ms}"
            f' FROM temp.reach AS r CROSS JOIN main.{quote(name)} AS t ON t."Id" = r.record'
            " JOIN partner.orgsync_subscribed AS p ON p.object = ?2 AND p.connection = ?3"
            f' WHERE t."IsDeleted" = FALSE AND t."CreatedDate" >= {since} AND {unlinked}',
            [target.connection, name, target.there],
        )


def _reach(db: Database, parents: str) -> bool:
    """Fills temp.reach with all that was deleted with these parents, at any depth; whether there is anything."""
    db.execute("DELETE FROM temp.reach")
    return bool(
        db.execute(
            "INSERT INTO temp.reach WITH RECURSIVE reach (child) AS ("
            f"SELECT c.child FROM main.orgsync_cascade AS c WHERE c.parent IN ({parents})"
            " UNION SELECT c.child FROM reach AS r CROSS JOIN main.orgsync_cascade AS c ON c.parent = r.child)"
            " SELECT child FROM reach"
        ).rowcount
    )


def _linked_kinds(db: Database, target: Target) -> list[str]:
    """The objects of the linked records in temp.reach."""
    rows = db.execute(
        "SELECT DISTINCT o.name FROM temp.reach AS r"
        " CROSS JOIN main.orgsync_link AS l ON l.local = r.record AND l.connection = ? AND l.status = 1"
        " JOIN main.orgsync_object AS o ON o.number = l.object ORDER BY o.name",
        [target.connection],
    )
    return [row[0] for row in rows]


def _bring_children(partner: Partner, name: str, target: Target) -> None:
    """Brings the partner's records of one object that are linked with a record in temp.reach."""
    linked = (
        "SELECT l.partner FROM temp.reach AS r CROSS JOIN main.orgsync_link AS l ON l.local = r.record"
        " AND l.connection = ? AND l.status = 1 JOIN main.orgsync_object AS o ON o.number = l.object WHERE o.name = ?"
    )
    partner.bring_by(name, 's."Id"', linked, [target.connection, name])


def _linked_children(name: str, *, alive: bool) -> str:
    """The query of the linked records in temp.reach, of one object, that are alive in the source or are not."""
    return (
        "SELECT r.record FROM temp.reach AS r CROSS JOIN main.orgsync_link AS l ON l.local = r.record"
        " AND l.connection = ? AND l.status = 1 JOIN main.orgsync_object AS o ON o.number = l.object"
        f" WHERE o.name = {literal(name)} AND {'' if alive else 'NOT '}EXISTS"
        f' (SELECT 1 FROM partner.{quote(name)} AS s WHERE s."Id" = l.partner AND s."IsDeleted" = FALSE)'
    )


def log_gone(db: Database, path: Path, target: Target) -> None:
    """Logs the records of temp.todo that should be alive here and were deleted for good: they go in the source too."""
    db.execute(
        "INSERT INTO main.orgsync_change (object, record, op, at) SELECT ?, st.local, 'D', ? FROM temp.todo AS st"
        f' WHERE NOT EXISTS (SELECT 1 FROM main.{quote(path.object)} AS t WHERE t."Id" = st.local)',
        [path.target, target.now_ms],
    )
