"""Suspending and resuming a connection by command (SUS-1, SUS-4)."""

from __future__ import annotations

from collections.abc import Sequence

from orgsync_reconcile.app.workspace import OpenConnection, Workspace, open_connection
from orgsync_reconcile.model.connection import ConnectionStatus, Direction, Side
from orgsync_reconcile.stores.sql.connections import get_connection
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.permissions import MANAGE_CONNECTIONS, require
from orgsync_reconcile.sync import lifecycle
from orgsync_reconcile.sync.control import deliver


def _permit(found: OpenConnection, sides: Sequence[Side]) -> None:
    """Asks at all ends before anything is changed at one: a command is carried out whole or not at all (CON-11)."""
    for side in sides:
        require(found.org(side), found.admins[side], MANAGE_CONNECTIONS)


def _tell(found: OpenConnection, workspace: Workspace) -> None:
    """Each org learns at once what happened to the other end; what waited while it was suspended goes with it."""
    deliver(Pair(found.primary, found.secondary, found.desired.name), clock=workspace.clock)


def suspend(workspace: Workspace, name: str | None, sides: Sequence[Side]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Suspends these ends; returns org -> status as people see it, and warnings.

    Raises PermissionDeniedError, and StoreError for a connection that is not active.
    """
    with open_connection(workspace, name) as found:
        _permit(found, sides)
        for side in sides:
            lifecycle.suspend(
                found.org(side),
                found.desired.name,
                actor=found.admins[side],
                by_command=True,
                clock=workspace.clock,
            )
        _tell(found, workspace)
        states = {side: get_connection(found.org(side), found.desired.name).status for side in Side}
        warnings = []
        one_sided = len({state is ConnectionStatus.SUSPENDED for state in states.values()}) > 1
        if one_sided and found.desired.direction is Direction.TWO_WAY:
            warnings.append(
                "one end only is suspended, though the connection syncs both ways; suspend the other end as well"
            )
        if found.desired.state == "active":
            warnings.append(
                "the manifest says active: plans report this as drift and never resume it;"
                f" end it with orgsync resume {found.desired.name}"
            )
        return {found.org(side).label: state.shown for side, state in states.items()}, tuple(warnings)


def resume(workspace: Workspace, name: str | None, sides: Sequence[Side]) -> dict[str, str]:
    """Resumes these ends; returns org -> status as people see it. Raises PermissionDeniedError."""
    with open_connection(workspace, name) as found:
        _permit(found, sides)
        for side in sides:
            lifecycle.resume(found.org(side), found.desired.name, actor=found.admins[side], clock=workspace.clock)
        _tell(found, workspace)
        return {
            found.org(side).label: get_connection(found.org(side), found.desired.name).status.shown for side in Side
        }
