"""Altering tables that hold records (ORG-4): what changed is told to the server, records stay as they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from orgsync_reconcile.errors import MetadataError
from orgsync_reconcile.model.schema import FieldDef, ObjectDef
from orgsync_reconcile.stores.postgres import rules
from orgsync_reconcile.stores.postgres.database import PostgresDatabase
from orgsync_reconcile.stores.postgres.dialect import ENGINE_HALF
from orgsync_reconcile.stores.postgres.names import quote_ours
from orgsync_reconcile.stores.postgres.refusals import REFUSED
from orgsync_reconcile.stores.postgres.retyping import can_carry, is_retyped, retype
from orgsync_reconcile.stores.postgres.tables import (
    COMPUTED,
    column_default,
    counter,
    engine_counter,
    indexes,
    table_columns,
)
from orgsync_reconcile.stores.postgres.trigger import Setting
from orgsync_reconcile.stores.postgres.trigger_rows import drop_triggers
from orgsync_reconcile.stores.sql.text import quote


class Tables:
    """The tables of an org's schema, as they are brought from one definition to another."""

    def __init__(self, db: PostgresDatabase, label: str, setting: Setting) -> None:
        self.db = db
        self.label = label
        self.setting = setting
        self.rules = rules.Rules(db, setting)

    def alter(self, old: ObjectDef, new: ObjectDef) -> None:
        """Brings one table to its new definition, with its indexes and rules.

        Triggers of ours on a table whose columns are touched are gone afterwards. Inside a transaction. Raises
        MetadataError where the records break a new uniqueness, and passes the server's errors through.
        """
        table, admin = self.setting.ours(new.name), self.setting.admin_id
        before, wanted = table_columns(old, admin), table_columns(new, admin)
        # What the table has counts, not what `old` would be made to now: an older program may have computed less.
        there = self._columns_there(new.name)
        present = [name for name in before if name in there]
        anew = {name for name in present if name in wanted and _begins_anew(there[name], before[name], wanted[name])}
        kept = [(old.fields[name], field) for name, field in new.fields.items() if self._stays(name, old, field, anew)]
        retyped = [(was, field) for was, field in kept if is_retyped(was, field)]
        anew.update(field.name for was, field in retyped if not can_carry(was, field))
        retyped = [(was, field) for was, field in retyped if field.name not in anew]
        touched = {name for name in present if name not in wanted or name in anew} | {f.name for _, f in retyped}
        # What is computed from a column that is touched gives way to it.
        anew.update(name for name in present if name in wanted and there[name] and _mentions(before[name], touched))
        touched |= anew
        self.rules.drop(new.name, rules.changed(old, new) | rules.of_fields(old, touched))
        if touched:
            drop_triggers(self.db, self.setting, new.name)
            self._drop_indexes_on(new.name, touched)
        gone = [name for name in present if name not in wanted or name in anew]
        computed = [name for name in gone if there[name]]
        for names in (computed, [name for name in gone if name not in computed]):
            self._change(table, (f"DROP COLUMN {quote(name)}" for name in names))
        for was, field in retyped:
            retype(self.db, table, was, field)
        stored = {name for name in present if name not in gone}
        missing = {name: text for name, text in wanted.items() if name not in stored}
        for last in (False, True):
            self._change(table, (f"ADD COLUMN {t}" for t in missing.values() if (f" {COMPUTED} " in t) is last))
        self._change(table, self._defaults(kept, stored, {field.name for _, field in retyped}))
        self._adopt_counters(new.name)
        self.rules.add_missing(new)
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
            # The server shows a statement in words of its own; ours is kept beside the index.
            mark = f"COMMENT ON INDEX {self.setting.ours(name)} IS $orgsync_mark${statement}$orgsync_mark$"
            try:
                self.db.run(f"{statement}; {mark}")
            except REFUSED as error:
                raise MetadataError(
                    f"{obj.name} has records that share a value which is to be unique: {error.args[0].splitlines()[0]}",
                    where=self.label,
                    hint="find them with: orgsync org check, and clear the duplicates first",
                ) from error

    def drop_derived(self, object_name: str) -> None:
        """Drops our triggers, rules and indexes of a table."""
        drop_triggers(self.db, self.setting, object_name)
        self.rules.drop_all(object_name)
        for name in self._indexes_there(object_name):
            self.db.run(f"DROP INDEX {self.setting.ours(name)}")

    def _stays(self, name: str, old: ObjectDef, field: FieldDef, anew: Collection[str]) -> bool:
        """Whether a field keeps its one column."""
        return name in old.fields and name not in anew and old.fields[name].columns == field.columns == (name,)

    def _change(self, table: str, changes: Iterable[str]) -> None:
        parts = list(changes)
        if parts:
            self.db.run(f"ALTER TABLE {table} {', '.join(parts)}")

    def _defaults(
        self, kept: Iterable[tuple[FieldDef, FieldDef]], stored: Collection[str], retyped: Collection[str]
    ) -> Iterator[str]:
        admin = self.setting.admin_id
        for was, field in kept:
            default = column_default(field, admin)
            if field.name in stored and (field.name in retyped or default != column_default(was, admin)):
                change = "DROP DEFAULT" if default is None else f"SET DEFAULT {default}"
                yield f"ALTER COLUMN {quote(field.name)} {change}"

    def _adopt_counters(self, object_name: str) -> None:
        """Names a table's counters after its object, which may have been renamed."""
        rows = self.db.execute(
            "SELECT q.relname, p.seqmin FROM pg_depend AS d JOIN pg_class AS q ON q.oid = d.objid"
            " JOIN pg_sequence AS p ON p.seqrelid = q.oid JOIN pg_class AS c ON c.oid = d.refobjid"
            " JOIN pg_namespace AS s ON s.oid = c.relnamespace WHERE s.nspname = ? AND c.relname = ? AND d.deptype = 'a'",
            [self.setting.schema, object_name],
        ).fetchall()
        for name, lowest in rows:
            wanted = engine_counter(object_name) if int(lowest) == ENGINE_HALF else counter(object_name)
            if name != wanted:
                self.db.run(f"ALTER SEQUENCE {self.setting.ours(name)} RENAME TO {quote_ours(wanted)}")

    def _drop_indexes_on(self, object_name: str, columns: Iterable[str]) -> None:
        for name, statement in self._indexes_there(object_name).items():
            if _mentions(statement, columns):
                self.db.run(f"DROP INDEX {self.setting.ours(name)}")

    def _columns_there(self, object_name: str) -> dict[str, bool]:
        """Column -> whether the server computes it."""
        rows = self.db.execute(
            "SELECT a.attname, a.attgenerated <> '' FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid"
            " JOIN pg_namespace AS s ON s.oid = c.relnamespace"
            " WHERE s.nspname = ? AND c.relname = ? AND a.attnum > 0 AND NOT a.attisdropped",
            [self.setting.schema, object_name],
        )
        return {str(name): bool(computed) for name, computed in rows}

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


def _begins_anew(computed: bool, before: str, wanted: str) -> bool:
    """Whether a column that stays is dropped and made again, without its values: it is computed, or was."""
    to_compute = f" {COMPUTED} " in wanted
    return computed != to_compute or (computed and before != wanted)


def _mentions(text: str, columns: Iterable[str]) -> bool:
    return any(quote(name) in text for name in columns)
