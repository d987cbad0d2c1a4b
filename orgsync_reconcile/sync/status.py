"""The connection's page as data: status, queue, log and history of both orgs (CON-12, QUE-1, LOG-1, SUS-1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import chain, islice
from typing import Any

from orgsync_reconcile.clock import iso
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.model.records import LogEntry, QueueItem
from orgsync_reconcile.stores.sql import notified
from orgsync_reconcile.stores.sql.connections import find_connection
from orgsync_reconcile.stores.sql.history import HistoryEntry, read_history, read_log
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.queue import count_queue, read_queue
from orgsync_reconcile.stores.sql.queue_control import Way, read_control, read_missing
from orgsync_reconcile.sync.bulk_progress import bulk_progress, holder_of_bulk

#: The two orgs of a connection; one that cannot be read is None.
Ends = Mapping[Side, Org | None]

#: How many items of each queue, and of the newest log entries and rows of the history, stand on the page.
LATEST = 5
#: Settings that are documents of their own: who is told of what, and which fields mirror auto-numbers.
_LONG_SETTINGS = ("auto_numbers", "notify")


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """A connection as one org knows it; `number` is its number in that org."""

    number: int
    status: ConnectionStatus
    connection_type: str
    owner: str
    contact: str
    partner: str
    suspended_by: str
    suspended_reason: str
    options: Mapping[str, bool]


def read_end(org: Org, connection: str) -> End | None:
    """What the org's own tables say of the connection; None where it does not know it."""
    row = org.db.execute(
        'SELECT c.number, p."ConnectionStatus", coalesce(p."ConnectionType", \'\'), coalesce(u."Username", \'\'),'
        " coalesce(k.\"Name\", ''), c.partner_name, c.suspended_by,"
        " c.suspended_reason,"
        ' p."IsSyncAuditFields", p."IsSyncMetadata", p."IsSyncUsers"'
        ' FROM orgsync_connection AS c JOIN "PartnerNetworkConnection" AS p ON p."Id" = c.id'
        ' LEFT JOIN "User" AS u ON u."Id" = p."PrimaryContactId" LEFT JOIN "Contact" AS k ON k."Id" = p."ContactId"'
        " WHERE c.name = ?",
        [connection],
    ).fetchone()
    if row is None:
        return None
    return End(
        number=row[0],
        status=ConnectionStatus(row[1]),
        connection_type=row[2],
        owner=row[3],
        contact=row[4],
        partner=row[5],
        suspended_by=row[6],
        suspended_reason=row[7],
        options={
            "feeds_and_audit_fields": bool(row[8]),
            "metadata": bool(row[9]),
            "users": bool(row[10]),
        },
    )


def status(connection: str, ends: Ends, *, now: datetime, down: Mapping[Side, str] | None = None) -> dict[str, Any]:
    """One connection of the `status` document. The whole is Suspended where either org is; a new one is Not connected.

    `down` tells why an end of `ends` is None.
    """
    known = {side: read_end(org, connection) if org else None for side, org in ends.items()}
    shown = [end.status for end in known.values() if end]
    if not shown:
        overall = "Not connected"
    elif ConnectionStatus.SUSPENDED in shown:
        overall = ConnectionStatus.SUSPENDED.shown
    else:
        # The end that lags behind says how far the connection is.
        overall = min(shown, key=list(ConnectionStatus).index).shown
    primary = known[Side.PRIMARY]
    return {
        "name": connection,
        "status": overall,
        "type": primary.connection_type if primary else "",
        "owner": primary.owner if primary else "",
        "contact": primary.contact if primary else "",
        "unreachable": {side.value: why for side, why in (down or {}).items()},
        "settings": _settings(ends[Side.PRIMARY], connection),
        **{side.value: _end_document(connection, side, ends, known, now) for side in Side},
    }


def latest(connection: str, ends: Ends) -> dict[str, Any]:
    """What the page shows of queue, log and history: the first items of each queue, the newest rows of the others."""
    return {
        "queued": [asdict(item) for item in queue(connection, ends, limit=LATEST)],
        "latest_log": [asdict(entry) for entry in log_entries(connection, ends, limit=LATEST)],
        "latest_history": [{"org": org, **asdict(entry)} for org, entry in history(connection, ends, limit=LATEST)],
    }


def _settings(primary: Org | None, connection: str) -> dict[str, str]:
    """The settings that are in force, as text by name: they stand in the primary. Empty while it cannot be read."""
    known = find_connection(primary, connection) if primary else None
    return {name: text for name, text in sorted(known.settings.items()) if name not in _LONG_SETTINGS} if known else {}


def _end_document(
    connection: str, side: Side, ends: Ends, known: Mapping[Side, End | None], now: datetime
) -> dict[str, Any] | None:
    org, end = ends[side], known[side]
    if org is None or end is None:
        return None
    partner, theirs = ends[side.other], known[side.other]
    counts = count_queue(org, end.number, partner if theirs else None, theirs.number if theirs else 0)
    hidden = end.status is ConnectionStatus.SUSPENDED
    return {
        "org": org.label,
        "role": side.value,
        "status": end.status.shown,
        "suspended_by": end.suspended_by or None,
        "suspended": _suspension(org, connection),
        "options": dict(end.options),
        "queue": {"pending": counts.pending, "retrying": counts.retrying},
        "log": _log_counts(org, connection_number=end.number),
        "severed": _severed(org, end.number),
        "published": None if hidden else _objects(org, "orgsync_published", end.number),
        "partner_subscribed": None if hidden else _objects(org, "orgsync_published", end.number, "partner_sub = 1"),
        "subscribed": None if hidden else _objects(org, "orgsync_subscribed", end.number),
        "bulk_sync": []
        if partner is None or theirs is None
        else bulk_progress(partner, theirs.number, holder_of_bulk(ends[Side.PRIMARY], connection, side), now),
    }


def _suspension(org: Org, connection: str) -> dict[str, Any] | None:
    """Since when the end is suspended, by whom, and why where it was by itself (SUS-3)."""
    found = notified.suspension(org, connection)
    if found is None:
        return None
    return {"since": iso(found.since), "by": found.actor or None, "reason": found.reason or None}


def _severed(org: Org, connection: int) -> int:
    """How many records of the org are cut off until they are forwarded (LKP-5)."""
    row = org.db.execute("SELECT count(*) FROM orgsync_link WHERE connection = ? AND status = 4", [connection])
    return int(row.fetchone()[0])


def _objects(org: Org, table: str, connection: int, which: str = "TRUE") -> list[str]:
    rows = org.db.execute(f"SELECT object FROM {table} WHERE connection = ? AND {which} ORDER BY object", [connection])
    return [row[0] for row in rows]


def _log_counts(org: Org, connection_number: int) -> dict[str, int]:
    counts = {"retrying": 0, "failed": 0, "resolved": 0}
    for word, number in org.db.execute(
        'SELECT lower(l."Status"), count(*) FROM "PartnerNetworkSyncLog" AS l'
        ' JOIN orgsync_connection AS c ON c.id = l."ConnectionId"'
        ' WHERE c.number = ? AND l."IsDeleted" = FALSE GROUP BY 1',
        [connection_number],
    ):
        if word in counts:
            counts[word] = number
    return counts


def queue(connection: str, ends: Ends, *, limit: int | None = None) -> list[QueueItem]:
    """What waits to be sent from each org: control events, retrying records, then pending ones in order.

    Last come the Ids that records still wait for. `limit` is per org.
    """
    known = {side: read_end(org, connection) if org else None for side, org in ends.items()}
    items: list[QueueItem] = []
    for side in Side:
        org, end, theirs = ends[side], known[side], known[side.other]
        if org is not None and end is not None:
            way = Way(
                org=org,
                number=end.number,
                connection=connection,
                partner=ends[side.other] if theirs else None,
                partner_number=theirs.number if theirs else 0,
            )
            items.extend(_queue_of(way, limit))
    return items


def _queue_of(way: Way, limit: int | None) -> list[QueueItem]:
    parts = chain(
        read_control(way),
        read_queue(way.org, way.number, way.partner, way.partner_number, limit=limit),
        read_missing(way, limit=limit),
    )
    return list(islice(parts, limit))


def log_entries(connection: str, ends: Ends, *, state: str = "", limit: int = 100) -> list[LogEntry]:
    """The newest entries of both orgs' sync logs, newest first; `state` is one of their statuses, in any case."""
    found = [
        entry
        for org in ends.values()
        if org is not None
        for entry in read_log(org, connection, limit=None if state else limit)
        if not state or entry.status.casefold() == state.casefold()
    ]
    return sorted(found, key=lambda entry: (entry.at, entry.number), reverse=True)[:limit]


def log_entry(ends: Ends, side: Side, number: int) -> LogEntry:
    """One entry by its number in one org's log. Raises OrgsyncError where there is none."""
    org = ends[side]
    found = next((entry for entry in read_log(org, limit=None) if entry.number == number), None) if org else None
    if found is None:
        raise OrgsyncError(
            f"the sync log has no entry {number}",
            where=org.label if org else side.value,
            hint="run orgsync log list to see the entries",
        )
    return found


def history(connection: str, ends: Ends, *, limit: int = 100) -> list[tuple[str, HistoryEntry]]:
    """(org, row) of both orgs' connection histories, newest first (CON-12)."""
    found = [
        (org.label, entry)
        for org in ends.values()
        if org is not None
        for entry in read_history(org, connection, limit=limit)
    ]
    return sorted(found, key=lambda item: (item[1].at, item[1].number), reverse=True)[:limit]
