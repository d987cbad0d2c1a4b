"""The locks that applies hold, in the primary of their connection (REC-4)."""

from __future__ import annotations

from orgsync_reconcile.app.workspace import Workspace, open_connection
from orgsync_reconcile.errors import LockHeldError
from orgsync_reconcile.stores.sqlite.leases import Lease, apply_lease, leases
from orgsync_reconcile.stores.sqlite.leases import release as release_lease


def show(workspace: Workspace, name: str | None) -> tuple[Lease, ...]:
    """Who holds which lock in the connection's primary."""
    with open_connection(workspace, name, readonly=True) as found:
        return leases(found.primary)


def release(workspace: Workspace, name: str | None, *, force: bool) -> Lease | None:
    """Releases the lock of a connection's apply; returns who held it, None where nobody did.

    Raises LockHeldError where its process is not known to be dead, unless `force`.
    """
    with open_connection(workspace, name) as found:
        wanted = apply_lease(found.desired.name)
        held = next((item for item in leases(found.primary) if item.name == wanted), None)
        if held is None:
            return None
        if not held.dead and not force:
            raise LockHeldError(
                f"{held.holder} may still be at work (host {held.host}, process {held.pid}, since {held.at})",
                where=found.primary.label,
                hint="make sure that it is gone, then release the lock with --force",
            )
        release_lease(found.primary, wanted, held)
        return held
