"""Putting an org's triggers in place: few by statements, many at once in the schema's own table.

Every CREATE TRIGGER and DROP TRIGGER looks through the whole schema, so that of many objects each costs more than the
one before: a first apply over thousands of objects would take minutes. Many are written as rows, which SQLite reads
again in one go.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

#: More statements than this are written as rows; reading the schema again costs about as much as so many of them.
MANY = 100


def write_triggers(db: sqlite3.Connection, wanted: Mapping[str, Mapping[str, str]]) -> None:
    """Makes our triggers on these tables exactly those of `wanted` (table -> name -> statement). Inside a transaction.

    Only those that differ are touched; an org's own triggers stay. Passes SQLite's errors through.
    """
    present = db.execute(
        "SELECT tbl_name, name, sql FROM main.sqlite_master WHERE type = 'trigger' AND name LIKE 'orgsync!_%' ESCAPE '!'"
        " AND tbl_name IN (SELECT value FROM json_each(?))",
        [json.dumps(list(wanted))],
    ).fetchall()
    gone = [name for table, name, text in present if wanted[table].get(name) != text]
    same = {name for table, name, text in present if wanted[table].get(name) == text}
    new = [
        (name, table, text) for table, triggers in wanted.items() for name, text in triggers.items() if name not in same
    ]
    if len(gone) + len(new) > MANY:
        _write_rows(db, gone, new)
        return
    for name in gone:
        db.execute(f'DROP TRIGGER "{name}"')
    for _, _, text in new:
        db.execute(text)


def _write_rows(db: sqlite3.Connection, gone: list[str], new: list[tuple[str, str, str]]) -> None:
    """Deletes triggers by name and adds new ones (name, table, statement) in the schema's table."""
    (version,) = db.execute("PRAGMA schema_version").fetchone()
    db.execute("PRAGMA writable_schema = ON")
    try:
        db.execute(
            "DELETE FROM main.sqlite_master WHERE type = 'trigger' AND name IN (SELECT value FROM json_each(?))",
            [json.dumps(gone)],
        )
        db.executemany(
            "INSERT INTO main.sqlite_master (type, name, tbl_name, rootpage, sql) VALUES ('trigger', ?, ?, 0, ?)", new
        )
        # Other connections, open statements and SQLite itself take notice by this number.
        db.execute(f"PRAGMA schema_version = {version + 1}")
    finally:
        db.execute("PRAGMA writable_schema = RESET")
    # A statement that SQLite cannot read is refused here, within the transaction.
    db.execute("SELECT 1 FROM main.sqlite_master LIMIT 1").fetchone()
