"""What the mail room needs to know of an org: addresses, since when a connection is suspended, who was told when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orgsync_reconcile.clock import iso
from orgsync_reconcile.model.connection import ConnectionStatus
from orgsync_reconcile.stores.sql import history
from orgsync_reconcile.stores.sql.connections import find_connection
from orgsync_reconcile.stores.sql.org import Org

#: What we keep among an org's settings begins with this and is none of the org's own settings.
OWN_SETTING = "orgsync."


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspension:
    """Since when a connection is suspended in an org, and by whom (a username, or empty).

    `reason` is why it suspended itself, empty where a person did (SUS-3).
    """

    since: datetime
    actor: str
    reason: str = ""


def email_of(org: Org, username: str) -> str:
    """The email address of the active user with that username, which ignores case; empty where there is none."""
    with org.translated():
        row = org.db.execute(
            'SELECT "Email" FROM "User" WHERE lower("Username") = lower(?) AND "IsActive" = TRUE AND "IsDeleted" = FALSE',
            [username],
        ).fetchone()
    return str(row[0]) if row else ""


def owner_email(org: Org, connection: str) -> str:
    """The email address of the connection's owner in this org, if the owner is active; else empty."""
    with org.translated():
        row = org.db.execute(
            'SELECT u."Email" FROM orgsync_connection AS c JOIN "PartnerNetworkConnection" AS p ON p."Id" = c.id'
            ' JOIN "User" AS u ON u."Id" = p."PrimaryContactId" WHERE c.name = ? AND u."IsActive" = TRUE',
            [connection],
        ).fetchone()
    return str(row[0]) if row else ""


def suspension(org: Org, connection: str) -> Suspension | None:
    """The present suspension of the connection in this org; None where it is not suspended here."""
    known = find_connection(org, connection)
    if known is None or known.status is not ConnectionStatus.SUSPENDED:
        return None
    with org.translated():
        row = org.db.execute(
            "SELECT at, actor FROM orgsync_history WHERE connection = ? AND origin = '' AND (event IN (?, ?) OR detail = ?)"
            " ORDER BY number DESC LIMIT 1",
            [connection, history.ADMIN_SUSPENDED, history.SUSPENDED, ConnectionStatus.SUSPENDED.shown],
        ).fetchone()
    if row is None:
        return None
    actor = "" if known.suspended_reason else known.suspended_by or row[1]
    return Suspension(since=datetime.fromisoformat(row[0]), actor=actor, reason=known.suspended_reason)


def last_told(org: Org, subject: str) -> datetime | None:
    """When people were told of a subject last."""
    with org.translated():
        row = org.db.execute("SELECT value FROM orgsync_setting WHERE name = ?", [f"{OWN_SETTING}{subject}"]).fetchone()
    return datetime.fromisoformat(row[0]) if row else None


def move_told(org: Org, subject: str, old: datetime | None, new: datetime | None) -> bool:
    """Sets when people were told of a subject, None for never. False where another process was faster than `old`."""
    with org.transaction() as db:
        before = last_told(org, subject)
        # Stored moments are whole milliseconds.
        if (before and iso(before)) != (old and iso(old)):
            return False
        name = f"{OWN_SETTING}{subject}"
        if new is None:
            db.execute("DELETE FROM orgsync_setting WHERE name = ?", [name])
        else:
            db.execute(
                "INSERT INTO orgsync_setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
                [name, iso(new)],
            )
        return True
