"""Two orgs joined by one connection: statements in either can read the other's tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orgsync_reconcile.errors import StoreBusyError, StoreError
from orgsync_reconcile.model.connection import ConflictPolicy, ConnectionStatus, Side
from orgsync_reconcile.stores.sql.org import BUSY_SECONDS, Org
from orgsync_reconcile.stores.sql.partner import Partner

if TYPE_CHECKING:
    from orgsync_reconcile.stores.sql.flow.flow import Flow

#: The lock that all hold who send what is queued.
_AT_WORK = "drain"


class Pair:
    """The two orgs of one connection. Raises StoreError where either does not know the connection, or it leads elsewhere."""

    def __init__(self, primary: Org, secondary: Org, connection: str) -> None:
        self.connection = connection
        self.orgs = {Side.PRIMARY: primary, Side.SECONDARY: secondary}
        self.numbers = {side: self._number(org) for side, org in self.orgs.items()}
        #: Whether the connection is part of a ring, as far as `network.exchange` has found.
        self.ring = False
        self._leased = False
        #: What drains of this pair have read of what flows, for the next one: `flows_of`.
        self.flows: dict[Side, Flow] = {}
        #: How each org's statements see the other one.
        self.partners: dict[Side, Partner] = {}
        for side in Side:
            self._check_partner(side)
            self._check_positions(side)
        self.attach()

    def attach(self) -> None:
        """Lets each org see the other; an org may be in several pairs in turn (CON-10)."""
        for side, org in self.orgs.items():
            self.partners[side] = org.see(self.orgs[side.other])

    @contextmanager
    def another(self) -> Iterator[Pair]:
        """The same pair over sessions of its own, for another thread. Raises UnreachableError and its kin."""
        with self.orgs[Side.PRIMARY].another() as primary, self.orgs[Side.SECONDARY].another() as secondary:
            yield Pair(primary, secondary, self.connection)

    def _number(self, org: Org) -> int:
        row = org.db.execute("SELECT number FROM orgsync_connection WHERE name = ?", [self.connection]).fetchone()
        if row is None:
            raise StoreError(
                f"there is no connection {self.connection} yet", where=org.label, hint="run: orgsync apply"
            )
        return int(row[0])

    def _check_partner(self, side: Side) -> None:
        """Raises StoreError where the connection leads elsewhere: a file was copied, or another put in its place."""
        org, other = self.orgs[side], self.orgs[side.other]
        if org.org_id == other.org_id:
            raise StoreError(
                f"{other.place} is a copy of {org.place}: both are the org {org.org_id}",
                where=other.label,
                hint="put the right org at the store's address, or correct the path in the manifest",
            )
        (partner,) = org.db.execute(
            "SELECT partner_org_id FROM orgsync_connection WHERE number = ?", [self.numbers[side]]
        ).fetchone()
        if partner != other.org_id:
            raise StoreError(
                f"{self.connection} leads to the org {partner}, and {other.place} is the org {other.org_id}",
                where=org.label,
                hint=f"put the right file at the store's path of {other.label}, or correct the path in the manifest",
            )

    def _check_positions(self, side: Side) -> None:
        """Raises StoreError where somebody has removed the connection's place in a log (QUE-3)."""
        org = self.orgs[side]
        for table in ("orgsync_inbox", "orgsync_outbox"):
            row = org.db.execute(f"SELECT 1 FROM {table} WHERE connection = ?", [self.numbers[side]]).fetchone()
            if row is None:
                raise StoreError(
                    f"{table} has no row of {self.connection}: somebody has removed how far the sync has come",
                    where=org.label,
                    hint=f"restore the org from a backup, then run: orgsync resync {self.connection}",
                )

    def revisions(self) -> tuple[int, ...]:
        """Numbers of which one grows whenever metadata, settings or connections of an org change."""
        return tuple(org.revision() for org in self.orgs.values())

    @property
    def settings(self) -> dict[str, str]:
        """The settings that apply wrote to the primary."""
        db = self.orgs[Side.PRIMARY].db
        row = db.execute("SELECT settings FROM orgsync_connection WHERE name = ?", [self.connection]).fetchone()
        return {str(key): str(value) for key, value in json.loads(row[0]).items()}

    @property
    def retry(self) -> tuple[int, ...]:
        """Seconds between tries (QUE-5)."""
        text = self.settings.get("retry", "60,300,1800,7200,28800")
        return tuple(int(part) for part in text.split(",") if part.strip())

    @property
    def policy(self) -> ConflictPolicy:
        """Who wins where both orgs changed one field (CNF-1)."""
        return ConflictPolicy(self.settings.get("conflicts", ConflictPolicy.PRIMARY_WINS.value))

    def status(self, side: Side) -> ConnectionStatus:
        """The connection's status in one org."""
        row = (
            self.orgs[side]
            .db.execute(
                'SELECT p."ConnectionStatus" FROM "PartnerNetworkConnection" AS p JOIN orgsync_connection AS c ON c.id = p."Id"'
                " WHERE c.number = ?",
                [self.numbers[side]],
            )
            .fetchone()
        )
        return ConnectionStatus(row[0])

    @property
    def many_writers(self) -> bool:
        """Whether several processes may write to either org at the same time."""
        return all(org.many_writers for org in self.orgs.values())

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Lets others see, while the block lasts, that this process sends what is queued."""
        release = self._hold(_AT_WORK, shared=True) if self.many_writers else None
        try:
            yield
        finally:
            if release is not None:
                release()

    def workers(self) -> int:
        """How many processes are `at_work`; 1 where they could not share the work."""
        if not self.many_writers:
            return 1
        return self.orgs[Side.PRIMARY].holders(self._lock(_AT_WORK))

    def claim(self, name: str) -> Callable[[], None] | None:
        """Takes a part of the work, until it is given back by what this returns or the process ends; None: taken."""
        return self._hold(name, seconds=0)

    def _lock(self, name: str) -> str:
        return f"{self.numbers[Side.PRIMARY]}.{name}"

    def _hold(self, name: str, *, seconds: float = BUSY_SECONDS, shared: bool = False) -> Callable[[], None] | None:
        return self.orgs[Side.PRIMARY].hold(self._lock(name), seconds, shared=shared)

    @contextmanager
    def lease(self, *, shared: bool = False) -> Iterator[None]:
        """Makes reading, deciding and writing of one batch a single step for both directions (DESIGN's hazards).

        Those who take it `shared` exclude all others and, where the primary has `many_writers`, not one another. Raises
        UnreachableError where an org's file is no longer in its place.
        """
        if self._leased:
            yield
            return
        release = self._hold("lease", shared=shared)
        if release is None:
            raise StoreBusyError(
                f"another program has been syncing {self.connection} for more than {BUSY_SECONDS:.0f} seconds without a pause",
                where=self.orgs[Side.PRIMARY].label,
                hint="wait for it, or end it, and run this again",
            )
        self._leased = True
        try:
            for org in self.orgs.values():
                org.require_in_place()
            yield
        finally:
            self._leased = False
            release()
