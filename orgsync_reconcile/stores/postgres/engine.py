"""The tables and triggers of an org's schema."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from typing_extensions import override

from orgsync_reconcile.model.schema import FieldDef, ObjectDef
from orgsync_reconcile.stores.postgres.alter import Tables
from orgsync_reconcile.stores.postgres.capture import SUPPRESSED
from orgsync_reconcile.stores.postgres.database import PostgresDatabase
from orgsync_reconcile.stores.postgres.formulas import translate
from orgsync_reconcile.stores.postgres.names import fitted, quote_ours
from orgsync_reconcile.stores.postgres.tables import create_table
from orgsync_reconcile.stores.postgres.trigger import Setting, definition, function
from orgsync_reconcile.stores.postgres.trigger_rows import OURS, TRIGGERS, drop_triggers, made_from
from orgsync_reconcile.stores.postgres.triggers import object_triggers
from orgsync_reconcile.stores.sql.engine import Engine
from orgsync_reconcile.stores.sql.layout import Wanted


class PostgresEngine(Engine):
    """`code` and `admin_id` are the org's, whose triggers hold them."""

    def __init__(self, db: PostgresDatabase, label: str, *, code: str, admin_id: str) -> None:
        self._db = db
        self._setting = Setting(schema=db.schema, code=code, admin_id=admin_id)
        self._tables = Tables(db, label, self._setting)

    @override
    def create_table(self, obj: ObjectDef) -> None:
        statements = create_table(obj, schema=self._db.schema, code=self._setting.code, admin_id=self._setting.admin_id)
        self._db.run(";\n".join(statements))
        self._tables.build_indexes(obj)

    @override
    def alter_tables(self, pairs: Sequence[tuple[ObjectDef, ObjectDef]]) -> None:
        for old, new in pairs:
            self._tables.alter(old, new)

    @override
    def drop_derived(self, object_name: str) -> None:
        self._tables.drop_derived(object_name)

    @override
    def set_triggers(self, wanted: Sequence[tuple[ObjectDef, Wanted]]) -> None:
        for obj, item in wanted:
            self._set_triggers(obj, item)

    def _set_triggers(self, obj: ObjectDef, wanted: Wanted) -> None:
        triggers = object_triggers(obj, wanted, self._setting)
        present = made_from(self._db, self._setting, obj.name)
        drop_triggers(self._db, self._setting, obj.name, [name for name in present if name not in triggers])
        statements: list[str] = []
        for name, trigger in triggers.items():
            made, attached = function(trigger, self._setting), definition(obj, trigger, self._setting)
            # What a trigger was made from is kept beside it, since the server shows it in words of its own.
            mark = f"{made}\n{attached}"
            if present.get(name) != mark:
                kept = f"$orgsync_mark${mark}$orgsync_mark$"
                table = self._setting.ours(obj.name)
                statements += [made, attached, f"COMMENT ON TRIGGER {quote_ours(name)} ON {table} IS {kept}"]
        if statements:
            self._db.run(";\n".join(statements))

    @override
    def own_triggers(self) -> Iterable[tuple[str, str]]:
        rows = self._db.execute(f"SELECT c.relname, t.tgname {TRIGGERS} AND NOT {OURS}", [self._db.schema])
        return [(str(table), str(name)) for table, name in rows]

    @override
    def leaves_out_ours(self, object_name: str) -> bool:
        found = self._db.execute(
            f"SELECT 1 {TRIGGERS} AND t.tgname = ? AND strpos(p.prosrc, ?) > 0",
            [self._db.schema, fitted(f"orgsync_{object_name}_capture_insert"), SUPPRESSED],
        )
        return found.fetchone() is not None

    @override
    def computes(self, field: FieldDef, obj: ObjectDef) -> bool:
        return translate(field, obj) is not None

    @override
    def mask_width(self) -> int:
        row = self._db.execute(
            "SELECT count(*) FROM pg_attribute WHERE attrelid = 'orgsync_change'::regclass AND attname ~ '^m[0-9]+$'"
            " AND NOT attisdropped"
        ).fetchone()
        return int(row[0]) if row else 0
