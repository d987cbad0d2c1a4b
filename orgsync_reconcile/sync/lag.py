"""How far one org is behind the other: records and seconds, per direction and object (RTE-2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from orgsync_reconcile.clock import milliseconds
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.stores.sql.connections import find_connection
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.queue import read_queue


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectLag:
    """What of one object has not arrived. `oldest` is the age of the oldest unsent change in seconds, None for none."""

    object: str
    pending: int
    retrying: int
    failed: int
    #: Lookups of records that have arrived, and that wait for the record that they point to.
    waiting: int
    oldest: float | None

    @property
    def behind(self) -> int:
        """Records that the other org does not have as they are here."""
        return self.pending + self.retrying + self.failed


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectionLag:
    """One direction: from the org at `side`. `objects` by name; `status` is the connection's in that org."""

    side: Side
    org: str
    status: ConnectionStatus
    objects: tuple[ObjectLag, ...]

    @property
    def behind(self) -> int:
        """Records of all objects."""
        return sum(item.behind for item in self.objects)

    @property
    def oldest(self) -> float | None:
        """The age of the oldest unsent change, in seconds."""
        return max((item.oldest for item in self.objects if item.oldest is not None), default=None)


def read_lag(side: Side, source: Org, target: Org | None, connection: str, now: datetime) -> DirectionLag | None:
    """How far the other org is behind `source`; None where it does not know the connection.

    Without the target, what the source knows has to do: its own cursor, and no lookups that wait.
    """
    mine = find_connection(source, connection)
    theirs = find_connection(target, connection) if target is not None else None
    if mine is None:
        return None
    pending: dict[str, int] = {}
    oldest: dict[str, float] = {}
    retrying: dict[str, int] = {}
    partner = target if theirs else None
    for item in read_queue(source, mine.number, partner, theirs.number if theirs else 0):
        counts = retrying if item.next_retry else pending
        counts[item.object] = counts.get(item.object, 0) + 1
        age = _age(item.queued_at, now)
        if age is not None:
            oldest[item.object] = max(oldest.get(item.object, 0.0), age)
    failed = _failed(source, mine.number)
    waiting = _waiting(target, theirs.number) if target is not None and theirs else {}
    names = sorted({*pending, *retrying, *failed, *waiting})
    return DirectionLag(
        side=side,
        org=source.label,
        status=mine.status,
        objects=tuple(
            ObjectLag(
                object=name,
                pending=pending.get(name, 0),
                retrying=retrying.get(name, 0),
                failed=failed.get(name, 0),
                waiting=waiting.get(name, 0),
                oldest=oldest.get(name),
            )
            for name in names
        ),
    )


def left_behind(orgs: Mapping[Side, Org | None], connection: str, since: str) -> int:
    """How many changes of the secondary have not arrived in the primary: queued, or failed since that moment."""
    secondary, primary = orgs[Side.SECONDARY], orgs[Side.PRIMARY]
    mine = find_connection(secondary, connection) if secondary is not None else None
    theirs = find_connection(primary, connection) if primary is not None else None
    if secondary is None or mine is None:
        return 0
    queued = sum(
        1 for _ in read_queue(secondary, mine.number, primary if theirs else None, theirs.number if theirs else 0)
    )
    begin = milliseconds(datetime.fromisoformat(since)) if since else 0
    row = secondary.db.execute(
        "SELECT count(*) FROM orgsync_held WHERE connection = ? AND next_retry IS NULL AND queued_at >= ?",
        [mine.number, begin],
    ).fetchone()
    return queued + int(row[0])


def _failed(org: Org, connection: int) -> dict[str, int]:
    rows = org.db.execute(
        "SELECT o.name, count(*) FROM orgsync_held AS h JOIN orgsync_object AS o ON o.number = h.object"
        " WHERE h.connection = ? AND h.next_retry IS NULL GROUP BY o.name",
        [connection],
    )
    return dict(rows.fetchall())


def _waiting(target: Org, connection: int) -> dict[str, int]:
    rows = target.db.execute(
        "SELECT o.name, count(*) FROM orgsync_waiting AS w JOIN orgsync_object AS o ON o.number = w.object"
        " WHERE w.connection = ? GROUP BY o.name",
        [connection],
    )
    return dict(rows.fetchall())


def _age(moment: str, now: datetime) -> float | None:
    """Seconds since a moment, never below zero: the org's clock may be ahead of this one."""
    if not moment:
        return None
    return max((now - datetime.fromisoformat(moment).astimezone(UTC)).total_seconds(), 0.0)
