"""A problem in a file that is imported: where, and what."""

from __future__ import annotations

from dataclasses import dataclass

from orgsync_reconcile.errors import OrgsyncError


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class ImportProblem:
    """One finding. `path` is relative to what is imported; `line` counts from 1, 0 where it is not known."""

    path: str
    line: int = 0
    message: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.message}"


def from_error(error: OrgsyncError, path: str) -> ImportProblem:
    """The problem that an error of the metadata room tells of, whose place is `path:line:column` where it is known."""
    place = error.where.removeprefix(path).lstrip(":")
    first, _, _ = place.partition(":")
    hint = f"; {error.hint}" if error.hint else ""
    if first.isdigit():
        return ImportProblem(path=path, line=int(first), message=f"{error.message}{hint}")
    owner = f"{error.where}: " if error.where and error.where != path else ""
    return ImportProblem(path=path, message=f"{owner}{error.message}{hint}")
