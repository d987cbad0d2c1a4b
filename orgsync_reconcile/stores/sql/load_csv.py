"""Rows of CSV files into a table, in chunks, so that memory stays flat whatever the size of the file (ORG-8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from orgsync_reconcile.errors import MetadataError, RecordError
from orgsync_reconcile.importers import TreeRecord, read_csv
from orgsync_reconcile.stores.faults import refusals
from orgsync_reconcile.stores.sql.load_columns import Columns, Convert, Tables
from orgsync_reconcile.stores.sql.load_report import Tally
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.savepoint import savepoint

#: Rows per chunk: enough to make the statement's start cheap, few enough to try one by one when the set is refused.
CHUNK = 2000


def load_csv(org: Org, path: Path, tables: Tables, ids: Mapping[str, str], tally: Tally) -> None:
    """Inserts the rows of `Object.csv`; `ids` are the records of trees by reference. Inside a transaction.

    Names that the object does not have keep the whole file out; refused rows go to the tally, at their lines.
    """
    rows = _stream(path, tally)
    first = next(rows, None)
    try:
        columns = tables.of(path.stem)
    except RecordError as error:
        tally.file_problem(path, error)
        return
    if first is None:
        return
    plan = _plan(path, first, columns, ids, tally)
    if plan is None:
        return
    statement, converters = plan
    chunk: list[tuple[TreeRecord, list[Any]]] = []
    record: TreeRecord | None = first
    while record is not None:
        chunk = [*_converted(record, converters, tally)]
        for record in islice(rows, CHUNK - 1):
            chunk.extend(_converted(record, converters, tally))
        _insert(org, path.stem, statement, chunk, tally)
        record = next(rows, None)


def _stream(path: Path, tally: Tally) -> Iterator[TreeRecord]:
    """The rows; a file that breaks off is told of, and ends there."""
    try:
        yield from read_csv(path)
    except MetadataError as error:
        tally.file_problem(path, error)


def _plan(
    path: Path, first: TreeRecord, columns: Columns, ids: Mapping[str, str], tally: Tally
) -> tuple[str, list[tuple[str, Convert]]] | None:
    """The INSERT, and (name in the file, how its values are converted) in the order of the marks; None: cannot be."""
    names: dict[str, str] = {}
    before = len(tally.problems)
    for name in first.values:
        try:
            column = columns.column(name)
            if column in names:
                raise RecordError(f"{name} and {names[column]} both fill {column}", hint="leave one of them out")
            names[column] = name
        except RecordError as error:
            tally.note(str(path), str(error), 1)
    if len(tally.problems) > before:
        return None
    converters = [(name, _converter(columns, column, ids)) for column, name in names.items()]
    return columns.insert_statement(names), converters


def _converter(columns: Columns, column: str, ids: Mapping[str, str]) -> Convert:
    convert: Callable[[Any], Any] = columns.converter(column)
    if not columns.is_reference(column) or not ids:
        return convert

    def referring(value: Any) -> Any:
        if not value.startswith("@"):
            return convert(value)
        if value[1:] not in ids:
            raise RecordError(
                f"INVALID_CROSS_REFERENCE_KEY: {column}: no loaded record has the reference {value}",
                code="INVALID_CROSS_REFERENCE_KEY",
                hint="load that file as well",
            )
        return ids[value[1:]]

    return referring


def _converted(
    record: TreeRecord, converters: list[tuple[str, Convert]], tally: Tally
) -> Iterator[tuple[TreeRecord, list[Any]]]:
    """The row with its stored values, or nothing where a value is refused."""
    values = record.values
    try:
        yield record, [convert(values[name]) for name, convert in converters]
    except RecordError as error:
        tally.refuse(record, error)


def _insert(org: Org, name: str, statement: str, chunk: list[tuple[TreeRecord, list[Any]]], tally: Tally) -> None:
    """Inserts a chunk as a set; where that is refused, row by row, so that only the bad ones stay out."""
    db = org.db
    try:
        with savepoint(org):
            db.executemany(statement, (values for _, values in chunk))
        tally.add(name, len(chunk))
    except refusals():
        for record, values in chunk:
            try:
                with savepoint(org):
                    db.execute(statement, values)
                tally.add(name)
            except refusals() as error:
                tally.refuse(record, error)
