"""Opening an org's file, and the session behind it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from filelock import FileLock, Timeout
from typing_extensions import override

from orgsync_reconcile.errors import StoreError, UnreachableError
from orgsync_reconcile.stores.sql.copies import CopiedPartner
from orgsync_reconcile.stores.sql.database import STREAMED, Database
from orgsync_reconcile.stores.sql.engine import Engine
from orgsync_reconcile.stores.sql.org import BUSY_SECONDS, Org, require_known_version
from orgsync_reconcile.stores.sql.partner import Partner
from orgsync_reconcile.stores.sql.sieve import Sieve
from orgsync_reconcile.stores.sql.text import commas
from orgsync_reconcile.stores.sqlite.attached import AttachedPartner
from orgsync_reconcile.stores.sqlite.dialect import DIALECT, SqliteDialect
from orgsync_reconcile.stores.sqlite.engine import SqliteEngine
from orgsync_reconcile.stores.sqlite.refusals import explain

#: The oldest SQLite that has all that we use (DROP COLUMN, UPDATE FROM).
OLDEST_SQLITE = (3, 35, 0)
#: For tests: `copied` lets two files see each other as other stores do, by copies of rows.
PARTNER = "ORGSYNC_PARTNER"


class _BitOr:
    """SQL aggregate: the bitwise or of its arguments; NULL counts as 0."""

    def __init__(self) -> None:
        self.value = 0

    def step(self, value: int | None) -> None:
        self.value |= value or 0

    def finalize(self) -> int:
        return self.value


def _any_text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")


class SqliteDatabase(sqlite3.Connection, Database):
    """A session of an org's file, in autocommit mode until a statement begins a transaction."""

    dialect: ClassVar[SqliteDialect] = DIALECT

    @override
    def stream(self, sql: str, parameters: Any = (), /, *, chunk: int = STREAMED) -> Iterator[Any]:
        return iter(self.execute(sql, parameters))

    @override
    def last_number(self, table: str) -> int:
        row = self.execute("SELECT seq FROM main.sqlite_sequence WHERE name = ?", [table]).fetchone()
        return int(row[0]) if row else 0

    @override
    def set_last_number(self, table: str, number: int) -> None:
        self.execute("DELETE FROM main.sqlite_sequence WHERE name = ?", [table])
        self.execute("INSERT INTO main.sqlite_sequence (name, seq) VALUES (?, ?)", [table, number])

    @override
    def skip_ids(self, object_name: str, number: int) -> None:
        if number > self.last_number(object_name):
            self.set_last_number(object_name, number)

    @override
    def log_end(self) -> int:
        return self.last_number("orgsync_change")

    @override
    def head(self) -> int:
        return self.log_end()

    @override
    def exclude_writers(self) -> None:
        """Nothing: a file has one writer."""

    @override
    def moment(self) -> str | None:
        return None

    @override
    def disturbed(self, moment: str, records: str) -> bool:
        return False

    @override
    def reserve(self, object_name: str, count: int) -> int:
        # Nobody else writes meanwhile, and the rows bring their numbers with them.
        return self.last_number(object_name)

    @override
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
        insert = f"INSERT OR IGNORE INTO {table} ({commas(columns)}) VALUES ({commas(columns.values())})"
        found_rows = source.stream(sql, parameters, chunk=chunk)
        rows = found_rows if sieve is None else sieve(found_rows)
        found = 0
        while part := list(islice(rows, chunk)):
            self.executemany(insert, part)
            found += len(part)
        return found

    @override
    @contextmanager
    def any_text(self) -> Iterator[None]:
        before = self.text_factory
        self.text_factory = _any_text
        try:
            yield
        finally:
            self.text_factory = before

    @override
    def empty(self, table: str, *, numbered: bool = False) -> None:
        # The numbers of an empty table begin at 1 by themselves.
        self.execute(f"DELETE FROM {table}")

    @override
    def measure(self, table: str) -> None:
        """Nothing: joins go by the tables' indexes."""

    @override
    def mark(self, connection: int, hops: int, *, triggers_too: bool = False) -> None:
        self.execute(
            "UPDATE main.orgsync_guard SET connection = ?, hops = ?, cascading = ?",
            [connection, hops, int(triggers_too)],
        )

    @override
    def mark_object(self, number: int | None) -> None:
        self.execute("UPDATE main.orgsync_guard SET object = ?", [number])

    @override
    def unmark(self) -> None:
        self.execute("UPDATE main.orgsync_guard SET connection = NULL, object = NULL, hops = 0, cascading = 0")


def check_sqlite() -> None:
    """Raises StoreError where Python's SQLite is too old."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StoreError(
            f"Python's SQLite is {sqlite3.sqlite_version}; orgsync needs 3.35 or newer",
            hint="use a Python that is linked with a newer SQLite",
        )


def connect(path: Path, *, readonly: bool = False, busy_seconds: float = BUSY_SECONDS) -> SqliteDatabase:
    """A session of the file. It must exist unless a new org is being made."""
    check_sqlite()
    uri = f"{path.absolute().as_uri()}?mode={'ro' if readonly else 'rwc'}"
    db = sqlite3.connect(
        uri, uri=True, isolation_level=None, timeout=busy_seconds, check_same_thread=False, factory=SqliteDatabase
    )
    db.create_aggregate("bit_or", 1, _BitOr)
    db.execute("PRAGMA temp_store = MEMORY")
    db.execute("PRAGMA cache_size = -65536")
    return db


def write_ahead(db: sqlite3.Connection) -> None:
    """Lets readers and a writer work at the same time; this is kept in the file, so it must be an org's."""
    db.execute("PRAGMA journal_mode = WAL")
    # What one org has must be on disk before the other forgets that it was sent (QUE-3).
    db.execute("PRAGMA synchronous = FULL")


def _place_of(path: Path) -> tuple[int, int] | None:
    """Which file stands at a path; None where none can be seen."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class SqliteOrg(Org):
    """An org in one file."""

    _begin = "BEGIN IMMEDIATE"
    _begin_steady = "BEGIN IMMEDIATE"
    _begin_reading = "BEGIN"

    def __init__(self, db: SqliteDatabase, path: Path, label: str) -> None:
        super().__init__(db, label)
        self.path = path
        self._place = _place_of(path)
        self._sees: tuple[Org, Partner] | None = None
        self._engine = SqliteEngine(db, label, code=self.code, admin_id=self.admin_id)

    @property
    @override
    def place(self) -> str:
        return str(self.path)

    @property
    @override
    def many_writers(self) -> bool:
        return False

    @override
    def another(self) -> SqliteOrg:
        return open_org(self.path, label=self.label)

    @property
    @override
    def engine(self) -> Engine:
        return self._engine

    @override
    def see(self, other: Org) -> Partner:
        if self._sees is not None and self._sees[0] is other:
            return self._sees[1]
        attached = isinstance(other, SqliteOrg) and os.environ.get(PARTNER) != "copied"
        where = f"{other.path.absolute().as_uri()}?mode=ro" if isinstance(other, SqliteOrg) and attached else ":memory:"
        with self.translated():
            if self._sees is not None:
                self.db.execute("DETACH partner")
                self._sees = None
                # The tables that were there have gone with it.
                self.kept = {name: made for name, made in self.kept.items() if not name.startswith("partner.")}
            self.db.execute("ATTACH ? AS partner", [where])
        self._sees = other, AttachedPartner(self.db) if attached else CopiedPartner(self, other)
        return self._sees[1]

    @override
    def hold(self, name: str, seconds: float, *, shared: bool = False) -> Callable[[], None] | None:
        lock = FileLock(self.path.with_name(f".{self.path.name}.{name}"), timeout=seconds)
        try:
            lock.acquire()
        except Timeout:
            return None
        except OSError as error:
            raise UnreachableError(
                f"the folder of the store cannot be written: {error.strerror}",
                where=self.label,
                hint="give this user write access to the file and its folder",
            ) from None
        return lock.release

    @override
    def holders(self, name: str) -> int:
        return 1

    @override
    def version(self) -> int:
        return int(self.db.execute("PRAGMA main.data_version").fetchone()[0])

    @override
    def require_in_place(self) -> None:
        place = _place_of(self.path)
        if place is None:
            raise UnreachableError(
                f"the file {self.path} is gone",
                where=self.label,
                hint="mount its folder, or put the file back, and run this again",
            )
        if place != self._place:
            raise UnreachableError(
                f"another file stands at {self.path} since this began", where=self.label, hint="run this again"
            )


def is_there(path: Path) -> bool:
    """Whether a file stands there that this user may look at."""
    try:
        return path.is_file()
    except OSError:
        return False


def open_org(path: Path, *, label: str = "", readonly: bool = False, busy_seconds: float = BUSY_SECONDS) -> SqliteOrg:
    """Opens an existing org.

    Raises UnreachableError where it is missing, no org, damaged or read-only; StoreError where it is newer than this
    program.
    """
    name = label or str(path)
    if not is_there(path):
        raise UnreachableError(
            f"there is no org at {path}",
            where=name,
            hint=f"make one with: orgsync org create sqlite:{path} --name NAME",
        )
    db: sqlite3.Connection | None = None
    try:
        db = connect(path, readonly=readonly, busy_seconds=busy_seconds)
        known = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'orgsync_org'").fetchone()
        if known is None:
            raise UnreachableError(
                f"{path} is a database, but not an org", where=name, hint="check the store's path in the manifest"
            )
        require_known_version(db, name)
        if not readonly:
            write_ahead(db)
            db.execute("BEGIN IMMEDIATE")
            # Beginning alone does not tell: a file without write permission is refused at the first write.
            db.execute("UPDATE orgsync_guard SET hops = hops")
            db.execute("ROLLBACK")
        return SqliteOrg(db, path, name)
    except sqlite3.Error as error:
        if db is not None:
            db.close()
        raise explain(error, name) from error
    except BaseException:
        if db is not None:
            db.close()
        raise
