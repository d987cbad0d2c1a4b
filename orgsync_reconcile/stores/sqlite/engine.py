"""The tables and triggers of an org's file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from typing_extensions import override

from orgsync_reconcile.model.schema import FieldDef, ObjectDef
from orgsync_reconcile.stores.sql.engine import Engine
from orgsync_reconcile.stores.sql.layout import Wanted
from orgsync_reconcile.stores.sqlite.alter import Tables
from orgsync_reconcile.stores.sqlite.formulas import translate
from orgsync_reconcile.stores.sqlite.tables import create_table
from orgsync_reconcile.stores.sqlite.trigger_rows import write_triggers
from orgsync_reconcile.stores.sqlite.triggers import SUPPRESSED, object_triggers

#: What tells triggers and indexes of our making, as a condition on sqlite_master.
_OURS = "name LIKE 'orgsync!_%' ESCAPE '!'"


class SqliteEngine(Engine):
    """`code` and `admin_id` are the org's, whose triggers hold them."""

    def __init__(self, db: sqlite3.Connection, label: str, *, code: str, admin_id: str) -> None:
        self._db = db
        self._tables = Tables(db, label, admin_id)
        self._code = code
        self._admin_id = admin_id

    @override
    def create_table(self, obj: ObjectDef) -> None:
        self._db.execute(create_table(obj, self._admin_id))
        self._tables.build_indexes(obj)

    @override
    def alter_tables(self, pairs: Sequence[tuple[ObjectDef, ObjectDef]]) -> None:
        self._tables.alter(pairs)

    @override
    def drop_derived(self, object_name: str) -> None:
        for kind, name in self._db.execute(
            "SELECT type, name FROM main.sqlite_master WHERE tbl_name = ? AND type IN ('trigger', 'index')"
            f" AND {_OURS} AND sql IS NOT NULL",
            [object_name],
        ).fetchall():
            self._db.execute(f'DROP {kind} "{name}"')

    @override
    def set_triggers(self, wanted: Sequence[tuple[ObjectDef, Wanted]]) -> None:
        texts = {obj.name: object_triggers(obj, item, code=self._code, admin_id=self._admin_id) for obj, item in wanted}
        write_triggers(self._db, texts)

    @override
    def own_triggers(self) -> Iterable[tuple[str, str]]:
        return self._db.execute(
            f"SELECT tbl_name, name FROM main.sqlite_master WHERE type = 'trigger' AND NOT {_OURS}"
        ).fetchall()

    @override
    def leaves_out_ours(self, object_name: str) -> bool:
        found = self._db.execute(
            "SELECT 1 FROM main.sqlite_master WHERE type = 'trigger' AND name = ? AND instr(sql, ?)",
            [f"orgsync_{object_name}_capture_insert", SUPPRESSED],
        )
        return found.fetchone() is not None

    @override
    def computes(self, field: FieldDef, obj: ObjectDef) -> bool:
        return translate(field, obj) is not None

    @override
    def mask_width(self) -> int:
        columns = self._db.execute("PRAGMA table_info(orgsync_change)")
        return sum(1 for row in columns if row[1][0] == "m" and row[1][1:].isdigit())
