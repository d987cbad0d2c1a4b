"""An org's outgoing queue over one connection, as its tables show it: what is pending, retrying, failed (QUE-1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orgsync_reconcile.model.events import QueueAction
from orgsync_reconcile.model.records import QueueItem
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.queue_control import UNKNOWN, Way, count_control, moment
from orgsync_reconcile.stores.sql.text import EVERY, commas

#: Operation of the change log -> the platform's word for the queue action (QUE-2).
ACTIONS = {
    "I": QueueAction.INSERT_RECORD,
    "U": QueueAction.UPDATE_RECORD,
    "D": QueueAction.DELETE_RECORD,
    "R": QueueAction.UNDELETE_RECORD,
    "P": QueueAction.USER_UPSERT,
}

#: The number of no object.
_NO_OBJECT = "-1"

# A change counts where its object flows, it did not arrive over this connection, and the partner will take it: the
# record is linked, or was made after its object was subscribed (QUE-4). Held records are listed on their own.
_PENDING = """
WITH path (object, since) AS ({paths}),
changed AS (
  SELECT CASE WHEN c.object IN ({people}) THEN 'User' ELSE o.name END AS name,
         coalesce(a."AssigneeId", c.record) AS record,
         CASE WHEN c.object IN ({people}) THEN 1 ELSE 0 END AS person,
         c.seq, c.{entry} AS entry, c.at,
         CASE c.op WHEN 'D' THEN 1 WHEN 'R' THEN 2 ELSE 0 END AS life,
         CASE WHEN c.op = 'I' AND c.seq > p.since THEN 1 ELSE 0 END AS made
  FROM orgsync_change AS c
  JOIN orgsync_object AS o ON o.number = c.object
  LEFT JOIN path AS p ON p.object = c.object
  LEFT JOIN "PermissionSetAssignment" AS a ON a."Id" = c.record
  WHERE c.seq > :cursor AND (c.origin IS NULL OR c.origin <> :connection)
    AND (p.object IS NOT NULL OR c.object IN ({people}))
)
SELECT name, record,
       CASE WHEN max(person) = 1 THEN 'P'
            WHEN max(entry * 4 + life) % 4 = 1 THEN 'D'
            WHEN max(entry * 4 + life) % 4 = 2 THEN 'R'
            WHEN max(made) = 1 THEN 'I' ELSE 'U' END AS op,
       min(at) AS queued, min(seq) AS place, min(entry) AS first
FROM changed AS c
WHERE NOT EXISTS (SELECT 1 FROM orgsync_held AS h
                  WHERE h.connection = :connection AND h.record = c.record AND h.next_retry IS NOT NULL)
GROUP BY name, record
HAVING max(person) = 1 OR max(made) = 1
    OR EXISTS (SELECT 1 FROM orgsync_link AS l WHERE l.local = c.record AND l.connection = :connection AND l.status NOT IN (2, 4))
    OR EXISTS (SELECT 1 FROM orgsync_held AS h WHERE h.connection = :connection AND h.record = c.record)
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueCounts:
    """How many records of one org wait to be sent, wait for their next try, or have failed for good."""

    pending: int
    retrying: int
    failed: int


def _pending(org: Org, connection: int, partner: Org | None, partner_connection: int) -> tuple[str, dict[str, int]]:
    """The statement of what is pending, and its parameters. Without the partner, the org's own cursor has to do."""
    if partner is None:
        row = org.db.execute("SELECT seq FROM orgsync_outbox WHERE connection = ?", [connection]).fetchone()
        since: dict[str, int] | None = None
    else:
        row = partner.db.execute("SELECT seq FROM orgsync_inbox WHERE connection = ?", [partner_connection]).fetchone()
        since = dict(
            partner.db.execute(
                "SELECT object, since_seq FROM orgsync_subscribed WHERE connection = ?", [partner_connection]
            ).fetchall()
        )
    published = org.db.execute(
        "SELECT o.number, p.object FROM orgsync_published AS p JOIN orgsync_object AS o ON o.name = p.object"
        " WHERE p.connection = ?",
        [connection],
    )
    paths = [
        f"({int(number)}, {0 if since is None else int(since[name])})"
        for number, name in published
        if since is None or name in since
    ]
    people = org.db.execute(
        "SELECT o.number FROM orgsync_object AS o WHERE o.name IN ('User', 'PermissionSetAssignment') AND EXISTS"
        ' (SELECT 1 FROM "PartnerNetworkConnection" AS p JOIN orgsync_connection AS c ON c.id = p."Id"'
        ' WHERE c.number = ? AND p."IsSyncUsers" = TRUE)',
        [connection],
    )
    statement = _PENDING.format(
        paths=f"VALUES {commas(paths)}" if paths else "SELECT 0, 0 WHERE FALSE",
        people=commas(str(int(row[0])) for row in people) or _NO_OBJECT,
        entry=org.db.dialect.entry,
    )
    return statement, {"cursor": row[0] if row else 0, "connection": connection}


def count_queue(org: Org, connection: int, partner: Org | None = None, partner_connection: int = 0) -> QueueCounts:
    """The size of the org's outgoing queue over the connection with these numbers in the org and in its partner.

    Control events and bulk syncs count as the records do (QUE-2).
    """
    statement, facts = _pending(org, connection, partner, partner_connection)
    (pending,) = org.db.execute(f"SELECT count(*) FROM ({statement}) AS t", facts).fetchone()
    retrying, failed = org.db.execute(
        "SELECT count(next_retry), count(*) - count(next_retry) FROM orgsync_held WHERE connection = ?", [connection]
    ).fetchone()
    way = Way(org=org, number=connection, connection="", partner=partner, partner_number=partner_connection)
    control = count_control(way)
    return QueueCounts(pending=pending + control.pending, retrying=retrying + control.retrying, failed=failed)


def read_queue(
    org: Org,
    connection: int,
    partner: Org | None = None,
    partner_connection: int = 0,
    *,
    limit: int | None = None,
) -> Iterator[QueueItem]:
    """The items of the queue: retrying ones by their next retry, then pending ones in the order of sending.

    Several changes of one record are one item, with the time of the first.
    """
    number = EVERY if limit is None else limit
    found = 0
    for name, record, op, queued, attempts, retry, code, error, waits_for in org.db.stream(
        "SELECT o.name, h.record, h.op, h.queued_at, h.attempts, h.next_retry, h.error_code, h.error, h.waits_for"
        " FROM orgsync_held AS h JOIN orgsync_object AS o ON o.number = h.object"
        " WHERE h.connection = ? AND h.next_retry IS NOT NULL ORDER BY h.next_retry, h.record LIMIT ?",
        [connection, number],
    ):
        found += 1
        yield QueueItem(
            org=org.label,
            action=QueueAction.MISSING_PARTNER_ID if waits_for else ACTIONS.get(op, UNKNOWN),
            object=name,
            record=record,
            queued_at=moment(queued),
            attempts=attempts,
            next_retry=moment(retry),
            error=f"{code}: {error}",
        )
    statement, facts = _pending(org, connection, partner, partner_connection)
    left = EVERY if limit is None else max(limit - found, 0)
    for name, record, op, queued, *_ in org.db.stream(
        f"{statement} ORDER BY place, first LIMIT :left", facts | {"left": left}
    ):
        yield QueueItem(
            org=org.label, action=ACTIONS.get(op, UNKNOWN), object=name, record=record, queued_at=moment(queued)
        )
