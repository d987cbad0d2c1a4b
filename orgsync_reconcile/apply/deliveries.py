"""What an apply tells the other org: control events are carried out at once, not left to the next drain (QUE-2)."""

from __future__ import annotations

from collections.abc import Sequence

from orgsync_reconcile.apply.context import ApplyContext
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.connections import find_connection
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.sync.control import deliver


def deliver_events(context: ApplyContext, connection: str, sides: Sequence[Side] = tuple(Side)) -> None:
    """Carries out the events that wait in the queues of these ends; nothing where only one org has the connection.

    The manifests may no longer name it. Raises StoreError and its kin; what was not carried out stays queued.
    """
    ends = _ends(context, connection)
    if len(ends) == len(Side):
        deliver(Pair(ends[Side.PRIMARY], ends[Side.SECONDARY], connection), sides=sides, clock=context.clock)


def _ends(context: ApplyContext, connection: str) -> dict[Side, Org]:
    """The orgs that hold the connection to one another, by their end of it."""
    by_id = {org.org_id: org for org in context.orgs.values()}
    known = {org.org_id: find_connection(org, connection) for org in context.orgs.values()}
    return {
        item.side: by_id[org_id]
        for org_id, item in known.items()
        if item is not None and (other := known.get(item.partner_org_id)) is not None and other.partner_org_id == org_id
    }
