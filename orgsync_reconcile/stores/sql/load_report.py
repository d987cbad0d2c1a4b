"""The running account of a load: what went in, what was refused and why (ORG-8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.importers import ImportProblem, TreeRecord
from orgsync_reconcile.stores.faults import refusal

#: Problems that are told of one by one; more of them help nobody, and a file may have a million.
MOST_PROBLEMS = 100


@dataclass(kw_only=True, slots=True)
class Tally:
    """Counts and problems so far."""

    loaded: dict[str, int] = field(default_factory=dict)
    failed: int = 0
    problems: list[ImportProblem] = field(default_factory=list)
    #: File and what is wrong with a field there -> the place of its problem, and how many records have it.
    _fields: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def add(self, object_name: str, count: int = 1) -> None:
        """Counts records that went in."""
        self.loaded[object_name] = self.loaded.get(object_name, 0) + count

    def refuse(self, record: TreeRecord, error: Exception | str) -> None:
        """Counts a record that did not go in, and says why."""
        self.failed += 1
        self._tell(record, error)

    def refuse_fields(self, record: TreeRecord, errors: Sequence[OrgsyncError]) -> None:
        """Counts a record with fields that nothing can be put into, and says so once per field and file."""
        self.failed += 1
        for error in errors:
            key = (record.file, error.message)
            if key in self._fields:
                place, count = self._fields[key]
                self._fields[key] = (place, count + 1)
            elif len(self.problems) < MOST_PROBLEMS:
                self._fields[key] = (len(self.problems), 1)
                self._tell(record, error)

    def told(self) -> tuple[ImportProblem, ...]:
        """The problems; those of fields say how many records have them."""
        problems = list(self.problems)
        for place, count in self._fields.values():
            if count > 1:
                item = problems[place]
                problems[place] = replace(item, message=f"{item.message} ({count:,} records, this is the first)")
        return tuple(problems)

    def _tell(self, record: TreeRecord, error: Exception | str) -> None:
        line = record.line if record.where == f"{record.file}:{record.line}" else 0
        place = "" if line else record.where.removeprefix(record.file).lstrip(": ") + ": "
        self.note(record.file, f"{place}{_reason(error)}", line)

    def note(self, path: str, message: str, line: int = 0) -> None:
        """Keeps a problem, as long as there are not too many."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(ImportProblem(path=path, line=line, message=message))

    def file_problem(self, path: Path, error: OrgsyncError) -> None:
        """Keeps a problem of a file as a whole, at its place where that is known."""
        place = error.where.removeprefix(str(path)).lstrip(":").partition(":")[0]
        self.note(str(path), _reason(error), int(place) if place.isdigit() else 0)


def _reason(error: Exception | str) -> str:
    if isinstance(error, str):
        return error
    if isinstance(error, OrgsyncError):
        return f"{error.message}; {error.hint}" if error.hint else error.message
    code, field_name, message = refusal(error)
    return f"{code}: {field_name}: {message}" if field_name else f"{code}: {message}"
