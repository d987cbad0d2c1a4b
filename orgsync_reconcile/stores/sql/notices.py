"""Notices that wait to be sent once, and how far the rules have come that write them (LOG-3, SUS-2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orgsync_reconcile.stores.sql.layout import ROW
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.text import commas, quote

EMAIL, WEBHOOK = "email", "webhook"
#: Notices that were sent or given up are kept for so long, in milliseconds: 30 days.
KEPT = 30 * 86_400_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """One notice. `body` is JSON; moments are milliseconds since 1970."""

    connection: str
    key: str
    event: str
    rule: str
    channel: str
    recipient: str
    body: str
    made_at: int
    number: int = 0
    attempts: int = 0
    next_try: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleState:
    """How far a rule has come: the last log entry that it need not look at again, and what it told when."""

    position: int = 0
    told_at: int | None = None
    told: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeCounts:
    """How many notices of a connection wait, and how many of those kept were given up."""

    waiting: int
    given_up: int


def add(org: Org, notice: Notice) -> bool:
    """Adds a notice that is due at once; one with the key of another is that other one. Inside a transaction."""
    cursor = org.db.execute(
        "INSERT OR IGNORE INTO orgsync_notice"
        " (connection, key, event, rule, channel, recipient, body, made_at, next_try) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            notice.connection,
            notice.key,
            notice.event,
            notice.rule,
            notice.channel,
            notice.recipient,
            notice.body,
            notice.made_at,
            notice.made_at,
        ],
    )
    return cursor.rowcount > 0


def due(org: Org, connection: str, now: int, *, far: int, limit: int) -> list[Notice]:
    """The notices that are to be tried now, oldest first.

    A try that is further ahead than `far` milliseconds was set by a clock that has gone backwards since.
    """
    with org.translated():
        rows = org.db.execute(
            "SELECT connection, key, event, rule, channel, recipient, body, made_at, number, attempts, next_try"
            " FROM orgsync_notice WHERE connection = ?1 AND (next_try <= ?2 OR next_try > ?3) ORDER BY number LIMIT ?4",
            [connection, now, now + far, limit],
        ).fetchall()
    names = (
        "connection",
        "key",
        "event",
        "rule",
        "channel",
        "recipient",
        "body",
        "made_at",
        "number",
        "attempts",
        "next_try",
    )
    return [Notice(**dict(zip(names, row, strict=True))) for row in rows]


def claim(org: Org, notice: Notice, until: int) -> bool:
    """Takes a notice for this process, until the moment at which others may try; False where another was faster."""
    with org.transaction() as db:
        cursor = db.execute(
            "UPDATE orgsync_notice SET next_try = ?, attempts = attempts + 1 WHERE number = ? AND next_try = ? AND attempts = ?",
            [until, notice.number, notice.next_try, notice.attempts],
        )
    return cursor.rowcount > 0


def settle(org: Org, notice: Notice, *, next_try: int | None, now: int, error: str = "") -> None:
    """What became of a try: sent or given up (`next_try` None; given up where there is an error), or to be tried again."""
    with org.transaction() as db:
        db.execute(
            "UPDATE orgsync_notice SET next_try = ?, ended_at = ?, error = ? WHERE number = ?",
            [next_try, None if next_try is not None else now, error[:500], notice.number],
        )


def withdraw(org: Org, connection: str, event: str, now: int) -> None:
    """Ends what waits of an event that is no longer so."""
    with org.transaction() as db:
        db.execute(
            "UPDATE orgsync_notice SET next_try = NULL, ended_at = ?, error = 'no longer so'"
            " WHERE connection = ? AND event = ? AND next_try IS NOT NULL",
            [now, connection, event],
        )


def waits(org: Org, connection: str, event: str = "") -> bool:
    """Whether a notice of the connection, or of one of its events, is still to be sent."""
    with org.translated():
        row = org.db.execute(
            "SELECT 1 FROM orgsync_notice WHERE next_try IS NOT NULL AND connection = ?1 AND (?2 = '' OR event = ?2) LIMIT 1",
            [connection, event],
        ).fetchone()
    return row is not None


def counts(org: Org, connection: str) -> NoticeCounts:
    """How many wait, and how many were given up."""
    with org.translated():
        row = org.db.execute(
            "SELECT count(next_try), count(*) FILTER (WHERE next_try IS NULL AND error <> '' AND error <> 'no longer so')"
            " FROM orgsync_notice WHERE connection = ?",
            [connection],
        ).fetchone()
    return NoticeCounts(waiting=row[0], given_up=row[1])


def forget(org: Org, now: int) -> None:
    """Removes what was sent or given up long ago. Inside a transaction."""
    org.db.execute("DELETE FROM orgsync_notice WHERE next_try IS NULL AND ended_at < ?", [now - KEPT])


def rule_state(org: Org, connection: str, rule: str) -> RuleState | None:
    """How far a rule has come in this org; None where it has never been looked at."""
    with org.translated():
        row = org.db.execute(
            "SELECT position, told_at, told FROM orgsync_rule WHERE connection = ? AND rule = ?", [connection, rule]
        ).fetchone()
    return RuleState(position=row[0], told_at=row[1], told=row[2]) if row else None


def set_rule_state(org: Org, connection: str, rule: str, state: RuleState) -> None:
    """Keeps how far a rule has come. Inside a transaction, that of the notices."""
    org.db.execute(
        "INSERT INTO orgsync_rule (connection, rule, position, told_at, told) VALUES (?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT (connection, rule) DO UPDATE SET position = ?3, told_at = ?4, told = ?5",
        [connection, rule, state.position, state.told_at, state.told],
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class NewEntry:
    """An entry of the sync log, as a rule looks at it. `at` is ISO 8601 text."""

    row: int
    number: int
    object: str
    record: str
    event: str
    status: str
    code: str
    description: str
    field: str
    at: str


def log_head(org: Org) -> int:
    """The row number of the newest entry of the sync log; 0 where it is empty."""
    with org.translated():
        row = org.db.execute('SELECT coalesce(max(orgsync_row), 0) FROM "PartnerNetworkSyncLog"').fetchone()
    return int(row[0])


def new_entries(
    org: Org,
    connection: str,
    position: int,
    *,
    objects: Sequence[str],
    statuses: Sequence[str],
    codes: Sequence[str],
) -> Iterator[NewEntry]:
    """The entries of a connection beyond `position`, oldest first, one at a time; the filters are empty for all."""
    filters = (("EntityType", objects), ("Status", statuses), ("Error", codes))
    among = "".join(f" AND l.{quote(name)} IN ({commas('?' for _ in wanted)})" for name, wanted in filters if wanted)
    number = org.db.dialect.whole('l."Name"')
    rows = org.db.execute(
        f"SELECT l.{ROW}, {number}, coalesce(l.\"EntityType\", ''), coalesce(l.\"LocalRecord\", ''),"
        " coalesce(l.\"ConnectionEvent\", ''), coalesce(l.\"Status\", ''), coalesce(l.\"Error\", ''),"
        ' coalesce(l."Description", \'\'), coalesce(l."FieldName", \'\'), l."CreatedDate"'
        ' FROM "PartnerNetworkSyncLog" AS l JOIN orgsync_connection AS c ON c.id = l."ConnectionId"'
        f' WHERE l.{ROW} > ? AND c.name = ? AND l."IsDeleted" = FALSE{among} ORDER BY l.{ROW}',
        [position, connection, *objects, *statuses, *codes],
    )
    names = ("row", "number", "object", "record", "event", "status", "code", "description", "field", "at")
    for row in rows:
        yield NewEntry(**dict(zip(names, row, strict=True)))
