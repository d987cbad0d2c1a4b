"""Altering tables that hold records (ORG-4): what changed is told to the server, records stay as they are.

A rule that older records break is added without looking at them: it counts from the next change on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orgsync_reconcile.errors import MetadataError
from orgsync_reconcile.model.schema import FieldDef, ObjectDef
from orgsync_reconcile.stores.postgres.database import PostgresDatabase
from orgsync_reconcile.stores.postgres.names import quote_ours
from orgsync_reconcile.stores.postgres.refusals import REFUSED
from orgsync_reconcile.stores.postgres.tables import column_definitions, column_type, constraints, indexes
from orgsync_reconcile.stores.postgres.triggers import Setting
from orgsync_reconcile.stores.retype import converter, needs_conversion
from orgsync_reconcile.stores.sql.layout import ROW
from orgsync_reconcile.stores.sql.text import quote

#: Values that are converted at a time.
_CHUNK = 10_000


class Tables:
    """The tables of an org's schema, as they are brought from one definition to another."""

    def __init__(self, db: PostgresDatabase, label: str, setting: Setting) -> None:
        self.db = db
        self.label = label
        self.setting = setting

    def alter(self, old: ObjectDef, new: ObjectDef) -> None:
        """Brings one table to its new definition, with its indexes. Triggers that touched its values are the caller's.

        Inside a transaction. Raises MetadataError where the records break a new uniqueness.
        """
        table = self.setting.ours(new.name)
        wanted, present = self._columns(new), self._columns(old)
        retyped = [
            (old.fields[name], field)
            for name, field in new.fields.items()
            if name in old.fields and column_type(old.fields[name]) != column_type(field)
        ]
        for name in self._stale_constraints(old, new):
            self.db.run(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {quote_ours(name)}")
        for before, after in retyped:
            self._retype(new.name, before, after)
        changes = [f"DROP COLUMN {quote(name)}" for name in present if name not in wanted]
        changes += [f"ADD COLUMN {text}" for name, text in wanted.items() if name not in present]
        # Other defaults and the like; a column that was retyped has been made anew.
        made = {name for _, after in retyped for name in after.columns}
        for name, text in wanted.items():
            if name in present and name not in made and present[name] != text:
                changes.extend(_column_changes(name, text))
        if changes:
            self.db.run(f"ALTER TABLE {table} {', '.join(changes)}")
        there = self._constraints_there(new.name)
        for name, test in self._constraints(new).items():
            if name not in there:
                self.db.run(f"ALTER TABLE {table} ADD CONSTRAINT {quote_ours(name)} CHECK ({test}) NOT VALID")
        self.build_indexes(new)

    def build_indexes(self, obj: ObjectDef) -> None:
        """Makes an object's indexes what they should be. Raises MetadataError where values are not unique."""
        wanted = indexes(obj, self.setting.schema)
        present = self._indexes_there(obj.name)
        for name in present:
            if present[name] != wanted.get(name):
                self.db.run(f"DROP INDEX {self.setting.ours(name)}")
        for name, statement in wanted.items():
            if present.get(name) == statement:
                continue
            try:
                self.db.run(statement)
            except REFUSED as error:
                raise MetadataError(
                    f"{obj.name} has records that share a value which is to be unique: {error}",
                    where=self.label,
                    hint="find them with: orgsync org check, and clear the duplicates first",
                ) from error
            # The server shows a statement in words of its own; ours is kept beside the index.
            self.db.run(f"COMMENT ON INDEX {self.setting.ours(name)} IS $orgsync_mark${statement}$orgsync_mark$")

    def drop_indexes(self, object_name: str) -> None:
        """Drops our indexes of a table."""
        for name in self._indexes_there(object_name):
            self.db.run(f"DROP INDEX {self.setting.ours(name)}")

    def _columns(self, obj: ObjectDef) -> dict[str, str]:
        found: dict[str, str] = {}
        for field in obj.fields.values():
            found.update(column_definitions(field, self.setting.admin_id))
        return found

    def _constraints(self, obj: ObjectDef) -> dict[str, str]:
        found: dict[str, str] = {}
        for field in obj.fields.values():
            found.update(constraints(field))
        return found

    def _stale_constraints(self, old: ObjectDef, new: ObjectDef) -> Iterator[str]:
        wanted = self._constraints(new)
        retyped = {
            name
            for field in new.fields.values()
            if field.name in old.fields and column_type(old.fields[field.name]) != column_type(field)
            for name in constraints(old.fields[field.name])
        }
        for name, test in self._constraints(old).items():
            if wanted.get(name) != test or name in retyped:
                yield name

    def _retype(self, object_name: str, old: FieldDef, new: FieldDef) -> None:
        """Makes a column anew in its other type, with the values carried over; those without a meaning become blank."""
        table, column = self.setting.ours(object_name), quote(new.name)
        for statement in self._drop_column_indexes(object_name, new.name):
            self.db.run(statement)
        (definition,) = column_definitions(new, self.setting.admin_id).values()
        aside = quote_ours(f"{new.name[:50]} before")
        self.db.run(f"ALTER TABLE {table} RENAME COLUMN {column} TO {aside}")
        self.db.run(f"ALTER TABLE {table} ADD COLUMN {definition}")
        if needs_conversion(old, new):
            self._convert(table, column, aside, old, new)
        else:
            self.db.run(f"UPDATE {table} SET {column} = {aside}::{column_type(new)} WHERE {aside} IS NOT NULL")
        self.db.run(f"ALTER TABLE {table} DROP COLUMN {aside}")

    def _convert(self, table: str, column: str, aside: str, old: FieldDef, new: FieldDef) -> None:
        convert = converter(old, new)
        given = self.db.dialect.given(new)
        low = 0
        while rows := self.db.execute(
            f"SELECT {ROW}, {aside} FROM {table} WHERE {aside} IS NOT NULL AND {ROW} > ? ORDER BY {ROW} LIMIT {_CHUNK}",
            [low],
        ).fetchall():
            low = rows[-1][0]
            self.db.executemany(
                f"UPDATE {table} SET {column} = {given} WHERE {ROW} = ?",
                [(convert(value), number) for number, value in rows],
            )

    def _drop_column_indexes(self, object_name: str, column: str) -> Iterator[str]:
        for name, statement in self._indexes_there(object_name).items():
            if quote(column) in statement:
                yield f"DROP INDEX {self.setting.ours(name)}"

    def _indexes_there(self, object_name: str) -> Mapping[str, str]:
        """Index name -> the statement that made it, of our indexes on a table."""
        rows = self.db.execute(
            "SELECT i.relname, coalesce(obj_description(i.oid, 'pg_class'), '') FROM pg_index AS x"
            " JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_class AS c ON c.oid = x.indrelid"
            " JOIN pg_namespace AS s ON s.oid = c.relnamespace WHERE s.nspname = ? AND c.relname = ?"
            " AND i.relname LIKE 'orgsync!_%' ESCAPE '!'",
            [self.setting.schema, object_name],
        )
        return {str(name): str(statement) for name, statement in rows}

    def _constraints_there(self, object_name: str) -> set[str]:
        rows = self.db.execute(
            "SELECT k.conname FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid"
            " JOIN pg_namespace AS s ON s.oid = c.relnamespace WHERE s.nspname = ? AND c.relname = ?",
            [self.setting.schema, object_name],
        )
        return {str(row[0]) for row in rows}


def _column_changes(name: str, definition: str) -> Iterator[str]:
    """What brings a column of the right type to its other default."""
    column = quote(name)
    _, has, rest = definition.partition(" DEFAULT ")
    default = rest.removesuffix(" NOT NULL")
    yield f"ALTER COLUMN {column} SET DEFAULT {default}" if has else f"ALTER COLUMN {column} DROP DEFAULT"
