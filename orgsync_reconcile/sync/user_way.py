"""One direction of a connection, for users: both ends, and what of a user goes over it (USR-1)."""

from __future__ import annotations

from dataclasses import dataclass

from orgsync_reconcile.clock import Clock, milliseconds
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.plan.users import counterpart
from orgsync_reconcile.stores.sql.connections import Connection, get_connection
from orgsync_reconcile.stores.sql.kinship import Kinship, kinship
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.people import Person, PersonColumns, common_columns
from orgsync_reconcile.stores.sql.schema import Objects


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """One direction of a connection. `side` is the source's."""

    source: Org
    target: Org
    from_: Connection
    to: Connection
    side: Side
    clock: Clock
    columns: PersonColumns

    def kinship(self) -> Kinship:
        """Who is whom, over all connections of both orgs, at this moment."""
        return kinship(self.source, self.target, (self.from_.number, self.to.number))

    def name_there(self, person: Person) -> str:
        """The person's username in the target; empty where there can be none by it (USR-2)."""
        return counterpart(person.username, self.side) or ""

    @property
    def now_ms(self) -> int:
        """The present moment in milliseconds."""
        return milliseconds(self.clock())


def way_between(source: Org, target: Org, connection: str, side: Side, clock: Clock) -> Way:
    """The way from one org to the other; `side` is the source's. Raises StoreError where an org has no such connection."""
    return Way(
        source=source,
        target=target,
        from_=get_connection(source, connection),
        to=get_connection(target, connection),
        side=side,
        clock=clock,
        columns=common_columns(Objects(source)["User"], Objects(target)["User"]),
    )
