"""A replication connection as one of its orgs holds it: made, read, moved from status to status, ended (CON-*).

Every change is one transaction with its row in the connection history, and changes the org's revision.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orgsync_reconcile.clock import Clock, iso
from orgsync_reconcile.errors import StoreError
from orgsync_reconcile.model.connection import ConnectionStatus, Side, SyncOptions
from orgsync_reconcile.model.events import OF_STATE, QueueAction
from orgsync_reconcile.stores.sql import events, history
from orgsync_reconcile.stores.sql.open_rounds import forget_rounds
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.rows import insert_row, update_row
from orgsync_reconcile.stores.sql.schema import rebuild_triggers

#: Objects that are captured while the org's users switch is on (USR-3).
PEOPLE = ("User", "PermissionSetAssignment")


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """One org's own copy of a connection. `users` is this org's switch for its outgoing direction (CON-6)."""

    number: int
    name: str
    id: str
    side: Side
    status: ConnectionStatus
    partner_org_id: str
    partner_name: str
    owner_id: str
    contact_id: str
    feeds_and_audit_fields: bool
    metadata: bool
    users: bool
    suspended_by: str
    #: Why it suspended itself: the other org cannot be reached; empty where a person or nobody did (SUS-3).
    suspended_reason: str
    settings: Mapping[str, str] = field(default_factory=dict)


def find_connection(org: Org, name: str) -> Connection | None:
    """The connection of that name, whatever its status; None where this org has none."""
    with org.translated():
        row = org.db.execute(
            'SELECT c.number, c.name, c.id, c.side, p."ConnectionStatus", c.partner_org_id, c.partner_name,'
            ' coalesce(p."PrimaryContactId", \'\'), coalesce(p."ContactId", \'\'), p."IsSyncAuditFields",'
            ' p."IsSyncMetadata", p."IsSyncUsers", c.suspended_by, c.suspended_reason,'
            " c.settings"
            ' FROM orgsync_connection AS c JOIN "PartnerNetworkConnection" AS p ON p."Id" = c.id WHERE c.name = ?',
            [name],
        ).fetchone()
    if row is None:
        return None
    return Connection(
        number=row[0],
        name=row[1],
        id=row[2],
        side=Side(row[3]),
        status=ConnectionStatus(row[4]),
        partner_org_id=row[5],
        partner_name=row[6],
        owner_id=row[7],
        contact_id=row[8],
        feeds_and_audit_fields=bool(row[9]),
        metadata=bool(row[10]),
        users=bool(row[11]),
        suspended_by=row[12],
        suspended_reason=row[13],
        settings={str(key): str(value) for key, value in json.loads(row[14]).items()},
    )


def get_connection(org: Org, name: str) -> Connection:
    """The connection of that name. Raises StoreError where this org has none."""
    known = find_connection(org, name)
    if known is None:
        raise StoreError(f"there is no connection {name} yet", where=org.label, hint="run: orgsync apply")
    return known


def connection_names(org: Org) -> tuple[str, ...]:
    """All connections of this org by name, inactive ones too."""
    with org.translated():
        return tuple(row[0] for row in org.db.execute("SELECT name FROM orgsync_connection ORDER BY name"))


def log_position(org: Org) -> int:
    """The sequence number of the org's newest change, also when the log has been trimmed since; 0 at first."""
    return org.db.log_end()


def create_connection(
    org: Org,
    name: str,
    side: Side,
    *,
    partner_org_id: str,
    partner_name: str,
    owner_id: str,
    contact_id: str | None,
    options: SyncOptions,
    status: ConnectionStatus,
    actor: str,
    clock: Clock,
    settings: Mapping[str, str] | None = None,
) -> int:
    """Makes the connection in this org and returns its number. Standard connections are left alone (CON-3).

    One of that name that was deactivated comes to life again where it led to the same org, so that its links can be
    revived (PUB-10); where it led to another one, it keeps its history under another name.
    """
    users = options.users_primary if side is Side.PRIMARY else options.users_secondary
    values = {
        "ConnectionName": partner_name,
        "ConnectionStatus": status.value,
        "ConnectionType": "Replication",
        "ReplicationRole": side.value.capitalize(),
        "PrimaryContactId": owner_id,
        "ContactId": contact_id,
        "AccountId": None,
        "IsSyncAuditFields": int(options.feeds_and_audit_fields),
        "IsSyncMetadata": int(options.metadata),
        "IsSyncUsers": int(users),
        "ResponseDate": iso(clock()) if side is Side.SECONDARY else None,
    }
    text = json.dumps(dict(settings or {}), sort_keys=True)
    with org.transaction() as db:
        if contact_id is not None:
            row = db.execute('SELECT "AccountId" FROM "Contact" WHERE "Id" = ?', [contact_id]).fetchone()
            values["AccountId"] = row[0] if row else None
        number = _make_or_revive(org, name, side, partner_org_id, values)
        db.execute(
            "UPDATE orgsync_connection SET side = ?, partner_name = ?, suspended_by = '', suspended_reason = '', settings = ?"
            " WHERE number = ?",
            [side.value, partner_name, text, number],
        )
        # What was logged before the connection is nobody's business here; bulk sync brings what is there.
        db.execute(
            "INSERT INTO orgsync_outbox (connection, seq) VALUES (?1, ?2) ON CONFLICT (connection) DO UPDATE SET seq = ?2",
            [number, log_position(org)],
        )
        db.execute("INSERT OR IGNORE INTO orgsync_inbox (connection) VALUES (?)", [number])
        forget_rounds(db, number)
        history.record_event(org, name, history.STATUS, status.shown, actor=actor, clock=clock)
        rebuild_triggers(org, PEOPLE)
        org.touch_revision()
    return number


def _make_or_revive(org: Org, name: str, side: Side, partner_org_id: str, values: Mapping[str, Any]) -> int:
    """The number of the connection, which is new or was there; one to another org makes room for its name."""
    db, known = org.db, find_connection(org, name)
    if known is not None and known.partner_org_id == partner_org_id:
        events.forget_events(org, known.number)
        update_row(org, "PartnerNetworkConnection", known.id, values)
        return known.number
    if known is not None:
        db.execute("UPDATE orgsync_connection SET name = ? WHERE number = ?", [f"{name}-{known.number}", known.number])
    ((number,),) = db.execute(
        "INSERT INTO orgsync_connection (name, id, side, partner_org_id) VALUES (?, ?, ?, ?) RETURNING number",
        [name, insert_row(org, "PartnerNetworkConnection", values), side.value, partner_org_id],
    ).fetchall()
    return int(number)


def outbox_position(org: Org, name: str) -> int:
    """How far this org's own log was sent over the connection."""
    number = get_connection(org, name).number
    row = org.db.execute("SELECT seq FROM orgsync_outbox WHERE connection = ?", [number]).fetchone()
    return int(row[0])


def join_logs(org: Org, name: str, *, position: int) -> None:
    """Sets the watermark of the partner's log to where the partner begins to send; it never moves back (QUE-3)."""
    with org.transaction() as db:
        number = get_connection(org, name).number
        db.execute(
            f"UPDATE orgsync_inbox SET seq = {db.dialect.greater('seq', '?')} WHERE connection = ?", [position, number]
        )


def set_status(
    org: Org,
    name: str,
    status: ConnectionStatus,
    *,
    actor: str,
    clock: Clock,
    event: str = history.STATUS,
    suspended_by: str = "",
    suspended_reason: str = "",
    tell: bool = True,
) -> None:
    """Moves the connection to a status; where it is there already, nothing happens (CON-5).

    The partner is told of an `event` that is an action of the queue, unless it was the partner who told (QUE-2).

    `suspended_by` is kept with a suspension that a person made by command (SUS-4), `suspended_reason` with one that the
    connection made by itself (SUS-3), which a person's takes the place of.
    """
    with org.transaction() as db:
        known = get_connection(org, name)
        if known.status is status and not (known.suspended_reason and not suspended_reason):
            return
        values = {"ConnectionStatus": status.value}
        if known.side is Side.PRIMARY and known.status is ConnectionStatus.SENT:
            values["ResponseDate"] = iso(clock())
        update_row(org, "PartnerNetworkConnection", known.id, values)
        db.execute(
            "UPDATE orgsync_connection SET suspended_by = ?, suspended_reason = ? WHERE number = ?",
            [suspended_by, suspended_reason, known.number],
        )
        history.record_event(org, name, event, suspended_reason or status.shown, actor=actor, clock=clock)
        if tell and event in OF_STATE:
            detail = {"reason": suspended_reason} if suspended_reason else {}
            events.add_event(org, known.number, QueueAction(event), detail=detail, actor=actor, clock=clock)
        org.touch_revision()


def deactivate(org: Org, name: str, *, actor: str, clock: Clock, tell: bool = True) -> None:
    """Ends the connection in this org: links are disconnected, publications and queue are gone (CON-9).

    `tell` queues the end for the partner, as the only thing that is left to tell. Links stay as disconnected ones, so that the same two orgs can be connected again without duplicates.
    """
    with org.transaction() as db:
        known = get_connection(org, name)
        if known.status is ConnectionStatus.INACTIVE:
            return
        captured = [
            row[0] for row in db.execute("SELECT object FROM orgsync_published WHERE connection = ?", [known.number])
        ]
        captured += [
            row[0] for row in db.execute("SELECT object FROM orgsync_mirror WHERE connection = ?", [known.number])
        ]
        captured += [
            row[0] for row in db.execute("SELECT object FROM orgsync_subscribed WHERE connection = ?", [known.number])
        ]
        db.execute("UPDATE orgsync_link SET status = 2 WHERE connection = ? AND status = 1", [known.number])
        for table in (
            "orgsync_mirror",
            "orgsync_published",
            "orgsync_published_field",
            "orgsync_subscribed",
            "orgsync_subscribed_field",
            "orgsync_held",
            "orgsync_waiting",
            "orgsync_bulk",
            "orgsync_bulk_range",
            "orgsync_failed",
        ):
            db.execute(f"DELETE FROM {table} WHERE connection = ?", [known.number])
        events.forget_events(org, known.number)
        set_status(org, name, ConnectionStatus.INACTIVE, actor=actor, clock=clock, event=history.DEACTIVATED, tell=tell)
        rebuild_triggers(org, [*captured, *PEOPLE])
