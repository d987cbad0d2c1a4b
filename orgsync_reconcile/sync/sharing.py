"""The sharing status of one record: each connection that it is in (FWD-4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from orgsync_reconcile.clock import iso
from orgsync_reconcile.stores.sql.org import Org

#: Status of a link -> the word for it.
_WORDS = {1: "Active", 2: "Disconnected", 4: "Severed"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """A record in one connection, as its org sees it. `since` is ISO 8601 text; empty texts where there is nothing.

    `status`: Active, Disconnected (its object left the connection), Severed (undeleted where changes only arrive, until
    it is forwarded), Retrying or Failed (refused by the partner), Not shared. `direction`: Sent, Received.
    """

    org: str
    connection: str
    object: str
    record: str
    partner_org: str
    partner_record: str
    direction: str
    since: str
    status: str


def object_of(org: Org, record: str) -> str | None:
    """The object of a record that this org has, deleted or not; None where it has none of that Id."""
    row = org.db.execute("SELECT name FROM orgsync_object WHERE key_prefix = ?", [record[:3]]).fetchone()
    if row is None or org.db.execute(f'SELECT 1 FROM "{row[0]}" WHERE "Id" = ?', [record]).fetchone() is None:
        return None
    return str(row[0])


def shares(org: Org, object_name: str, record: str) -> list[Share]:
    """The record in every connection of the org that publishes or subscribes its object, by connection."""
    rows = org.db.execute(
        "SELECT c.name, c.partner_name, l.partner, l.status, l.made_here, l.since, h.next_retry, h.record"
        " FROM orgsync_connection AS c"
        " LEFT JOIN orgsync_link AS l ON l.connection = c.number AND l.local = ?1 AND l.status <> 3"
        " LEFT JOIN orgsync_held AS h ON h.connection = c.number AND h.record = ?1"
        " WHERE l.number IS NOT NULL OR c.number IN (SELECT connection FROM orgsync_published WHERE object = ?2"
        " UNION SELECT connection FROM orgsync_subscribed WHERE object = ?2) ORDER BY c.name",
        [record, object_name],
    ).fetchall()
    found = []
    for name, partner_name, partner, status, received, since, retry, held in rows:
        linked = status is not None
        word = _WORDS[status] if linked else "Not shared"
        if held is not None and word in ("Active", "Not shared"):
            word = "Failed" if retry is None else "Retrying"
        found.append(
            Share(
                org=org.label,
                connection=name,
                object=object_name,
                record=record,
                partner_org=partner_name,
                partner_record=partner or "",
                direction=("Received" if received else "Sent") if linked else "",
                since=iso(datetime.fromtimestamp(since / 1000, UTC)) if linked else "",
                status=word,
            )
        )
    return found


def severed_there(partner: Org, connection: str, partner_record: str) -> bool:
    """Whether the partner's end has severed the record: this end learns of it with the next drain (LKP-5)."""
    row = partner.db.execute(
        "SELECT 1 FROM orgsync_link AS l JOIN orgsync_connection AS c ON c.number = l.connection"
        " WHERE c.name = ? AND l.local = ? AND l.status = 4",
        [connection, partner_record],
    ).fetchone()
    return row is not None
