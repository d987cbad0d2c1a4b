"""PostgreSQL's words."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from typing_extensions import override

from orgsync_reconcile.catalog.ids import checksum18
from orgsync_reconcile.model.schema import SCALED, FieldDef, FieldType
from orgsync_reconcile.stores.sql.dialect import Dialect
from orgsync_reconcile.stores.sql.text import literal

#: What display formats call a part of the date, and what to_char does.
_DATES = {"YYYY": "YYYY", "YY": "YY", "MM": "MM", "DD": "DD"}


class PostgresDialect(Dialect):
    """Times are timestamptz, numbers numeric, checkboxes boolean."""

    now = "date_trunc('milliseconds', clock_timestamp())"
    now_ms = "(extract(epoch FROM statement_timestamp()) * 1000)::bigint"
    entry = "n"
    numbers_rows = False

    @override
    def mint(self, key_prefix: str, code: str, row: str) -> str:
        suffix = checksum18(f"{key_prefix}{code}000000000")
        return f"'{key_prefix}{code}' || lpad(to_hex(({row})::bigint), 9, '0') || '{suffix}'"

    @override
    def auto_number_text(self, display_format: str, number: str) -> str:
        parts: list[str] = []
        rest = display_format or "{0}"
        while rest:
            before, brace, after = rest.partition("{")
            if before:
                parts.append(literal(before))
            if not brace:
                break
            inside, _, rest = after.partition("}")
            if inside in _DATES:
                parts.append(f"to_char(timezone('UTC', clock_timestamp()), '{_DATES[inside]}')")
            else:
                text = f"({number})::text"
                parts.append(f"lpad({text}, greatest({max(len(inside), 1)}, char_length({text})), '0')")
        return " || ".join(parts)

    @override
    def fold(self, text: str) -> str:
        return f"lower({text})"

    @override
    def greater(self, one: str, other: str) -> str:
        return f"greatest({one}, {other})"

    @override
    def json_value(self, column: str, key: str) -> str:
        return f"({column}::json ->> '{key}')"

    @override
    def whole(self, text: str) -> str:
        return f"CASE WHEN {text} ~ '^[0-9]{{1,18}}$' THEN CAST({text} AS bigint) ELSE 0 END"

    @override
    def find(self, text: str, part: str) -> str:
        return f"strpos({text}, {part})"

    @override
    def default_of(self, field: FieldDef) -> str | None:
        if field.type is FieldType.CHECKBOX:
            return "true" if (field.default or "").lower() == "true" else "false"
        if field.default is None or field.type in (FieldType.FORMULA, FieldType.ROLL_UP_SUMMARY, FieldType.AUTO_NUMBER):
            return None
        if field.type in SCALED:
            try:
                return str(Decimal(field.default))
            except InvalidOperation:
                return None
        return literal(field.default)

    @override
    def given(self, field: FieldDef) -> str:
        kind = field.result_type if field.result_type is not None else field.type
        if kind not in SCALED:
            return "?"
        return f"(CAST(? AS numeric) / {10**field.scale})" if field.scale else "?"


DIALECT: Final = PostgresDialect()
