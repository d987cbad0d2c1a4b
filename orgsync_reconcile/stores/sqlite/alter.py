"""Altering tables that hold records, without copying them (ORG-4).

SQLite keeps a table's definition as text and reads rows that are shorter than it as holding defaults, so columns are
added and rules changed by rewriting that text, for all tables at once: every ALTER TABLE would read the whole schema
again, which takes a third of a second in an org with a thousand objects. Only stored columns that go are really dropped.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from orgsync_reconcile.errors import MetadataError
from orgsync_reconcile.model.schema import FieldDef, ObjectDef
from orgsync_reconcile.stores.retype import converter, needs_conversion
from orgsync_reconcile.stores.sql.text import quote
from orgsync_reconcile.stores.sqlite.tables import all_columns, create_table, indexes

#: How `PRAGMA table_xinfo` marks a computed column that is not stored.
_VIRTUAL = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Alteration:
    """What has to be done to one table."""

    old: ObjectDef
    new: ObjectDef
    #: Columns that stay as they are stored, in their physical order.
    kept: Sequence[str]
    #: Columns to drop with their values, computed ones first, since they may read the others.
    dropped: Sequence[str]
    #: (before, after) of fields whose values mean something else from now on.
    converted: Sequence[tuple[FieldDef, FieldDef]]


class Tables:
    """The tables of an org's file, as they are brought from one definition to another."""

    def __init__(self, db: sqlite3.Connection, label: str, admin_id: str) -> None:
        self.db = db
        self.label = label
        self.admin_id = admin_id

    def alter(self, pairs: Sequence[tuple[ObjectDef, ObjectDef]]) -> None:
        """Brings tables from their former to their new definition, with indexes; triggers are the caller's.

        Triggers of ours on tables whose values are touched are gone afterwards. Inside a transaction. Raises MetadataError
        where the records break a new uniqueness, and passes SQLite's errors through.
        """
        alterations = [self._compare(old, new) for old, new in pairs]
        for item in alterations:
            self._drop_derived(item)
            for column in item.dropped:
                self.db.execute(f"ALTER TABLE {quote(item.new.name)} DROP COLUMN {quote(column)}")
        self._rewrite(alterations)
        for item in alterations:
            for before, after in item.converted:
                _convert_column(self.db, item.new.name, before, after)
            self.build_indexes(item.new)

    def _compare(self, old: ObjectDef, new: ObjectDef) -> Alteration:
        wanted, before = dict(all_columns(new, self.admin_id)), dict(all_columns(old, self.admin_id))
        to_compute = {name for name, text in wanted.items() if "GENERATED ALWAYS" in text}
        columns = self.db.execute(f"PRAGMA table_xinfo({quote(new.name)})").fetchall()
        physical = [row[1] for row in columns]
        # What the table has counts, not what `old` would be made to now: an older program may have computed less.
        computed = {row[1] for row in columns if row[6] == _VIRTUAL}
        stored_gone = [name for name in physical if name not in computed and (name not in wanted or name in to_compute)]
        # A computed column takes no place in a row, so it can go and come with the text alone.
        changed = [name for name in physical if name in computed and wanted.get(name) != before.get(name)]
        kept = [name for name in physical if name not in stored_gone and name not in changed]
        return Alteration(
            old=old,
            new=new,
            kept=kept,
            dropped=[*changed, *stored_gone] if stored_gone else (),
            converted=[
                (old.fields[name], field)
                for name, field in new.fields.items()
                if name in old.fields and name in kept and needs_conversion(old.fields[name], field)
            ],
        )

    def _drop_derived(self, item: Alteration) -> None:
        """Drops our indexes that change; all of them, and our triggers, where stored values are touched."""
        everything = bool(item.dropped or item.converted)
        wanted = indexes(item.new)
        rows = self.db.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('trigger', 'index')"
            " AND name LIKE 'orgsync!_%' ESCAPE '!' AND sql IS NOT NULL",
            [item.new.name],
        ).fetchall()
        for kind, name, text in rows:
            if everything or (kind == "index" and wanted.get(name) != text):
                self.db.execute(f'DROP {kind} "{name}"')

    def _rewrite(self, alterations: Sequence[Alteration]) -> None:
        """Puts the right columns and rules into the tables' definitions. Rows stay, even where they break a new rule."""
        db = self.db
        texts = {item.new.name: create_table(item.new, self.admin_id, item.kept) for item in alterations}
        present = dict(db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall())
        changes = [(text, name) for name, text in texts.items() if present[name] != text]
        if not changes:
            return
        (version,) = db.execute("PRAGMA schema_version").fetchone()
        db.execute("PRAGMA writable_schema = ON")
        try:
            db.executemany("UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", changes)
            db.execute(f"PRAGMA schema_version = {version + 1}")
        finally:
            db.execute("PRAGMA writable_schema = RESET")

    def build_indexes(self, obj: ObjectDef) -> None:
        """Makes the indexes of an object's table that are not there. Raises MetadataError where values are not unique."""
        present = {row[1] for row in self.db.execute(f"PRAGMA index_list({quote(obj.name)})")}
        for name, statement in indexes(obj).items():
            if name in present:
                continue
            try:
                self.db.execute(statement)
            except sqlite3.IntegrityError as error:
                raise MetadataError(
                    f"{obj.name} has records that share a value which is to be unique: {error}",
                    where=self.label,
                    hint="find them with: orgsync org check, and clear the duplicates first",
                ) from error


def _convert_column(db: sqlite3.Connection, object_name: str, old: FieldDef, new: FieldDef) -> None:
    """Carries the values of a column over to the field's new type; those without a meaning there become blank.

    Rules that the new field has and an old value breaks are not asked here: they count from the next change on.
    """
    column = quote(new.name)
    db.create_function("orgsync_convert", 1, converter(old, new), deterministic=True)
    db.execute("PRAGMA ignore_check_constraints = ON")
    try:
        db.execute(f"UPDATE {quote(object_name)} SET {column} = orgsync_convert({column}) WHERE {column} IS NOT NULL")
    finally:
        db.execute("PRAGMA ignore_check_constraints = OFF")
        db.create_function("orgsync_convert", 1, None)
