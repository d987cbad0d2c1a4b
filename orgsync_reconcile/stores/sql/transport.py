"""Rows on their way from one org's session to another's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.text import commas

#: Rows that are in memory at once, and rows with files, of which one alone may be large.
CHUNK = 1000
LARGE_CHUNK = 1


def copy_rows(
    source: Database,
    sql: str,
    parameters: Sequence[object],
    target: Database,
    table: str,
    columns: Mapping[str, str],
    *,
    chunk: int = CHUNK,
) -> None:
    """Copies what a query finds in one session into a table of another; rows that are there already stay as they are.

    `columns` are the table's, as quoted names, in the order of the query, each with the mark that stands for a value of
    it: `?`, or what makes one of it. At most `chunk` rows are in memory at once.
    """
    insert = f"INSERT OR IGNORE INTO {table} ({commas(columns)}) VALUES ({commas(columns.values())})"
    rows = iter(source.execute(sql, parameters))
    while part := list(islice(rows, chunk)):
        target.executemany(insert, part)
