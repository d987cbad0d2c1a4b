"""Syncing on after an org was restored from a backup (QUE-3, VER-1)."""

from __future__ import annotations

from dataclasses import dataclass

from orgsync_reconcile.app.reach import open_pair
from orgsync_reconcile.app.workspace import Workspace
from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.model.connection import Direction, Side
from orgsync_reconcile.stores.sql.permissions import MANAGE_CONNECTIONS, require
from orgsync_reconcile.sync import resync as engine
from orgsync_reconcile.sync.resync import Resynced


@dataclass(frozen=True, kw_only=True, slots=True)
class ResyncReport:
    """What was done; `restored` is the restored org as the manifests name it, None where neither was."""

    connection: str
    restored: str | None
    done: Resynced


def resync(workspace: Workspace, name: str | None, *, source: Side | None) -> ResyncReport:
    """Joins a restored org to its partner again and queues what differs; `source` wins where records differ.

    Raises UsageError for the way back of a one-way connection; PermissionDeniedError where who acts in either org may
    not manage connections (CON-11).
    """
    with open_pair(workspace, name) as (found, pair):
        for side in Side:
            require(found.org(side), found.admins[side], MANAGE_CONNECTIONS)
        if source is Side.SECONDARY and found.desired.direction is Direction.ONE_WAY:
            raise UsageError(
                f"{found.desired.name} is one-way: nothing goes from the secondary to the primary",
                hint="leave out --from, or make the connection two-way",
            )
        done = engine.resync(pair, source=source, clock=workspace.clock)
        restored = found.org(done.restored).label if done.restored else None
        return ResyncReport(connection=found.desired.name, restored=restored, done=done)
