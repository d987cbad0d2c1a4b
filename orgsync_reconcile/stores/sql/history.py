"""An org's connection history and sync log: what happened, to be read by people and by the org's own triggers."""

from __future__ import annotations

from dataclasses import dataclass

from orgsync_reconcile.clock import Clock, iso
from orgsync_reconcile.model.records import LogEntry
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.rows import insert_row
from orgsync_reconcile.stores.sql.text import EVERY

#: The words of the history (CON-12). Suspending and resuming carry the names of their queue actions.
STATUS = "Connection Status"
UPDATED = "Connection Update"
PUBLISH = "Publish"
UNPUBLISH = "Unpublish"
SUBSCRIBE = "Subscribe"
UNSUBSCRIBE = "Unsubscribe"
ADMIN_SUSPENDED = "Connection Admin Suspended"
ADMIN_RESUMED = "Connection Admin Resumed"
SUSPENDED = "Connection Suspended"
RESUMED = "Connection Resumed"
DEACTIVATED = "Connection Deactivate"
NOTIFICATION = "Notification"
PROTECTION = "Protection"
METADATA_FAILED = "Metadata Failed"
FAILOVER_ANNOUNCED = "Failover Announced"
FAILOVER_STARTED = "Failover Started"
FAILOVER_STOPPED = "Failover Stopped"

#: The events of log entries that are written at once, without retries (LOG-1).
USER_UPSERT = "User Upsert"
METADATA_SYNC = "Metadata Sync"


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryEntry:
    """One row of the connection history. `at` is ISO 8601 text; `origin` the partner whose event was carried out here."""

    number: int
    connection: str
    event: str
    detail: str
    actor: str
    at: str
    origin: str = ""


def record_event(
    org: Org, connection: str, event: str, detail: str, *, actor: str, clock: Clock, origin: str = ""
) -> None:
    """Adds a row to the connection history (CON-12). `origin` names the partner whose event was carried out here."""
    with org.transaction() as db:
        db.execute(
            "INSERT INTO orgsync_history (connection, event, detail, actor, at, origin) VALUES (?, ?, ?, ?, ?, ?)",
            [connection, event, detail, actor, iso(clock()), origin],
        )


def read_history(org: Org, connection: str = "", *, limit: int = 100) -> tuple[HistoryEntry, ...]:
    """The latest rows of the history, newest first; of one connection, or of all."""
    with org.translated():
        rows = org.db.execute(
            "SELECT number, connection, event, detail, actor, at, origin FROM orgsync_history"
            " WHERE ?1 = '' OR connection = ?1 ORDER BY number DESC LIMIT ?2",
            [connection, limit],
        ).fetchall()
    names = ("number", "connection", "event", "detail", "actor", "at", "origin")
    return tuple(HistoryEntry(**dict(zip(names, row, strict=True))) for row in rows)


def log_failure(
    org: Org,
    connection_id: str,
    *,
    entity: str,
    record: str,
    event: str,
    error_code: str,
    description: str,
    field: str = "",
    field_type: str = "",
) -> str:
    """Adds a Failed entry to the sync log and returns its Id: one entry, no retries (LOG-1). Inside a transaction."""
    return insert_row(
        org,
        "PartnerNetworkSyncLog",
        {
            "ConnectionId": connection_id,
            "EntityType": entity[:80],
            "LocalRecord": record[:255],
            "ConnectionEvent": event,
            "Status": "Failed",
            "Error": error_code[:80],
            "FieldName": field or None,
            "FieldType": field_type or None,
            "Description": description,
        },
    )


def read_log(org: Org, connection: str = "", *, limit: int | None = 100) -> tuple[LogEntry, ...]:
    """The latest entries of the org's sync log, newest first; of one connection, or of all (LOG-1)."""
    number = org.db.dialect.whole('l."Name"')
    with org.translated():
        rows = org.db.execute(
            f"SELECT {number}, coalesce(l.\"EntityType\", ''), coalesce(l.\"LocalRecord\", ''),"
            " coalesce(l.\"ConnectionEvent\", ''), coalesce(l.\"Status\", ''), coalesce(l.\"Error\", ''),"
            ' coalesce(l."Description", \'\'), l."CreatedDate" FROM "PartnerNetworkSyncLog" AS l'
            ' LEFT JOIN orgsync_connection AS c ON c.id = l."ConnectionId"'
            " WHERE l.\"IsDeleted\" = FALSE AND (?1 = '' OR c.name = ?1) ORDER BY l.orgsync_row DESC LIMIT ?2",
            [connection, EVERY if limit is None else limit],
        ).fetchall()
    names = ("number", "object", "record", "event", "status", "error_code", "description", "at")
    return tuple(LogEntry(org=org.label, **dict(zip(names, row, strict=True))) for row in rows)
