"""What every module here needs of a database session: statements in one portable SQL, and their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from orgsync_reconcile.stores.sql.dialect import Dialect


class Rows(Protocol):
    """The result of a statement: rows are tuples of text, whole numbers, numbers, bytes and None."""

    @property
    def rowcount(self) -> int:
        """How many rows the statement changed."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""

    def __iter__(self) -> Iterator[Any]: ...


class Database(Protocol):
    """A session of one org's store.

    Tables are named alone or, where the partner's are at hand, as `main.x`, `partner.x` and `temp.x`. Parameters are
    `?`, `?1` or `:name`.
    """

    def execute(self, sql: str, parameters: Any = ..., /) -> Rows:
        """Runs one statement. Raises what `stores.faults` knows."""

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Rows:
        """Runs one statement for each set of parameters."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    @property
    def dialect(self) -> Dialect:
        """How this store writes what SQL has no common word for."""

    def define(self, name: str, function: Callable[[str | None], str | None]) -> None:
        """Gives the session an SQL function from text to text."""

    def last_number(self, table: str) -> int:
        """The last number that a table's counter gave, also where its rows are gone since; 0 at first."""

    def set_last_number(self, table: str, number: int) -> None:
        """Lets a table's counter go on after `number`."""

    def log_end(self) -> int:
        """The position up to which the org's change log is complete: nothing is added before it any more."""

    def close(self) -> None:
        """Ends the session."""
