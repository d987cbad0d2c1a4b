"""Records from files: sObject trees, their plan files and CSV, with values as the file has them (ORG-8)."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from orgsync_reconcile.errors import MetadataError, UsageError

#: A file's format, as `detect` tells it.
Format = Literal["tree", "plan", "csv"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeRecord:
    """One record as a file has it. Values are raw: text, numbers (Decimal where they have a point), booleans, None.

    A value `@Name` of a reference field names another record of the same load.
    """

    object: str
    values: Mapping[str, Any]
    #: The name by which other records refer to this one; made up, and unique, where the file gives none.
    reference: str
    #: The file as it was named.
    file: str
    #: CSV: the line on which the record starts. Trees: its place in the file, counted from 1 in document order.
    line: int
    #: The reference of the record in whose list this one stands, and the list's relationship name.
    parent: str = ""
    relationship: str = ""

    @property
    def where(self) -> str:
        """The place for messages."""
        if self.file.lower().endswith(".csv"):
            return f"{self.file}:{self.line}"
        return f"{self.file}: record {self.line} ({self.reference})"


def detect(path: Path) -> Format:
    """The format of a file of records, by suffix and shape. Raises UsageError or MetadataError where it is none."""
    if path.suffix.lower() == ".csv":
        _existing(path)
        return "csv"
    data = _load_json(path)
    if isinstance(data, dict) and isinstance(data.get("records"), list):
        return "tree"
    if isinstance(data, list) and data and all(isinstance(item, dict) and "sobject" in item for item in data):
        return "plan"
    raise MetadataError(
        "neither an sObject tree nor a plan of trees",
        hint='a tree is {"records": […]}, a plan is [{"sobject": …, "files": […]}]',
        where=str(path),
    )


def read_plan(path: Path) -> list[tuple[str, list[Path]]]:
    """A plan file as (object, tree files) in the plan's order; files are beside the plan.

    Raises MetadataError for an entry that is incomplete and for files that are missing, all of them at once.
    """
    data = _load_json(path)
    entries: list[tuple[str, list[Path]]] = []
    problems: list[str] = []
    for number, item in enumerate(data if isinstance(data, list) else [None], start=1):
        sobject = item.get("sobject") if isinstance(item, dict) else None
        names = item.get("files") if isinstance(item, dict) else None
        if not isinstance(sobject, str) or not isinstance(names, list) or not all(isinstance(n, str) for n in names):
            problems.append(f"entry {number} needs an sobject and a list of files")
            continue
        files = [path.parent / name for name in names]
        problems += [f"entry {number}: no such file: {item}" for item in files if not item.is_file()]
        entries.append((sobject, files))
    if problems:
        raise MetadataError("; ".join(problems), hint="correct the plan file", where=str(path))
    return entries


def read_tree(path: Path) -> list[TreeRecord]:
    """The records of an sObject tree file, parents before the records nested in them, in document order.

    Raises MetadataError for what is no tree, with the record's place.
    """
    data = _load_json(path)
    records = data.get("records") if isinstance(data, dict) else None
    if not isinstance(records, list):
        raise MetadataError("no sObject tree", hint='it needs a list under "records"', where=str(path))
    reader = _TreeReader(file=str(path))
    try:
        reader.read_list(records, parent="", relationship="")
    except RecursionError:
        raise MetadataError("records are nested too deep", hint="split the file", where=str(path)) from None
    return reader.found


@dataclass(kw_only=True, slots=True)
class _TreeReader:
    """Walks a tree, parents first."""

    file: str
    found: list[TreeRecord] = field(default_factory=list)

    def read_list(self, items: list[Any], *, parent: str, relationship: str) -> None:
        for item in items:
            self._read(item, parent, relationship)

    def _read(self, item: Any, parent: str, relationship: str) -> None:
        number = len(self.found) + 1
        attributes = item.get("attributes") if isinstance(item, dict) else None
        sobject = attributes.get("type") if isinstance(attributes, dict) else None
        if not isinstance(sobject, str) or not isinstance(attributes, dict):
            raise MetadataError(
                f"record {number} does not say its object",
                hint='it needs {"attributes": {"type": …, "referenceId": …}}',
                where=self.file,
            )
        reference = str(attributes.get("referenceId") or f"{self.file}#{number}")
        nested = {name: value["records"] for name, value in item.items() if _is_nested(value)}
        values = {name: value for name, value in item.items() if name != "attributes" and name not in nested}
        self.found.append(
            TreeRecord(
                object=sobject,
                values=values,
                reference=reference,
                file=self.file,
                line=number,
                parent=parent,
                relationship=relationship,
            )
        )
        for name, items in nested.items():
            self.read_list(items, parent=reference, relationship=name)


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("records"), list)


def read_csv(path: Path, sobject: str | None = None) -> Iterator[TreeRecord]:
    """The rows of a CSV file, one at a time; the object is the file's name (`Account.csv`) unless given.

    The first row names the fields. A byte order mark is passed over, quoted cells may hold line ends, and rows of
    blanks are left out. Raises MetadataError at `file:line` for bad quoting, bad encoding, or a row whose cells do not
    match the header.
    """
    _existing(path)
    name = sobject or path.stem
    # Files of attachments have cells far beyond the reader's usual limit.
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.reader(stream, strict=True)
        line = 1
        try:
            header = [cell.strip() for cell in next(rows, [])]
            _check_header(header, path)
            line = rows.line_num + 1
            for row in rows:
                if any(row):
                    if len(row) != len(header):
                        raise MetadataError(
                            f"{len(row)} cells under {len(header)} column names",
                            hint="quote cells that hold commas or line ends",
                            where=f"{path}:{line}",
                        )
                    values = dict(zip(header, row, strict=True))
                    yield TreeRecord(object=name, values=values, reference=f"{path}#{line}", file=str(path), line=line)
                line = rows.line_num + 1
        except csv.Error as error:
            hint = "quote cells that hold commas, quotes or line ends"
            raise MetadataError(f"no CSV: {error}", hint=hint, where=f"{path}:{line}") from None
        except UnicodeDecodeError:
            raise MetadataError("not in UTF-8", hint="save the file as UTF-8", where=f"{path}:{line}") from None


def _check_header(header: list[str], path: Path) -> None:
    twice = sorted({cell for cell in header if header.count(cell) > 1})
    if not header or not all(header) or twice:
        problem = f"columns named twice: {', '.join(twice)}" if all(header) and twice else "a column has no name"
        raise MetadataError(problem, hint="the first row names the fields", where=f"{path}:1")


def _existing(path: Path) -> None:
    if not path.is_file():
        raise UsageError(f"no such file: {path}", hint="name an sObject tree, its plan file, or Object.csv")


def _load_json(path: Path) -> Any:
    """A JSON document; numbers with a point as Decimal, so that all their digits survive."""
    _existing(path)
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"), parse_float=Decimal)
    except json.JSONDecodeError as error:
        raise MetadataError(
            f"no JSON: {error.msg}", hint="correct the file", where=f"{path}:{error.lineno}:{error.colno}"
        ) from None
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        raise MetadataError(
            f"no JSON: {type(error).__name__}", hint="save plain JSON as UTF-8", where=str(path)
        ) from None
