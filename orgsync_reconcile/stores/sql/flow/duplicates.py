"""New records that the target's duplicate management refuses: they match a record that is there (CON-8)."""

from __future__ import annotations

from collections.abc import Sequence

from orgsync_reconcile.model.schema import SCALED, FieldDef
from orgsync_reconcile.stores.sql.check import blank, comparable
from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.flow.paths import Path
from orgsync_reconcile.stores.sql.text import commas, quote


def find_duplicates(db: Database, path: Path) -> dict[int, str]:
    """Row of temp.todo -> the field of the rule that it breaks, by the target's rules or among the rows themselves."""
    flowing = {column.name for column in path.columns}
    found: dict[int, str] = {}
    for key in path.unlike:
        if key[0].name in flowing:
            for (number,) in _matches(db, path, key, flowing):
                found.setdefault(number, key[0].name)
    return found


def _compared(db: Database, field: FieldDef, value: str) -> str:
    """A value of temp.candidate, which is `comparable` already, in the words of its index."""
    return value if field.type in SCALED or field.case_sensitive else db.dialect.fold(value)


def _matches(db: Database, path: Path, key: Sequence[FieldDef], flowing: set[str]) -> list[tuple[int]]:
    values = commas(
        comparable(field, f"s.{quote(field.name)}" if field.name in flowing else "NULL", db.dialect) + f" AS k{place}"
        for place, field in enumerate(key)
    )
    first = quote(key[0].name)
    db.execute("DROP TABLE IF EXISTS temp.candidate")
    db.execute(
        f"CREATE TEMP TABLE candidate AS SELECT st.n AS n, {values} FROM temp.todo AS st"
        f' CROSS JOIN partner.{quote(path.object)} AS s ON s."Id" = st.record WHERE NOT ({blank(key[0], f"s.{first}")})'
    )
    db.execute(db.dialect.index("temp", "candidate", [_compared(db, field, f"k{p}") for p, field in enumerate(key)]))
    there = " AND ".join(
        f"{_compared(db, field, f'c.k{p}')} = {comparable(field, 't.' + quote(field.name), db.dialect)}"
        for p, field in enumerate(key)
    )
    among = " AND ".join(
        f"{_compared(db, field, f'c.k{p}')} IS {_compared(db, field, f'o.k{p}')}" for p, field in enumerate(key)
    )
    return db.execute(
        f'SELECT c.n FROM main.{quote(path.object)} AS t CROSS JOIN temp.candidate AS c ON {there} WHERE t."IsDeleted" = FALSE'
        f" UNION SELECT c.n FROM temp.candidate AS c JOIN temp.candidate AS o ON o.n < c.n AND {among}"
    ).fetchall()
