"""The tables and triggers of an org's schema."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from typing_extensions import override

from orgsync_reconcile.model.schema import FieldDef, ObjectDef
from orgsync_reconcile.stores.postgres.alter import Tables
from orgsync_reconcile.stores.postgres.database import PostgresDatabase
from orgsync_reconcile.stores.postgres.names import fitted, quote_ours
from orgsync_reconcile.stores.postgres.tables import create_table
from orgsync_reconcile.stores.postgres.triggers import SUPPRESSED, Setting, definition, function, object_triggers
from orgsync_reconcile.stores.sql.engine import Engine
from orgsync_reconcile.stores.sql.layout import Wanted

#: Triggers of the org's schema: `c` is the table, `t` the trigger, `p` its function.
_TRIGGERS = (
    "FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_namespace AS s ON s.oid = c.relnamespace"
    " JOIN pg_proc AS p ON p.oid = t.tgfoid WHERE s.nspname = ? AND NOT t.tgisinternal"
)
_OURS = "t.tgname LIKE 'orgsync!_%' ESCAPE '!'"


class PostgresEngine(Engine):
    """`code` and `admin_id` are the org's, whose triggers hold them."""

    def __init__(self, db: PostgresDatabase, label: str, *, code: str, admin_id: str) -> None:
        self._db = db
        self._setting = Setting(schema=db.schema, code=code, admin_id=admin_id)
        self._tables = Tables(db, label, self._setting)

    @override
    def create_table(self, obj: ObjectDef) -> None:
        for statement in create_table(
            obj, schema=self._db.schema, code=self._setting.code, admin_id=self._setting.admin_id
        ):
            self._db.run(statement)
        self._tables.build_indexes(obj)

    @override
    def alter_tables(self, pairs: Sequence[tuple[ObjectDef, ObjectDef]]) -> None:
        for old, new in pairs:
            self._tables.alter(old, new)

    @override
    def drop_derived(self, object_name: str) -> None:
        self._drop_triggers(object_name, [name for name, _, _ in self._present(object_name)])
        self._tables.drop_indexes(object_name)

    @override
    def set_triggers(self, wanted: Sequence[tuple[ObjectDef, Wanted]]) -> None:
        for obj, item in wanted:
            self._set_triggers(obj, item)

    def _set_triggers(self, obj: ObjectDef, wanted: Wanted) -> None:
        triggers = object_triggers(obj, wanted, self._setting)
        present = {name: (body, text) for name, body, text in self._present(obj.name)}
        self._drop_triggers(obj.name, [name for name in present if name not in triggers])
        for name, trigger in triggers.items():
            made, attached = function(trigger, self._setting), definition(obj, trigger, self._setting)
            # What a trigger was made from is kept beside it, since the server shows it in words of its own.
            mark = f"{made}\n{attached}"
            if present.get(name, ("", ""))[1] == mark:
                continue
            self._db.run(made)
            self._db.run(attached)
            table = self._setting.ours(obj.name)
            self._db.run(f"COMMENT ON TRIGGER {quote_ours(name)} ON {table} IS {_dollar(mark)}")

    @override
    def own_triggers(self) -> Iterable[tuple[str, str]]:
        rows = self._db.execute(f"SELECT c.relname, t.tgname {_TRIGGERS} AND NOT {_OURS}", [self._db.schema])
        return [(str(table), str(name)) for table, name in rows]

    @override
    def leaves_out_ours(self, object_name: str) -> bool:
        found = self._db.execute(
            f"SELECT 1 {_TRIGGERS} AND t.tgname = ? AND strpos(p.prosrc, ?) > 0",
            [self._db.schema, fitted(f"orgsync_{object_name}_capture_insert"), SUPPRESSED],
        )
        return found.fetchone() is not None

    @override
    def computes(self, field: FieldDef, obj: ObjectDef) -> bool:
        return False

    @override
    def mask_width(self) -> int:
        row = self._db.execute(
            "SELECT count(*) FROM information_schema.columns WHERE table_schema = ? AND table_name = 'orgsync_change'"
            " AND column_name ~ '^m[0-9]+$'",
            [self._db.schema],
        ).fetchone()
        return int(row[0]) if row else 0

    def _present(self, object_name: str) -> list[tuple[str, str, str]]:
        """(name, function's body, what it was made from) of our triggers on a table."""
        rows = self._db.execute(
            f"SELECT t.tgname, p.prosrc, obj_description(t.oid, 'pg_trigger') {_TRIGGERS} AND c.relname = ? AND {_OURS}",
            [self._db.schema, object_name],
        )
        return [(str(name), str(body), str(text)) for name, body, text in rows]

    def _drop_triggers(self, object_name: str, names: Iterable[str]) -> None:
        for name in names:
            self._db.run(f"DROP TRIGGER {quote_ours(name)} ON {self._setting.ours(object_name)}")
            self._db.run(f"DROP FUNCTION {self._setting.ours(name)}()")


def _dollar(text: str) -> str:
    """Text that itself holds quotes and dollars, as a literal."""
    return f"$orgsync_mark${text}$orgsync_mark$"
