"""A report as CSV by RFC 4180, in which no cell becomes a formula when a spreadsheet opens it (LOG-4)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from orgsync_reconcile.operations.reports import Result

#: A spreadsheet takes a cell that begins with one of these for a formula; white space before it does not matter.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_lines(result: Result) -> Iterator[str]:
    """The lines, each with its end (CR LF), the heads first. UTF-8 without a mark when written."""
    if result.definition.group_by:
        yield from _written([(result.definition.group_by, *result.orgs, "total")])
        yield from _written(
            (group.key, *(group.counts[org] for org in result.orgs), group.total) for group in result.groups
        )
        return
    columns = result.definition.columns
    yield from _written([columns])
    yield from _written([entry[name] for name in columns] for entry in result.entries)


def _written(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    for row in rows:
        writer.writerow([_harmless(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _harmless(cell: object) -> object:
    """Text that would be a formula gets an apostrophe in front, which spreadsheets take for: this is text."""
    if not isinstance(cell, str):
        return cell
    cell = cell.replace("\0", "")
    return f"'{cell}" if cell.lstrip().startswith(_FORMULA) or cell.startswith(("\t", "\r", "\n")) else cell
