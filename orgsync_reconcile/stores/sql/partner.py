"""How the statements of one org see the rows of its partner: in place, or as copies of those that they need."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from orgsync_reconcile.stores.sql.database import Rows
from orgsync_reconcile.stores.sql.dialect import Dialect
from orgsync_reconcile.stores.sql.sieve import Unfit

if TYPE_CHECKING:
    from orgsync_reconcile.stores.sql.flow.paths import Path


class Partner(ABC):
    """The other org of a pair, as one org's statements see it: its tables are `partner.x`.

    A step says with `bring` and `bring_by` which of the partner's rows its statements will read; what it did not bring
    may be missing. Rows that were brought stay until the `reading` ends.
    """

    def __init__(self) -> None:
        #: What flows from the partner to this org: the columns of its records that statements read.
        self.paths: Mapping[str, Path] = {}

    @property
    @abstractmethod
    def dialect(self) -> Dialect:
        """The words of the partner's store, for queries that it answers itself."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[None]:
        """Everything that the block reads of the partner is of one moment. Joins a reading that is under way."""

    @abstractmethod
    def query(self, sql: str, parameters: Sequence[object] = ()) -> Rows:
        """The rows of a query that names tables of the partner alone, as `partner.x`."""

    @abstractmethod
    def log_end(self) -> int:
        """The position up to which the partner's change log is complete, in what the reading sees."""

    @abstractmethod
    def bring(self, table: str, where: str = "", parameters: Sequence[object] = ()) -> None:
        """The rows `s` of the partner's table for which the condition holds; all of them without one."""

    @abstractmethod
    def bring_by(
        self, table: str, column: str, wanted: str, parameters: Sequence[object] = (), *, mark: str = "?"
    ) -> int:
        """The rows of the partner's table whose `column` is one of the values that the query `wanted` finds here.

        `column` is the partner's SQL over its rows `s`, and `mark` stands for a value there. Returns how many values were
        new to this reading; 0 where everything is at hand.
        """

    @abstractmethod
    def bring_changed(self, path: Path) -> None:
        """The partner's records of an object that entries of its log which this reading has brought tell of."""

    @abstractmethod
    def narrow(self, path: Path, columns: Iterable[str]) -> None:
        """Of the object's records this reading needs no other fields than these, `Id` and `IsDeleted`.

        To be said before the first of them is brought.
        """

    @abstractmethod
    def bring_range(
        self, path: Path, where: str, parameters: Sequence[object], *, system: Collection[str] = ()
    ) -> None:
        """The partner's records `s` of an object for which the condition holds, in a reading that brings no others of it.

        Statements go through all of them; to find one by its Id may take as long. Beside the path's columns they read
        no more than `Id`, `IsDeleted`, the row's number and the `system` fields.
        """

    @abstractmethod
    def pour(self, sql: str, parameters: Sequence[object], table: str, columns: Mapping[str, str]) -> None:
        """Puts what a query of the partner's finds into a table here; rows that are there already stay as they are.

        `columns` are the table's, as quoted names, in the order of the query, with their types.
        """

    @abstractmethod
    def expect_single(self, path: Path) -> None:
        """The object's records that were brought will be looked for one by one, not all at once."""

    @abstractmethod
    def forget(self) -> None:
        """What was brought so far in this reading is not needed any more."""

    @abstractmethod
    def allowed(self, path: Path) -> str:
        """The condition that a record `s` which was brought is of a kind that goes at all."""

    @abstractmethod
    def part_size(self) -> int | None:
        """How many records a step should bring at once; None where that makes no difference."""

    @abstractmethod
    def unfit(self, path: Path) -> Sequence[Unfit]:
        """The values of the object's records that came in this reading and that this org's store cannot hold.

        Something that no org holds stands for them in what was brought.
        """

    @abstractmethod
    def leave_out(self, path: Path, records: Iterable[str]) -> None:
        """Of these records, which were brought and have an unfit value, `allowed` holds no longer."""

    def row(self, sql: str, parameters: Sequence[object] = ()) -> Any:
        """The first row of `query`, or None."""
        return self.query(sql, parameters).fetchone()
