"""SQLite's words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from typing_extensions import override

from orgsync_reconcile.catalog.ids import checksum18
from orgsync_reconcile.model.schema import SCALED, FieldDef, FieldType
from orgsync_reconcile.stores.sql.dialect import Dialect
from orgsync_reconcile.stores.sql.sieve import Doubt
from orgsync_reconcile.stores.sql.text import commas

#: What display formats call a part of the date, and what strftime does.
_DATES = {"YYYY": "%Y", "YY": "%Y", "MM": "%m", "DD": "%d"}


class SqliteDialect(Dialect):
    """Times are text, numbers are scaled integers, checkboxes are 0 and 1."""

    now = "strftime('%Y-%m-%dT%H:%M:%fZ','now')"
    now_ms = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
    entry = "seq"
    most_values = 500
    numbers_rows = True
    numbered = "INTEGER PRIMARY KEY"

    @override
    def mint(self, key_prefix: str, code: str, row: str) -> str:
        suffix = checksum18(f"{key_prefix}{code}000000000")
        return f"printf('{key_prefix}{code}%09x{suffix}', {row})"

    @override
    def date_part(self, part: str) -> str:
        text = f"strftime('{_DATES[part]}', 'now')"
        return f"substr({text}, 3)" if part == "YY" else text

    @override
    def padded(self, number: str, width: int) -> str:
        return f"printf('%0{width}d', {number})"

    @override
    def fold(self, text: str) -> str:
        return f"{text} COLLATE NOCASE"

    @override
    def greater(self, one: str, other: str) -> str:
        return f"max({one}, {other})"

    @override
    def json_value(self, column: str, key: str) -> str:
        return f"CAST(json_extract({column}, '$.{key}') AS TEXT)"

    @override
    def whole(self, text: str) -> str:
        return f"CAST({text} AS INTEGER)"

    @override
    def find(self, text: str, part: str) -> str:
        return f"instr({text}, {part})"

    @override
    def doubt(self, kind: str) -> Doubt | None:
        return None

    @override
    def moment(self, text: str) -> str:
        return text

    @override
    def milliseconds(self, moment: str) -> str:
        return f"((julianday({moment}) - 2440587.5) * 86400000)"

    @override
    def column_type(self, field: FieldDef) -> str:
        kind = field.type
        if kind in (FieldType.FORMULA, FieldType.ROLL_UP_SUMMARY) and field.result_type:
            kind = field.result_type
        if kind in SCALED or kind is FieldType.CHECKBOX:
            return "INTEGER"
        if kind is FieldType.GEOLOCATION:
            return "REAL"
        return "BLOB" if kind is FieldType.BASE64 else "TEXT"

    @override
    def among(self, column: str, query: str) -> str:
        return f"{column} IN ({query})"

    @override
    def only(self, table: str, column: str, query: str) -> str:
        # It walks the index for each row of the other table.
        return table

    @override
    def index(self, schema: str, table: str, columns: Sequence[str], *, unique: bool = False) -> str:
        # The names of indexes are a schema's, as those of tables are.
        name = "_".join(part for text in (table, *columns) for part in re.findall(r"\w+", text))
        return f"CREATE {'UNIQUE ' if unique else ''}INDEX {schema}.by_{name} ON {table} ({commas(columns)})"

    @override
    def flag(self, value: bool) -> str:
        return "1" if value else "0"

    @override
    def number(self, value: Decimal, scale: int) -> str:
        return str(int(value.scaleb(scale)))

    @override
    def given(self, field: FieldDef) -> str:
        return "?"


DIALECT: Final = SqliteDialect()
