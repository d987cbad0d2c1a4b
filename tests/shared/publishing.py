"""Publishing in an org without another one: what tests of capture need."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from orgsync_reconcile.model.connection import ConnectionStatus, Side, SyncOptions
from orgsync_reconcile.stores.sql import connections, publications
from orgsync_reconcile.stores.sql.org import Org

NOW = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)


def offer_connection(org: Org, name: str = "dr") -> None:
    """Connects the org, as a primary, with one that there is not."""
    connections.create_connection(
        org,
        name,
        Side.PRIMARY,
        partner_org_id="00Dzzz000000000AAA",
        partner_name="Secondary",
        owner_id=org.admin_id,
        contact_id=None,
        options=SyncOptions(users_primary=False),
        status=ConnectionStatus.ACCEPTED,
        actor="admin",
        clock=lambda: NOW,
    )


def publisher(org: Org) -> Callable[..., None]:
    """What publishes an object with fields over a connection, which is made when it is first named."""

    def run(object_name: str, *fields: str, connection: str = "dr") -> None:
        if connections.find_connection(org, connection) is None:
            offer_connection(org, connection)
        publications.publish_object(org, connection, object_name, fields, actor="admin", clock=lambda: NOW)

    return run
