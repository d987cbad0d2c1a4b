"""Filling an org with records from files: sObject trees, their plans, CSV (ORG-8).

All files of one call are loaded together, in one transaction, so that records can refer to each other across files and
nothing stays half loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orgsync_reconcile.errors import MetadataError
from orgsync_reconcile.importers import ImportProblem, TreeRecord, detect, read_plan, read_tree
from orgsync_reconcile.stores.sql.load_columns import Tables
from orgsync_reconcile.stores.sql.load_csv import load_csv
from orgsync_reconcile.stores.sql.load_report import Tally
from orgsync_reconcile.stores.sql.load_trees import load_trees
from orgsync_reconcile.stores.sql.org import Org


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadReport:
    """What a load did. `failed` counts all refused records, `problems` tells of the first hundred and of files."""

    loaded: Mapping[str, int] = field(default_factory=dict)
    failed: int = 0
    problems: tuple[ImportProblem, ...] = ()


class _AbandonedError(Exception):
    """Something failed and nothing is to be kept."""


def load(org: Org, files: Sequence[Path], *, keep_going: bool = False) -> LoadReport:
    """Inserts the records of trees, plans and `Object.csv` files; trees come first, then CSV files as given.

    `@Name` in a reference field points to a record of any tree of the call, also from CSV. A record type may be given
    by developer name. Unless `keep_going`, one problem anywhere keeps everything out: the report then has problems and
    no counts. Memory stays flat for CSV of any size. Raises UsageError for a missing file, MetadataError for a file
    that is neither, StoreError and its kin.
    """
    trees, sheets = _sorted_files(files)
    tally = Tally()
    try:
        with org.transaction():
            tables = Tables(org)
            ids = load_trees(org, _records(trees, tally), tables, tally)
            for path in sheets:
                load_csv(org, path, tables, ids, tally)
            if tally.problems and not keep_going:
                raise _AbandonedError
    except _AbandonedError:
        tally.loaded.clear()
    return LoadReport(loaded=dict(sorted(tally.loaded.items())), failed=tally.failed, problems=tally.told())


def _sorted_files(files: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """(tree files in the order of the call and of their plans, CSV files); a file that is named twice is read once."""
    trees: dict[Path, None] = {}
    sheets: dict[Path, None] = {}
    for path in files:
        match detect(path):
            case "csv":
                sheets[path] = None
            case "tree":
                trees[path] = None
            case "plan":
                trees.update(dict.fromkeys(file for _, listed in read_plan(path) for file in listed))
    return list(trees), list(sheets)


def _records(trees: Iterable[Path], tally: Tally) -> list[TreeRecord]:
    records: list[TreeRecord] = []
    for path in trees:
        try:
            records.extend(read_tree(path))
        except MetadataError as error:
            tally.file_problem(path, error)
    return records
