"""Ending a connection by command (CON-9)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from orgsync_reconcile.app.workspace import OpenConnection, Workspace, open_connection
from orgsync_reconcile.apply.context import holder_name
from orgsync_reconcile.errors import StoreError
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.stores.sql.connections import Connection, find_connection
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.leases import apply_lease, lease
from orgsync_reconcile.stores.sql.links import count_active
from orgsync_reconcile.stores.sql.permissions import MANAGE_CONNECTIONS, require
from orgsync_reconcile.stores.sql.protection import refuse_protected
from orgsync_reconcile.stores.sql.queue import count_queue
from orgsync_reconcile.sync import lifecycle
from orgsync_reconcile.sync.control import deliver


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """What ends in one org with a connection: links that are disconnected, queued changes that are never sent."""

    org: str
    linked: int
    queued: int


def endings(workspace: Workspace, name: str | None, sides: Sequence[Side]) -> tuple[str, tuple[Ending, ...]]:
    """The connection's name, and what `deactivate` at these ends would end in both orgs: each tells the other.

    Ends that are inactive are left out; nothing ends where these ends are.

    Raises PermissionDeniedError, and StoreError where neither org has the connection.
    """
    with open_connection(workspace, name, readonly=True) as found:
        _permit(found, _live(found, sides))
        ends = _live(found, tuple(Side)) if _live(found, sides) else {}
        return found.desired.name, tuple(_ending(found, side, known) for side, known in ends.items())


def deactivate(workspace: Workspace, name: str | None, sides: Sequence[Side]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Ends the connection at these ends for good, each of which tells the other (CON-9, QUE-2).

    Returns org -> status as people see it, and warnings.
    No apply and no drain of the connection runs meanwhile. Raises LockHeldError, PermissionDeniedError, GuardRefusedError
    for a protected org, and StoreError
    where neither org has the connection, all before anything is changed.
    """
    with open_connection(workspace, name) as found, ExitStack() as stack:
        connection = found.desired.name
        stack.enter_context(lease(found.primary, apply_lease(connection), holder_name(), workspace.clock))
        live = _live(found, sides)
        _permit(found, live)
        for side in _live(found, tuple(Side)) if live else ():
            refuse_protected(found.org(side), "disconnected")
        pair = None
        if all(find_connection(found.org(side), connection) for side in Side):
            pair = Pair(found.primary, found.secondary, connection)
            stack.enter_context(pair.lease())
        for side in live:
            lifecycle.deactivate(found.org(side), connection, actor=found.admins[side], clock=workspace.clock)
            if pair is not None:
                deliver(pair, sides=(side,), clock=workspace.clock)
        states = {
            found.org(side).label: known.status.shown
            for side in Side
            if (known := find_connection(found.org(side), connection)) is not None
        }
        left = tuple(
            f"{found.org(side).label} still has {connection} as {known.status.shown}, and nothing comes or goes;"
            f" end it there as well: orgsync deactivate {connection} --org {side}"
            for side, known in _live(found, tuple(Side)).items()
        )
        again = f"the manifests still name {connection}: remove it there, or the next apply connects the orgs again"
        return states, (*left, again)


def _live(found: OpenConnection, sides: Collection[Side]) -> dict[Side, Connection]:
    """The ends where the connection is not inactive. Raises StoreError where neither org has ever had it."""
    name = found.desired.name
    known = {side: find_connection(found.org(side), name) for side in Side}
    if not any(known.values()):
        raise StoreError(f"there is no connection {name} yet, so none can be ended", where=found.primary.label)
    return {
        side: item
        for side, item in known.items()
        if side in sides and item is not None and item.status is not ConnectionStatus.INACTIVE
    }


def _permit(found: OpenConnection, sides: Collection[Side]) -> None:
    """Asks at all ends before anything is changed at one (CON-11)."""
    for side in sides:
        require(found.org(side), found.admins[side], MANAGE_CONNECTIONS)


def _ending(found: OpenConnection, side: Side, known: Connection) -> Ending:
    org, partner = found.org(side), found.org(side.other)
    theirs = find_connection(partner, known.name)
    counts = count_queue(org, known.number, partner if theirs else None, theirs.number if theirs else 0)
    return Ending(
        org=org.label, linked=count_active(org, known.number), queued=counts.pending + counts.retrying + counts.failed
    )
