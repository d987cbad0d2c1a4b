"""An open org, whatever store holds it: its session, its transactions, who it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import ClassVar

from orgsync_reconcile.errors import StoreError
from orgsync_reconcile.stores.faults import explain, faults
from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.engine import Engine
from orgsync_reconcile.stores.sql.partner import Partner

#: The layout of our tables; a store with a higher number was made by a newer orgsync.
STORE_VERSION = 1
#: How long a statement waits for another writer, in seconds.
BUSY_SECONDS = 30.0


def require_known_version(db: Database, label: str) -> None:
    """Raises StoreError where the store was made by a newer orgsync."""
    (version,) = db.execute("SELECT store_version FROM orgsync_org").fetchone()
    if version > STORE_VERSION:
        raise StoreError(
            f"the store has version {version}, this orgsync knows {STORE_VERSION}", where=label, hint="upgrade orgsync"
        )


class Org(ABC):
    """An open org. Rooms above see what the modules beside this one make of it."""

    #: Begins a transaction that writes, one that writes and sees one moment throughout, and one that only reads.
    _begin: ClassVar[str]
    _begin_steady: ClassVar[str]
    _begin_reading: ClassVar[str]

    def __init__(self, db: Database, label: str) -> None:
        self.db = db
        #: How messages name this store.
        self.label = label
        #: Temporary tables that stay in the session, by name: what they were made as. A transaction that is rolled back
        #: leaves them as they were before it.
        self.kept: dict[str, object] = {}
        #: What shows others, as long as this session lives, that a lock with a holder is held: by the lock's name.
        self.signs: dict[str, Callable[[], None]] = {}
        row = db.execute("SELECT org_id, code, name, admin_id, namespace FROM orgsync_org").fetchone()
        self.org_id: str = row[0]
        self.code: str = row[1]
        self.name: str = row[2]
        self.admin_id: str = row[3]
        self.namespace: str = row[4]

    @property
    @abstractmethod
    def place(self) -> str:
        """Where the org is kept, as messages say it; never a secret."""

    @property
    def cut(self) -> bool:
        """Whether this session has ended, which says nothing of the org: another one may be had."""
        return False

    @property
    @abstractmethod
    def many_writers(self) -> bool:
        """Whether several sessions may write at the same time."""

    @abstractmethod
    def another(self) -> Org:
        """A further session with the org, which the caller closes. Raises UnreachableError and its kin."""

    @property
    @abstractmethod
    def engine(self) -> Engine:
        """What makes and changes the org's tables and triggers."""

    @abstractmethod
    def require_in_place(self) -> None:
        """Raises UnreachableError where what is written now would be lost: the file is gone, the session was cut."""

    @abstractmethod
    def see(self, other: Org) -> Partner:
        """Lets this org's statements read another one's tables, as `partner.x`; one org at a time."""

    @abstractmethod
    def hold(self, name: str, seconds: float, *, shared: bool = False) -> Callable[[], None] | None:
        """Takes the org's lock of that name, which ends with this process at the latest; returns what releases it.

        Several may hold it `shared` at a time where there are `many_writers`; elsewhere it is as any other. None where
        another process has held it for so many seconds. Raises UnreachableError where no lock can be had.
        """

    @abstractmethod
    def holders(self, name: str) -> int:
        """How many sessions hold the org's lock of that name `shared`; 1 where only one of them could."""

    @abstractmethod
    def version(self) -> int:
        """A number that is another one as soon as any other program has written something that is to be sent."""

    def woken_by(self) -> AbstractContextManager[int | None]:
        """While the block lasts: a file that can be read once `version` is another one; None: nothing tells of that."""
        return nullcontext()

    @contextmanager
    def transaction(self, *, steady: bool = False) -> Iterator[Database]:
        """A write transaction; nested use joins the outer one. Raises StoreError and its kin.

        Where others write at the same time, a `steady` one sees nothing of what they commit after it has begun, and is
        taken again where they wrote to the same rows: for steps of several statements that must agree on what is there.
        """
        if self.db.in_transaction:
            yield self.db
            return
        with self.translated():
            self.db.execute(self._begin_steady if steady else self._begin)
            before = dict(self.kept)
            try:
                yield self.db
                self.db.execute("COMMIT")
            except BaseException:
                self._roll_back()
                self.kept = before
                raise

    @contextmanager
    def snapshot(self) -> Iterator[Database]:
        """One consistent view for several reads."""
        if self.db.in_transaction:
            yield self.db
            return
        with self.translated():
            self.db.execute(self._begin_reading)
            before = dict(self.kept)
            try:
                yield self.db
            finally:
                self._roll_back()
                self.kept = before

    def _roll_back(self) -> None:
        """Ends the transaction, unless the store has ended it already (a full disk does)."""
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turns the store's errors into ours."""
        try:
            yield
        except faults() as error:
            raise explain(error, self.label) from error

    def revision(self) -> int:
        """A number that grows whenever metadata, settings or connections change."""
        return int(self.db.execute("SELECT revision FROM orgsync_org").fetchone()[0])

    def touch_revision(self) -> None:
        """Says that metadata, settings or connections changed. Inside a transaction."""
        self.db.execute("UPDATE orgsync_org SET revision = revision + 1")

    def close(self) -> None:
        """Ends the session."""
        while self.signs:
            self.signs.popitem()[1]()
        self.db.close()

    def __enter__(self) -> Org:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
