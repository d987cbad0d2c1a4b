"""Single rows of an org's own objects: inserted under a minted Id, found by a value."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from orgsync_reconcile.model.schema import FieldDef
from orgsync_reconcile.stores.sql.layout import ROW
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.text import commas, quote

_NO_FIELDS: Mapping[str, FieldDef] = MappingProxyType({})


def insert_row(
    org: Org, object_name: str, values: Mapping[str, Any], fields: Mapping[str, FieldDef] = _NO_FIELDS
) -> str:
    """Inserts one record and returns its Id. Inside a transaction; the store's errors pass through (ORG-5).

    `fields` are those of the object; they may be left out where none of the values is a number with decimals.
    """
    marks = commas(_mark(org, name, fields) for name in values)
    given = f"({commas(quote(name) for name in values)}) VALUES ({marks})" if values else "DEFAULT VALUES"
    statement = f"INSERT INTO {quote(object_name)} {given} RETURNING {ROW}"
    ((number,),) = org.db.execute(statement, list(values.values())).fetchall()
    # RETURNING would not show an Id that a trigger mints after the insert.
    row = org.db.execute(f'SELECT "Id" FROM {quote(object_name)} WHERE {ROW} = ?', [number]).fetchone()
    return str(row[0])


def update_row(
    org: Org, object_name: str, record: str, values: Mapping[str, Any], fields: Mapping[str, FieldDef] = _NO_FIELDS
) -> None:
    """Sets columns of one record; `fields` as for `insert_row`. Inside a transaction; the store's errors pass through."""
    if values:
        sets = commas(f"{quote(name)} = {_mark(org, name, fields)}" for name in values)
        org.db.execute(f'UPDATE {quote(object_name)} SET {sets} WHERE "Id" = ?', [*values.values(), record])


def _mark(org: Org, column: str, fields: Mapping[str, FieldDef]) -> str:
    return org.db.dialect.given(fields[column]) if column in fields else "?"
