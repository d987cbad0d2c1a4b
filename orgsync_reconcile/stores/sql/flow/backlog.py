"""What the source has for the target at this moment: entries of its log, held records that are due, people."""

from __future__ import annotations

from datetime import datetime

from orgsync_reconcile.clock import milliseconds
from orgsync_reconcile.stores.sql.flow.flow import Flow


def due(flow: Flow, now: datetime) -> bool:
    """Whether a held record is due for its next try, or its parent has come."""
    low, high = not_due(flow, now)
    row = flow.source.db.execute(
        "SELECT 1 FROM main.orgsync_held AS h WHERE connection = ?1 AND (next_retry <= ?2 OR next_retry > ?3 OR (waits_for <> '' AND EXISTS"
        " (SELECT 1 FROM main.orgsync_link AS l WHERE l.local = h.waits_for AND l.connection = ?1))) LIMIT 1",
        [flow.numbers[0], low, high],
    ).fetchone()
    return row is not None


def not_due(flow: Flow, now: datetime) -> tuple[int, int]:
    """The milliseconds after which, and up to which, a next try is still to come.

    A try that is further ahead than the longest pause was set by a clock that has gone backwards since (QUE-5).
    """
    now_ms = milliseconds(now)
    return now_ms, now_ms + max(flow.pair.retry, default=0) * 1000


def people(flow: Flow, limit: int) -> list[str]:
    """The Ids of users whose record or assignments changed within the next `limit` log entries (USR-3)."""
    low = flow.watermark()
    rows = flow.source.db.execute(
        'SELECT DISTINCT coalesce(a."AssigneeId", c.record) FROM (SELECT object, record, origin FROM main.orgsync_change'
        ' WHERE seq > ? ORDER BY seq LIMIT ?) AS c LEFT JOIN main."PermissionSetAssignment" AS a ON a."Id" = c.record'
        " WHERE c.object IN (SELECT number FROM main.orgsync_object WHERE name IN ('User', 'PermissionSetAssignment'))"
        " AND (c.origin IS NULL OR c.origin <> ?)",
        [low, limit, flow.numbers[0]],
    )
    return [row[0] for row in rows if isinstance(row[0], str) and row[0].startswith("005")]


def last_entry(flow: Flow) -> int:
    """The last position of the log that has entries, 0 where it has none. Asked while the partner is being read."""
    (last,) = flow.partner.row(
        "SELECT coalesce(max(seq), 0) FROM partner.orgsync_change WHERE seq <= ?", [flow.partner.log_end()]
    )
    return int(last)


def window(flow: Flow, low: int, limit: int) -> tuple[int, int, int]:
    """(last position, hops, end of the log) of the next batch: its entries were all made at one distance (ORG-7).

    The batch begins behind position `low` and has about `limit` entries. Asked while the partner is being read.
    """
    ask = flow.partner.row
    # What was logged at one position goes at once, as far as the farthest of it has come.
    head, high, hops = ask(
        "SELECT (SELECT coalesce(max(seq), 0) FROM partner.orgsync_change WHERE seq <= ?2),"
        " (SELECT coalesce(max(seq), ?1) FROM (SELECT seq FROM partner.orgsync_change WHERE seq > ?1 AND seq <= ?2"
        " ORDER BY seq LIMIT ?3) AS w),"
        " (SELECT coalesce(max(hops), 0) FROM partner.orgsync_change"
        " WHERE seq = (SELECT min(seq) FROM partner.orgsync_change WHERE seq > ?1))",
        [low, flow.partner.log_end(), limit],
    )
    if flow.stamped:
        # What has no stamp yet gets it before the next batch.
        (ready,) = ask("SELECT seq FROM partner.orgsync_stamped")
        high = max(min(high, ready), low)
    (mixed,) = ask(
        "SELECT EXISTS (SELECT 1 FROM partner.orgsync_change WHERE seq > ? AND seq <= ? AND coalesce(hops, 0) <> ?)",
        [low, high, hops],
    )
    if not mixed:
        return high, hops, head
    (other,) = ask(
        "SELECT min(seq) FROM (SELECT seq FROM partner.orgsync_change WHERE seq > ? AND seq <= ?"
        " GROUP BY seq HAVING coalesce(max(hops), 0) <> ?) AS w",
        [low, high, hops],
    )
    return (high if other is None else other - 1), hops, head
