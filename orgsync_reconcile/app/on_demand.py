"""Metadata and users on demand (MET-8, USR-7)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orgsync_reconcile.app.apply import carry_out, check
from orgsync_reconcile.app.planning import Choice, plan
from orgsync_reconcile.app.reach import open_pair
from orgsync_reconcile.app.workspace import Workspace, open_connection
from orgsync_reconcile.apply import ApplyReport, Progress
from orgsync_reconcile.errors import StoreError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.plan import Plan
from orgsync_reconcile.stores.sql.connections import find_connection
from orgsync_reconcile.stores.sql.flow.continuity import check_continuity
from orgsync_reconcile.stores.sql.permissions import MANAGE_CONNECTIONS, require
from orgsync_reconcile.sync.users import UserReport, sync_all_users


@dataclass(frozen=True, kw_only=True, slots=True)
class MetadataSync:
    """The metadata part of the plan, and what became of it; `report` is None where nothing was to do."""

    plan: Plan
    report: ApplyReport | None


def sync_metadata(workspace: Workspace, name: str | None, *, choice: Choice, progress: Progress | None) -> MetadataSync:
    """Carries out the metadata part of the plan alone (MET-8).

    Raises GuardRefusedError where it would overwrite too much, StoreError where the connection is not made yet.
    """
    with open_connection(workspace, name, readonly=True) as found:
        connection = found.desired.name
        if find_connection(found.secondary, connection) is None:
            raise StoreError(
                f"there is no connection {connection} yet", where=found.secondary.label, hint="run: orgsync apply"
            )
    part = replace(choice, targets=(f"{connection}/metadata",))
    made = plan(workspace, part)
    check(made)
    report = carry_out(workspace, made, part, progress=progress) if made.actions else None
    return MetadataSync(plan=made, report=report)


def sync_users(workspace: Workspace, name: str | None) -> dict[Side, UserReport]:
    """Copies every user again, from each org whose switch is on (USR-7); the reports by the org that they come from.

    Raises PermissionDeniedError where who acts in either org may not manage connections (CON-11),
    StoreError where an org was restored from a backup.
    """
    with open_pair(workspace, name) as (found, pair):
        for side in Side:
            require(found.org(side), found.admins[side], MANAGE_CONNECTIONS)
        check_continuity(pair)
        return {
            side: sync_all_users(found.org(side), found.org(side.other), found.desired.name, side, workspace.clock)
            for side in Side
        }
