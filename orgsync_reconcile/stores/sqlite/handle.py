"""Opening an org's file, its transactions, and the one place where SQLite's errors become ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orgsync_reconcile.errors import (
    OrgsyncError,
    RecordError,
    StoreBusyError,
    StoreError,
    StoreFullError,
    UnreachableError,
)

#: The layout of our tables; a file with a higher number was made by a newer orgsync.
STORE_VERSION = 1
#: How long a statement waits for another writer, in seconds.
BUSY_SECONDS = 30.0
#: The oldest SQLite that has all that we use (DROP COLUMN, UPDATE FROM).
OLDEST_SQLITE = (3, 35, 0)


def check_sqlite() -> None:
    """Raises StoreError where Python's SQLite is too old."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StoreError(
            f"Python's SQLite is {sqlite3.sqlite_version}; orgsync needs 3.35 or newer",
            hint="use a Python that is linked with a newer SQLite",
        )


def connect(path: Path, *, readonly: bool = False, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """A connection in autocommit mode. The file must exist unless a new org is being made."""
    check_sqlite()
    uri = f"{path.absolute().as_uri()}?mode={'ro' if readonly else 'rwc'}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=busy_seconds, check_same_thread=False)
    db.execute("PRAGMA temp_store = MEMORY")
    db.execute("PRAGMA cache_size = -65536")
    return db


def write_ahead(db: sqlite3.Connection) -> None:
    """Lets readers and a writer work at the same time; this is kept in the file, so it must be an org's."""
    db.execute("PRAGMA journal_mode = WAL")
    # What one org has must be on disk before the other forgets that it was sent (QUE-3).
    db.execute("PRAGMA synchronous = FULL")


def explain(error: sqlite3.Error, where: str) -> OrgsyncError:
    """The error tree's word for an SQLite error in the store named `where`."""
    text = str(error)
    if isinstance(error, sqlite3.IntegrityError):
        code, field, message = refusal(error)
        return RecordError(f"{code}: {message}" + (f" ({field})" if field else ""), code=code, where=where)
    if "locked" in text or "busy" in text:
        return StoreBusyError(
            f"another program has held the store for more than {BUSY_SECONDS:.0f} seconds",
            where=where,
            hint="let it finish, or close the program that keeps a transaction open, and run this again",
        )
    if "readonly" in text or "read-only" in text:
        return UnreachableError(
            "the store is read-only", where=where, hint="give this user write access to the file and its folder"
        )
    if "not a database" in text or "disk image is malformed" in text or "malformed database" in text:
        return UnreachableError(
            "the file is not an SQLite database, or it is damaged", where=where, hint="restore it from a backup"
        )
    if "disk is full" in text:
        return StoreFullError(
            "the disk is full; nothing of the last step was kept", where=where, hint="make room and run this again"
        )
    if "unable to open" in text:
        return UnreachableError("the store cannot be opened", where=where, hint="check the path and its permissions")
    if "disk I/O error" in text:
        return UnreachableError(
            "reading or writing the store failed (disk I/O error)", where=where, hint="check the disk and its mount"
        )
    return StoreError(text, where=where, hint="run with -vv and report this")


def refusal(error: sqlite3.Error) -> tuple[str, str, str]:
    """(platform error code, field, description) of a record that the database refused (LOG-1)."""
    text = str(error)
    if text.startswith("UNIQUE constraint failed"):
        column = text.rpartition(".")[2].strip("'")
        if "index" in text:
            column = text.rpartition("index '")[2].rstrip("'").rpartition("_")[2]
        return "DUPLICATE_VALUE", column, f"another record already has this value of {column}"
    if text.startswith("NOT NULL constraint failed"):
        column = text.rpartition(".")[2]
        return "REQUIRED_FIELD_MISSING", column, f"required field {column} is blank"
    body = text.removeprefix("CHECK constraint failed: ")
    code, _, rest = body.partition(":")
    if code.isupper() and rest:
        field = rest.partition(":")[0]
        words = {
            "REQUIRED_FIELD_MISSING": f"required field {field} is blank",
            "STRING_TOO_LONG": f"the value of {field} is longer than the field",
            "NUMBER_OUTSIDE_VALID_RANGE": f"the number in {field} has more digits than the field",
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": f"the value of {field} is not in its picklist",
            "INVALID_TYPE_ON_FIELD_IN_RECORD": f"the value of {field} is not of the field's type",
            "MALFORMED_ID": f"the value of {field} is not a record Id",
            "INVALID_FIELD_FOR_INSERT_UPDATE": f"{field} cannot be changed",
        }
        return code, field, words.get(code, rest)
    return "FIELD_INTEGRITY_EXCEPTION", "", text


def _place_of(path: Path) -> tuple[int, int] | None:
    """Which file stands at a path; None where none can be seen."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class SqliteOrg:
    """An open org file. Rooms above see it through the protocols; modules beside it share its connection."""

    def __init__(self, db: sqlite3.Connection, path: Path, label: str) -> None:
        self.db = db
        self.path = path
        #: How messages name this store.
        self.label = label
        row = db.execute("SELECT org_id, code, name, admin_id, namespace FROM orgsync_org").fetchone()
        self.org_id: str = row[0]
        self.code: str = row[1]
        self.name: str = row[2]
        self.admin_id: str = row[3]
        self.namespace: str = row[4]
        self._place = _place_of(path)

    def require_in_place(self) -> None:
        """Raises UnreachableError where the file is gone from its path: what is written to it now would be lost."""
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

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction; nested use joins the outer one. Raises StoreError and its kin."""
        if self.db.in_transaction:
            yield self.db
            return
        with self.translated():
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield self.db
            except BaseException:
                self._roll_back()
                raise
            self.db.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """One consistent view for several reads."""
        if self.db.in_transaction:
            yield self.db
            return
        with self.translated():
            self.db.execute("BEGIN")
            try:
                yield self.db
            finally:
                self._roll_back()

    def _roll_back(self) -> None:
        """Ends the transaction, unless SQLite has ended it already (a full disk does)."""
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turns SQLite's errors into ours."""
        try:
            yield
        except sqlite3.Error as error:
            raise explain(error, self.label) from error

    def touch_revision(self) -> None:
        """Says that metadata, settings or connections changed. Inside a transaction."""
        self.db.execute("UPDATE orgsync_org SET revision = revision + 1")

    def close(self) -> None:
        """Ends the connection."""
        self.db.close()

    def __enter__(self) -> SqliteOrg:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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
        (version,) = db.execute("SELECT store_version FROM orgsync_org").fetchone()
        if version > STORE_VERSION:
            raise StoreError(
                f"the store has version {version}, this orgsync knows {STORE_VERSION}",
                where=name,
                hint="upgrade orgsync",
            )
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
