"""SQLite's words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from typing_extensions import override

from orgsync_reconcile.catalog.ids import checksum18
from orgsync_reconcile.model.schema import SCALED, FieldDef, FieldType
from orgsync_reconcile.stores.sql.dialect import Dialect
from orgsync_reconcile.stores.sql.text import commas, literal


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
    def auto_number_text(self, display_format: str, number: str) -> str:
        parts: list[str] = []
        rest = display_format or "{0}"
        dates = {"YYYY": "%Y", "YY": "%Y", "MM": "%m", "DD": "%d"}
        while rest:
            before, brace, after = rest.partition("{")
            if before:
                parts.append(literal(before))
            if not brace:
                break
            inside, _, rest = after.partition("}")
            if inside in dates:
                text = f"strftime('{dates[inside]}', 'now')"
                parts.append(f"substr({text}, 3)" if inside == "YY" else text)
            else:
                parts.append(f"printf('%0{max(len(inside), 1)}d', {number})")
        return " || ".join(parts)

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
    def moment(self, text: str) -> str:
        return text

    @override
    def milliseconds(self, moment: str) -> str:
        return f"((julianday({moment}) - 2440587.5) * 86400000)"

    @override
    def empty(self, table: str) -> str:
        return f"DELETE FROM temp.{table}"

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
    def index(self, schema: str, table: str, columns: Sequence[str]) -> str:
        # The names of indexes are a schema's, as those of tables are.
        name = "_".join(part for text in (table, *columns) for part in re.findall(r"\w+", text))
        return f"CREATE INDEX {schema}.by_{name} ON {table} ({commas(columns)})"

    @override
    def default_of(self, field: FieldDef) -> str | None:
        if field.type is FieldType.CHECKBOX:
            return "1" if (field.default or "").lower() == "true" else "0"
        if field.default is None or field.type in (FieldType.FORMULA, FieldType.ROLL_UP_SUMMARY, FieldType.AUTO_NUMBER):
            return None
        if field.type in SCALED:
            try:
                return str(int(Decimal(field.default).scaleb(field.scale or 0)))
            except InvalidOperation:
                return None
        return literal(field.default)

    @override
    def given(self, field: FieldDef) -> str:
        return "?"


DIALECT: Final = SqliteDialect()
