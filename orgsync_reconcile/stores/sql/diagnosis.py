"""What an org's tables know of one record: its row, its link, its place in the queue, its failure, its bulk sync (DIA-1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from orgsync_reconcile.clock import iso
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.text import commas, quote


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordRow:
    """A record's row; times are ISO 8601 text."""

    deleted: bool
    created: str
    modified: str
    #: Position in the table, by which a bulk sync goes.
    row: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A record's link over a connection, as its own org knows it."""

    partner: str
    status: int
    since: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A record that the partner refused. `next_retry` is empty once it has failed for good."""

    attempts: int
    next_retry: str
    waits_for: str
    code: str
    error: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkRun:
    """The bulk sync of one object towards an org. `cutoff` is empty where all records were taken."""

    cutoff: str
    position: int
    started: str
    finished: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A reference of a record that waits: the partner's Id that it should point to, and what stands there now."""

    field: str
    parent: str
    placeholder: str | None


def object_of(org: Org, record: str) -> str | None:
    """The object that a record Id belongs to, by its key prefix."""
    row = org.db.execute("SELECT name FROM main.orgsync_object WHERE key_prefix = ?", [record[:3]]).fetchone()
    return None if row is None else str(row[0])


def record_row(org: Org, object_name: str, record: str) -> RecordRow | None:
    """The record's row, deleted or not."""
    row = org.db.execute(
        f'SELECT "IsDeleted", "CreatedDate", "LastModifiedDate", orgsync_row FROM main.{quote(object_name)} WHERE "Id" = ?',
        [record],
    ).fetchone()
    return row and RecordRow(deleted=bool(row[0]), created=row[1], modified=row[2], row=row[3])


def values_of(org: Org, object_name: str, record: str, columns: Sequence[str]) -> dict[str, str | int | None]:
    """Column -> value of a record that is there."""
    if not columns:
        return {}
    row = org.db.execute(
        f'SELECT {commas(map(quote, columns))} FROM main.{quote(object_name)} WHERE "Id" = ?', [record]
    ).fetchone()
    return dict(zip(columns, row, strict=True))


def link_status(org: Org, connection: int, record: str) -> Link | None:
    """The record's link, whatever its status."""
    row = org.db.execute(
        "SELECT partner, status, since FROM main.orgsync_link WHERE local = ? AND connection = ?", [record, connection]
    ).fetchone()
    return row and Link(partner=row[0], status=row[1], since=_moment(row[2]))


def held_record(org: Org, connection: int, record: str) -> Held | None:
    """What the partner refused of this record."""
    row = org.db.execute(
        "SELECT attempts, next_retry, waits_for, error_code, error FROM main.orgsync_held"
        " WHERE connection = ? AND record = ?",
        [connection, record],
    ).fetchone()
    if row is None:
        return None
    retry = "" if row[1] is None else _moment(row[1])
    return Held(attempts=row[0], next_retry=retry, waits_for=row[2], code=row[3], error=row[4])


def log_number(org: Org, connection_id: str, record: str) -> int | None:
    """The number of the newest entry of the sync log about a record."""
    row = org.db.execute(
        f'SELECT {org.db.dialect.whole(chr(34) + "Name" + chr(34))} FROM main."PartnerNetworkSyncLog" WHERE "ConnectionId" = ? AND "LocalRecord" = ?'
        ' AND "IsDeleted" = FALSE ORDER BY orgsync_row DESC LIMIT 1',
        [connection_id, record],
    ).fetchone()
    return None if row is None else int(row[0])


def bulk_run(target: Org, connection: int, object_name: str) -> BulkRun | None:
    """The newest bulk sync of an object towards this org."""
    row = target.db.execute(
        "SELECT cutoff, position, started, finished FROM main.orgsync_bulk WHERE connection = ? AND object = ?",
        [connection, object_name],
    ).fetchone()
    return row and BulkRun(cutoff=row[0], position=row[1], started=_moment(row[2]), finished=row[3] is not None)


def waiting_references(target: Org, connection: int, record: str) -> list[Waiting]:
    """The references of a record of this org that wait for what they should point to."""
    rows = target.db.execute(
        "SELECT field, parent, placeholder FROM main.orgsync_waiting WHERE record = ? AND connection = ? ORDER BY field",
        [record, connection],
    )
    return [Waiting(field=row[0], parent=row[1], placeholder=row[2]) for row in rows]


def subscribed_since(target: Org, connection: int, object_name: str) -> str | None:
    """When this org subscribed an object."""
    row = target.db.execute(
        "SELECT since FROM main.orgsync_subscribed WHERE connection = ? AND object = ?", [connection, object_name]
    ).fetchone()
    return None if row is None else str(row[0])


def record_type(org: Org, record: str) -> tuple[str, str] | None:
    """(object, developer name) of a record type."""
    row = org.db.execute(
        'SELECT "SobjectType", "DeveloperName" FROM main."RecordType" WHERE "Id" = ?', [record]
    ).fetchone()
    return None if row is None else (str(row[0]), str(row[1]))


def has_record_type(org: Org, object_name: str, developer_name: str) -> bool:
    """Whether an org has a record type of that name."""
    row = org.db.execute(
        'SELECT 1 FROM main."RecordType" WHERE "SobjectType" = ? AND "DeveloperName" = ? AND "IsDeleted" = FALSE',
        [object_name, developer_name],
    ).fetchone()
    return row is not None


def username_of(org: Org, user: str) -> str:
    """A user's name, or their Id where they are gone."""
    row = org.db.execute('SELECT "Username" FROM main."User" WHERE "Id" = ?', [user]).fetchone()
    return user if row is None else str(row[0])


def _moment(milliseconds: int) -> str:
    return iso(datetime.fromtimestamp(milliseconds / 1000, UTC))
