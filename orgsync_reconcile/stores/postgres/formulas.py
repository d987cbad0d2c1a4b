"""PostgreSQL's words for formulas: columns hold numbers with their point, and computed columns are stored.

A computed column may hold nothing but what is the same whenever and wherever it is computed.
"""

from __future__ import annotations

from typing_extensions import override

from orgsync_reconcile.model.schema import FieldDef, ObjectDef
from orgsync_reconcile.stores.postgres.dialect import scaled_down
from orgsync_reconcile.stores.sql import formulas
from orgsync_reconcile.stores.sql.text import literal

#: From here on a binary fraction of 64 bits has no digits after the point.
_WHOLE = 1 << 52


class _Words(formulas.Words):
    same = "IS NOT DISTINCT FROM"
    differs = "IS DISTINCT FROM"

    @override
    def number(self, column: str, scale: int) -> str:
        # By way of the whole number, so that not even the last bit differs from stores that hold that one.
        return f"(({column} * {10**scale})::float8 / {10**scale}::float8)" if scale else f"{column}::float8"

    @override
    def text(self, value: str) -> str:
        return f'{literal(value)}::text COLLATE "C"'

    @override
    def length(self, text: str) -> str:
        return f"char_length({text})::float8"

    @override
    def rounded(self, number: str, scale: int) -> str:
        moved = f"({number} * {10**scale}::float8)"
        # round() would take halves to the even side, and a cast to numeric keeps 15 digits.
        away = f"trunc({moved} + CASE WHEN {moved} < 0 THEN -0.5 ELSE 0.5 END)"
        near = f"CASE WHEN abs({moved}) < {_WHOLE} THEN {away} ELSE {moved} END"
        return f"CASE WHEN abs({moved}) < 1e18 THEN {scaled_down(f'({near})::bigint::numeric', scale)} END"


_WORDS = _Words()


def translate(field: FieldDef, obj: ObjectDef) -> str | None:
    """The formula as PostgreSQL computes it; None where it cannot (ORG-4)."""
    return formulas.translate(field, obj, _WORDS)
