"""SQLite's words for formulas: columns hold numbers as whole ones, checkboxes as 0 and 1."""

from __future__ import annotations

from typing_extensions import override

from orgsync_reconcile.model.schema import FieldDef, ObjectDef
from orgsync_reconcile.stores.sql import formulas
from orgsync_reconcile.stores.sql.text import literal


class _Words(formulas.Words):
    same = "IS"
    differs = "IS NOT"

    @override
    def number(self, column: str, scale: int) -> str:
        return f"(CAST({column} AS REAL) / {10**scale}.0)" if scale else f"CAST({column} AS REAL)"

    @override
    def text(self, value: str) -> str:
        return literal(value)

    @override
    def length(self, text: str) -> str:
        return f"CAST(length({text}) AS REAL)"

    @override
    def rounded(self, number: str, scale: int) -> str:
        moved = f"{number} * {10**scale}.0"
        return f"CASE WHEN abs({moved}) < 1e18 THEN CAST(round({moved}) AS INTEGER) END"


_WORDS = _Words()


def translate(field: FieldDef, obj: ObjectDef) -> str | None:
    """The formula as SQLite computes it; None where it cannot (ORG-4)."""
    return formulas.translate(field, obj, _WORDS)
