"""What stands in an org's queue besides records: control events, bulk syncs under way, Ids that are missing (QUE-2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from orgsync_reconcile.clock import iso
from orgsync_reconcile.model.events import ControlEvent, Lane, QueueAction
from orgsync_reconcile.model.records import QueueItem
from orgsync_reconcile.stores.sql import events
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.text import EVERY

#: An action or operation that no program of ours writes.
UNKNOWN = "Unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """One direction of a connection as its queue is read: the org that sends, and the partner where it can be read.

    The numbers are the connection's in each; without the partner, what only it knows is left out.
    """

    org: Org
    number: int
    connection: str
    partner: Org | None = None
    partner_number: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlCounts:
    """How many control events and bulk syncs wait for their turn or are under way, and wait for their next try."""

    pending: int
    retrying: int


def count_control(way: Way) -> ControlCounts:
    """The size of the queue besides records. Ids that are missing are none of it: they come with their records."""
    waiting = _waiting(way)
    retrying = sum(1 for event in waiting if event.attempts)
    return ControlCounts(pending=len(waiting) - retrying + len(list(_bulk_syncs(way))), retrying=retrying)


def read_control(way: Way) -> Iterator[QueueItem]:
    """The events in the order of their delivery, then the bulk syncs."""
    for event in _waiting(way):
        known = event.action in set(QueueAction) and not event.broken
        yield QueueItem(
            org=way.org.label,
            action=event.action if known else UNKNOWN,
            object=event.object or way.connection,
            record=event.subject or way.connection,
            queued_at=moment(event.at),
            attempts=event.attempts,
            next_retry="" if event.next_retry is None else moment(event.next_retry),
            error=event.error,
            detail=events.described("", event.detail),
        )
    yield from _bulk_syncs(way)


def _waiting(way: Way) -> list[ControlEvent]:
    """The events that the partner has not carried out: the connection's state, the maps, the org's own work."""
    found: list[ControlEvent] = []
    for lane in Lane:
        after = 0
        if way.partner is not None and lane is not Lane.OWN:
            after = events.watermark(way.partner, way.partner_number, lane)
        found.extend(events.read_events(way.org, way.number, lane, after=after))
    return found


def _bulk_syncs(way: Way) -> Iterator[QueueItem]:
    """Bulk syncs from this org that are under way or interrupted: their checkpoints stand in the target (BLK-4)."""
    if way.partner is None:
        return
    for name, remaining, started in way.partner.db.execute(
        "SELECT object, remaining, started FROM orgsync_bulk WHERE connection = ? AND finished IS NULL ORDER BY object",
        [way.partner_number],
    ):
        yield QueueItem(
            org=way.org.label,
            action=QueueAction.BULK_SYNC,
            object=name,
            record=way.connection,
            queued_at=moment(started),
            detail=f"{remaining} remaining",
        )


def read_missing(way: Way, *, limit: int | None = None) -> Iterator[QueueItem]:
    """Lookups and users of records that were sent, which wait in the partner for the Id of their parent there (LKP-2)."""
    if way.partner is None:
        return
    partners = "SELECT local FROM orgsync_link WHERE partner = ? AND connection = ?"
    for name, record, field, parent in way.partner.db.stream(
        "SELECT o.name, w.record, w.field, w.parent FROM orgsync_waiting AS w JOIN orgsync_object AS o ON o.number = w.object"
        " WHERE w.connection = ? ORDER BY w.parent, w.record, w.field LIMIT ?",
        [way.partner_number, EVERY if limit is None else limit],
    ):
        local = way.org.db.execute(partners, [record, way.number]).fetchone()
        yield QueueItem(
            org=way.org.label,
            action=QueueAction.MISSING_PARTNER_ID,
            object=name,
            record=local[0] if local else record,
            detail=f"{field} waits for {parent}",
        )


def moment(milliseconds: object) -> str:
    """The moment as orgs store it; empty where somebody has put something else into the table."""
    try:
        return iso(datetime.fromtimestamp(int(str(milliseconds)) / 1000, UTC))
    except (ValueError, OverflowError, OSError):
        return ""
