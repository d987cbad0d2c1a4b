"""Single rows of an org's own objects: inserted under a minted Id, found by a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orgsync_reconcile.stores.sql.layout import ROW
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.text import commas, quote


def insert_row(org: Org, object_name: str, values: Mapping[str, Any]) -> str:
    """Inserts one record and returns its Id. Inside a transaction; the store's errors pass through (ORG-5)."""
    marks = commas("?" for _ in values)
    given = f"({commas(quote(name) for name in values)}) VALUES ({marks})" if values else "DEFAULT VALUES"
    statement = f"INSERT INTO {quote(object_name)} {given} RETURNING {ROW}"
    ((number,),) = org.db.execute(statement, list(values.values())).fetchall()
    # RETURNING would not show an Id that a trigger mints after the insert.
    row = org.db.execute(f'SELECT "Id" FROM {quote(object_name)} WHERE {ROW} = ?', [number]).fetchone()
    return str(row[0])


def update_row(org: Org, object_name: str, record: str, values: Mapping[str, Any]) -> None:
    """Sets columns of one record. Inside a transaction; the store's errors pass through."""
    if values:
        sets = commas(f"{quote(name)} = ?" for name in values)
        org.db.execute(f'UPDATE {quote(object_name)} SET {sets} WHERE "Id" = ?', [*values.values(), record])
