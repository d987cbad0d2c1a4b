"""How far the bulk syncs from an org have come, how fast they are and how long they will take (BLK-5)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from orgsync_reconcile.clock import iso
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.leases import Lease, bulk_lease, leases
from orgsync_reconcile.stores.sql.org import Org

#: Progress of less time than this, in seconds, says nothing about the speed.
_SHORTEST = 0.001


def holder_of_bulk(primary: Org | None, connection: str, source: Side) -> Lease | None:
    """Who is at the bulk syncs from `source`: their lock stands in the primary.

    None for nobody, and where no process of this host has the holder's number. This only looks: whether a holder lives
    is told for sure by taking its lock.
    """
    found = leases(primary) if primary is not None else ()
    return next((item for item in found if item.name == bulk_lease(connection, source) and not item.dead), None)


def bulk_progress(target: Org, number: int, holder: Lease | None, now: datetime) -> list[dict[str, Any]]:
    """One document per object, by name: their checkpoints stand in the target, so any process sees them.

    `holder` is who is at it, which `under_way` tells. Of the object that is being copied,
    `records_per_second` is the speed since that process began with it, and `seconds_left` the estimate; both are None
    of all others, which wait, were cut off, or are finished.
    """
    rows = target.db.execute(
        "SELECT object, copied, failed, remaining, started, finished, resumed_at FROM orgsync_bulk WHERE connection = ?"
        " ORDER BY object",
        [number],
    ).fetchall()
    began = datetime.fromisoformat(holder.at).timestamp() * 1000 if holder else 0.0
    # Objects are copied one after the other: the present one began when the one before it was finished.
    began = max([began, *(row[5] for row in rows if row[5] is not None)])
    found = []
    for name, copied, failed, remaining, started, finished, resumed_at in rows:
        under_way = holder is not None and finished is None
        seconds = now.timestamp() - max(began, started) / 1000
        moved = copied + failed - resumed_at
        speed = moved / seconds if under_way and moved > 0 and seconds >= _SHORTEST else None
        found.append(
            {
                "object": name,
                "copied": copied,
                "failed": failed,
                "remaining": remaining,
                "finished": finished is not None,
                "started": iso(datetime.fromtimestamp(started / 1000, UTC)),
                "under_way": under_way,
                "records_per_second": None if speed is None else round(speed, 1),
                "seconds_left": None if speed is None else round(remaining / speed),
            }
        )
    return found
