"""Carrying a column's values over to another type (ORG-4).

The table is written anew in one go, which is no change of any record: no trigger runs. What each value becomes is
worked out once for each different value, as in every store.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import islice
from typing import Any

from orgsync_reconcile.model.schema import SCALED, FieldDef, FieldType
from orgsync_reconcile.stores.postgres.database import PostgresDatabase
from orgsync_reconcile.stores.postgres.dialect import TEXT
from orgsync_reconcile.stores.postgres.tables import column_type
from orgsync_reconcile.stores.retype import ANY_TEXT, converter, needs_conversion
from orgsync_reconcile.stores.sql.text import quote

#: Different values that are looked at at a time.
_CHUNK = 10_000
_NUMBERS = "numeric("


def can_carry(old: FieldDef, new: FieldDef) -> bool:
    """Whether a column's values mean something in its other type; where not, it begins anew."""
    if needs_conversion(old, new) or column_type(old) == column_type(new):
        return True
    return column_type(old).startswith(_NUMBERS) and column_type(new).startswith(_NUMBERS)


def is_retyped(old: FieldDef, new: FieldDef) -> bool:
    """Whether the stored values, or their type, are to change."""
    if column_type(old) != column_type(new):
        return True
    return needs_conversion(old, new) and not (column_type(old) == TEXT and new.type in ANY_TEXT)


def retype(db: PostgresDatabase, table: str, old: FieldDef, new: FieldDef) -> None:
    """Gives a column its new type; values without a meaning there become blank. Its default is the caller's.

    Inside a transaction, with nothing left that depends on the column.
    """
    column, kind = quote(new.name), column_type(new)
    if needs_conversion(old, new):
        _map(db, table, column, old, new)
        value = f"pg_temp.orgsync_retyped({column}::text)::{kind}"
    else:
        value = f"{column}::{kind}"
    if new.type is FieldType.CHECKBOX:
        value = f"coalesce({value}, false)"
    db.run(
        f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT, ALTER COLUMN {column} DROP NOT NULL,"
        f" ALTER COLUMN {column} TYPE {kind} USING {value}"
    )
    if new.type is FieldType.CHECKBOX:
        db.run(f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")
    db.run("DROP FUNCTION IF EXISTS pg_temp.orgsync_retyped(text); DROP TABLE IF EXISTS pg_temp.orgsync_retyped")


def _map(db: PostgresDatabase, table: str, column: str, old: FieldDef, new: FieldDef) -> None:
    """Makes a function from the text of a former value to that of the new one."""
    db.run("CREATE TEMP TABLE orgsync_retyped (before text, after text)")
    convert = converter(old, new)
    different = f"SELECT {column}::text, {column} FROM {table} WHERE {column} IS NOT NULL GROUP BY 2"
    # Nothing else runs while rows are copied in.
    found = db.stream(different, chunk=_CHUNK)
    while rows := list(islice(found, _CHUNK)):
        with db.connection.cursor().copy("COPY pg_temp.orgsync_retyped FROM STDIN") as copy:
            for text, value in rows:
                copy.write_row((text, _text(convert(value), new)))
    # Values may be longer than what another kind of index takes.
    db.run(
        "CREATE INDEX ON pg_temp.orgsync_retyped USING hash (before);"
        " CREATE FUNCTION pg_temp.orgsync_retyped(given text) RETURNS text LANGUAGE sql STABLE AS"
        " 'SELECT after FROM pg_temp.orgsync_retyped WHERE before = given'"
    )


def _text(value: Any, field: FieldDef) -> str | None:
    if value is None:
        return None
    return str(Decimal(value).scaleb(-(field.scale or 0))) if field.type in SCALED else str(value)
