"""An org on a PostgreSQL server, and opening it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from typing_extensions import override

from orgsync_reconcile.errors import UnreachableError
from orgsync_reconcile.stores.address import Address
from orgsync_reconcile.stores.postgres.database import PostgresDatabase
from orgsync_reconcile.stores.postgres.engine import PostgresEngine
from orgsync_reconcile.stores.postgres.names import CHANNEL, lock_key, quote_ours, sleepers_key
from orgsync_reconcile.stores.postgres.refusals import explain, takes_no_writes
from orgsync_reconcile.stores.postgres.session import connect
from orgsync_reconcile.stores.sql.copies import CopiedPartner
from orgsync_reconcile.stores.sql.engine import Engine
from orgsync_reconcile.stores.sql.org import BUSY_SECONDS, Org, require_known_version
from orgsync_reconcile.stores.sql.partner import Partner


class PostgresOrg(Org):
    """An org in one schema of a server's database."""

    _begin = "BEGIN"
    _begin_steady = "BEGIN ISOLATION LEVEL REPEATABLE READ"
    _begin_reading = "BEGIN ISOLATION LEVEL REPEATABLE READ"

    def __init__(self, db: PostgresDatabase, address: Address, label: str) -> None:
        super().__init__(db, label)
        self.address = address
        self.session = db
        self._sees: tuple[Org, Partner] | None = None
        self._engine = PostgresEngine(db, label, code=self.code, admin_id=self.admin_id)

    @property
    @override
    def place(self) -> str:
        return self.address.shown

    @property
    @override
    def cut(self) -> bool:
        return self.session.connection.closed

    @property
    @override
    def many_writers(self) -> bool:
        return True

    @override
    def another(self) -> PostgresOrg:
        return open_org(self.address, label=self.label, readonly=False, busy_seconds=BUSY_SECONDS)

    @property
    @override
    def engine(self) -> Engine:
        return self._engine

    @override
    def see(self, other: Org) -> Partner:
        if self._sees is None or self._sees[0] is not other:
            self._sees = other, CopiedPartner(self, other)
        return self._sees[1]

    @override
    def hold(self, name: str, seconds: float, *, shared: bool = False) -> Callable[[], None] | None:
        # The session keeps the lock, so it ends with the session at the latest.
        key = self._lock_key(name)
        kind = "_shared" if shared else ""
        with self.translated():
            if not self._asked(f"SELECT pg_try_advisory_lock{kind}(?)", key) and not self._wait_for(kind, key, seconds):
                return None

        def release() -> None:
            if not self.session.connection.closed:
                self._asked(f"SELECT pg_advisory_unlock{kind}(?)", key)

        return release

    def _lock_key(self, name: str) -> int:
        return lock_key(f"{self.org_id}.{name}")

    def _wait_for(self, kind: str, key: int, seconds: float) -> bool:
        """Waits in the server's own queue, so that nobody is passed over; whether the lock was had in time."""
        if seconds <= 0:
            return False
        # The time limit of the session's other waits comes back with the end of the statement's transaction.
        self.db.execute("BEGIN")
        try:
            self.db.execute("SELECT set_config('lock_timeout', ?, true)", [f"{max(int(seconds * 1000), 1)}ms"])
            self.db.execute(f"SELECT pg_advisory_lock{kind}(?)", [key])
        except psycopg.errors.LockNotAvailable:
            self.db.execute("ROLLBACK")
            return False
        self.db.execute("COMMIT")
        return True

    @override
    def holders(self, name: str) -> int:
        key = self._lock_key(name)
        row = self.db.execute(
            "SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
            " AND classid::bigint = ? AND objid::bigint = ?"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [key >> 32, key & 0xFFFFFFFF],
        ).fetchone()
        return int(row[0]) if row else 0

    @override
    def version(self) -> int:
        # What a question brings in cannot wake anybody any more, so it is asked again.
        while True:
            heard = self.session.heard
            found = self.session.head()
            if heard == self.session.heard:
                return found

    @override
    @contextmanager
    def woken_by(self) -> Iterator[int | None]:
        # Whoever writes while this lock is held tells of it; where it cannot be had, somebody is writing right now.
        key = sleepers_key(self.session.schema)
        if not self._asked("SELECT pg_try_advisory_lock(?)", key):
            yield None
            return
        try:
            self.session.run(f"LISTEN {CHANNEL}")
            yield self.session.connection.fileno()
        finally:
            if not self.session.connection.closed:
                self._asked("SELECT pg_advisory_unlock(?)", key)

    @override
    def require_in_place(self) -> None:
        with self.translated():
            row = self.db.execute("SELECT org_id FROM orgsync_org").fetchone()
        if row is None or row[0] != self.org_id:
            raise UnreachableError(
                f"another org stands at {self.place} since this began", where=self.label, hint="run this again"
            )

    def _asked(self, statement: str, key: int) -> bool:
        row = self.db.execute(statement, [key]).fetchone()
        return row is not None and bool(row[0])


def open_org(address: Address, *, label: str, readonly: bool, busy_seconds: float) -> PostgresOrg:
    """Opens an existing org.

    Raises UnreachableError where the server, the schema or the org is missing, or takes no writes; StoreError where
    it is newer than this program.
    """
    db = connect(address, label, busy_seconds=busy_seconds)
    try:
        known = db.execute("SELECT to_regclass(?)", [f"{quote_ours(address.schema)}.orgsync_org"]).fetchone()
        if known is None or known[0] is None:
            raise UnreachableError(
                f"there is no org at {address.shown}",
                where=label,
                hint=f"make one with: orgsync org create '{address.shown}' --name NAME",
            )
        require_known_version(db, label)
        if readonly:
            db.run("SET default_transaction_read_only = on")
        else:
            _require_writable(db, label)
            db.count_on()
        return PostgresOrg(db, address, label)
    except psycopg.Error as error:
        db.close()
        raise explain(error, label) from error
    except BaseException:
        db.close()
        raise


def _require_writable(db: PostgresDatabase, label: str) -> None:
    """Raises UnreachableError where the server takes no writes, or not the log's from the role that logged in: its mark
    would not count.
    """
    row = db.execute(
        "SELECT session_user, has_table_privilege(session_user, to_regclass(?), 'INSERT'),"
        " CAST(current_setting('transaction_read_only') AS boolean)",
        [f"{quote_ours(db.schema)}.orgsync_change"],
    ).fetchone()
    if row is None:
        return
    if row[2]:
        raise takes_no_writes(label)
    if not row[1]:
        raise UnreachableError(
            f"the role {row[0]} may not write what orgsync keeps there",
            where=label,
            hint="log in as the role that owns the org's schema, or as one that inherits its rights",
        )
