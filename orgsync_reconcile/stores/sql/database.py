"""What every module here needs of a database session: statements in one portable SQL, and their rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from orgsync_reconcile.stores.sql.dialect import Dialect
from orgsync_reconcile.stores.sql.sieve import Sieve

#: So many rows in a temporary table are worth a look at it.
MANY = 1000
#: How many rows of a stream are in memory at once.
STREAMED = 1000


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

    def stream(self, sql: str, parameters: Any = ..., /, *, chunk: int = STREAMED) -> Iterator[Any]:
        """The rows of a query as they are asked for, at most `chunk` of them in memory, however many it finds.

        Other statements may run between two rows. Raises what `stores.faults` knows, with the first row or a later one.
        """

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Rows:
        """Runs one statement for each set of parameters."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    @property
    def dialect(self) -> Dialect:
        """How this store writes what SQL has no common word for."""

    def last_number(self, table: str) -> int:
        """The last number that a table's counter gave, also where its rows are gone since; 0 at first."""

    def set_last_number(self, table: str, number: int) -> None:
        """Lets a table's counter go on after `number`, which is higher than the last one that it gave."""

    def skip_ids(self, object_name: str, number: int) -> None:
        """Lets no Id of an object be minted any more whose number is `number`, or a lower one of the same counter."""

    def log_end(self) -> int:
        """The position up to which the org's change log is complete: nothing is added before it any more."""

    def exclude_writers(self) -> None:
        """Waits for all who have logged a change, and lets nobody else log one until this transaction ends."""

    def moment(self) -> str | None:
        """What tells the changes that others commit from here on, where they can at all; None: nobody can."""

    def disturbed(self, moment: str, records: str) -> bool:
        """Whether others have committed a change since a `moment`, to any of the records that a query finds."""

    def head(self) -> int:
        """The last position of the change log that `log_end` covers and that has entries.

        Where all are trimmed a file still knows the last one; a server says 0.
        """

    def reserve(self, object_name: str, count: int) -> int:
        """Takes so many numbers of an object's Ids: those after the returned one are the caller's, in its transaction."""

    def mark(self, connection: int, hops: int, *, triggers_too: bool = False) -> None:
        """Says until `unmark` that this transaction writes what arrived over a connection, at a distance (ORG-7).

        What the org's own triggers make of it is the org's own change, unless `triggers_too`.
        """

    def mark_object(self, number: int | None) -> None:
        """Which object the engine itself writes from here on, by its number; None: none at the moment."""

    def unmark(self) -> None:
        """Ends what `mark` said."""

    def take_rows(
        self,
        source: Database,
        sql: str,
        parameters: Sequence[object],
        table: str,
        columns: Mapping[str, str],
        *,
        kinds: Sequence[str],
        empty: bool,
        chunk: int,
        sieve: Sieve | None = None,
    ) -> int:
        """Copies what a query finds in another session into a table here; returns how many rows it found.

        Rows that are there already stay. `columns` are the table's, as quoted names, in the order of the query, each with the mark that stands for a
        value of it: `?`, or what makes one of it; `kinds` are their types. `empty` says that the table holds no rows.
        At most `chunk` rows are in memory at once. The `sieve` is for rows of another kind of store.
        """

    def any_text(self) -> AbstractContextManager[None]:
        """In the block, what a column of text holds that is no UTF-8 is read with lone surrogates; else that is an error."""

    def empty(self, table: str, *, numbered: bool = False) -> None:
        """Empties a temporary table, named whole. Where it is `numbered`, by a column `n`, rows begin at 1 again."""

    def measure(self, table: str) -> None:
        """Looks at a temporary table, named whole, that many rows came into: statements over it are planned for them."""

    def close(self) -> None:
        """Ends the session."""
