"""The locks that applies, unattended runs and bulk syncs hold, in the primary of their connection (REC-4)."""

from __future__ import annotations

from orgsync_reconcile.app.workspace import Workspace, open_connection
from orgsync_reconcile.errors import LockHeldError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.leases import Lease, apply_lease, bulk_lease, is_abandoned, leases, reconcile_lease
from orgsync_reconcile.stores.sql.leases import release as release_lease


def show(workspace: Workspace, name: str | None) -> tuple[Lease, ...]:
    """Who holds which lock in the connection's primary."""
    with open_connection(workspace, name, readonly=True) as found:
        return leases(found.primary)


def release(workspace: Workspace, name: str | None, *, force: bool) -> Lease | None:
    """Releases the locks of a connection's apply, unattended run and bulk syncs; returns who held one, None where nobody did.

    Raises LockHeldError where its process is not known to be dead, unless `force`.
    """
    with open_connection(workspace, name) as found:
        name = found.desired.name
        wanted = {apply_lease(name), reconcile_lease(name), *(bulk_lease(name, side) for side in Side)}
        held = [item for item in leases(found.primary) if item.name in wanted]
        for item in held:
            if not force and not is_abandoned(found.primary, item):
                raise LockHeldError(
                    f"{item.holder} may still be at work (host {item.host}, process {item.pid}, since {item.at})",
                    where=found.primary.label,
                    hint="make sure that it is gone, then release the lock with --force",
                )
        for item in held:
            release_lease(found.primary, item.name, item)
        return held[0] if held else None
