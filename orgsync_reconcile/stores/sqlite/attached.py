"""A partner whose file is attached to the session: one statement reads there and writes here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from typing_extensions import override

from orgsync_reconcile.stores.sql.database import Database, Rows
from orgsync_reconcile.stores.sql.dialect import Dialect
from orgsync_reconcile.stores.sql.partner import Partner
from orgsync_reconcile.stores.sql.sieve import Unfit
from orgsync_reconcile.stores.sql.text import commas

if TYPE_CHECKING:
    from orgsync_reconcile.stores.sql.flow.paths import Path


class AttachedPartner(Partner):
    """All of the partner's rows are at hand, in the snapshot of the session's own transaction."""

    def __init__(self, db: Database) -> None:
        super().__init__()
        self._db = db

    @property
    @override
    def dialect(self) -> Dialect:
        return self._db.dialect

    @override
    @contextmanager
    def reading(self) -> Iterator[None]:
        yield

    @override
    def query(self, sql: str, parameters: Sequence[object] = ()) -> Rows:
        return self._db.execute(sql, parameters)

    @override
    def log_end(self) -> int:
        row = self.row("SELECT seq FROM partner.sqlite_sequence WHERE name = 'orgsync_change'")
        return int(row[0]) if row else 0

    @override
    def bring(self, table: str, where: str = "", parameters: Sequence[object] = ()) -> None:
        pass

    @override
    def bring_by(
        self, table: str, column: str, wanted: str, parameters: Sequence[object] = (), *, mark: str = "?"
    ) -> int:
        return 0

    @override
    def bring_changed(self, path: Path) -> None:
        pass

    @override
    def narrow(self, path: Path, columns: Iterable[str]) -> None:
        pass

    @override
    def bring_range(
        self, path: Path, where: str, parameters: Sequence[object], *, system: Collection[str] = ()
    ) -> None:
        pass

    @override
    def pour(self, sql: str, parameters: Sequence[object], table: str, columns: Mapping[str, str]) -> None:
        self._db.execute(f"INSERT OR IGNORE INTO {table} ({commas(columns)}) {sql}", parameters)

    @override
    def expect_single(self, path: Path) -> None:
        pass

    @override
    def forget(self) -> None:
        pass

    @override
    def allowed(self, path: Path) -> str:
        return path.allowed

    @override
    def part_size(self) -> int | None:
        return None

    @override
    def unfit(self, path: Path) -> Sequence[Unfit]:
        # What one file holds, another does.
        return ()

    @override
    def leave_out(self, path: Path, records: Iterable[str]) -> None:
        """Nothing: there are none."""
