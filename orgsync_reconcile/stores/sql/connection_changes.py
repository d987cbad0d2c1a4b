"""What may be changed of a connection while it stands: options, owner, contact, settings (CON-6, CON-7).

Every change is one transaction with its row in the connection history, and changes the org's revision.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.model.events import QueueAction
from orgsync_reconcile.stores.sql import events, history
from orgsync_reconcile.stores.sql.connections import PEOPLE, Connection, get_connection
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.rows import update_row
from orgsync_reconcile.stores.sql.schema import rebuild_triggers


def set_options(
    org: Org,
    name: str,
    *,
    actor: str,
    clock: Clock,
    feeds_and_audit_fields: bool | None = None,
    metadata: bool | None = None,
    users: bool | None = None,
    tell: bool = True,
) -> None:
    """Sets those options that are given; `users` is this org's own switch (CON-6, CON-7).

    `tell` queues the change for the partner, with its row in the history (QUE-2).
    """
    with org.transaction():
        known = get_connection(org, name)
        wanted = {
            "IsSyncAuditFields": (known.feeds_and_audit_fields, feeds_and_audit_fields),
            "IsSyncMetadata": (known.metadata, metadata),
            "IsSyncUsers": (known.users, users),
        }
        changed = {key: int(new) for key, (old, new) in wanted.items() if new is not None and new != old}
        if not changed:
            return
        update_row(org, "PartnerNetworkConnection", known.id, changed)
        if tell:
            detail = ", ".join(f"{key} {'on' if value else 'off'}" for key, value in changed.items())
            history.record_event(org, name, history.UPDATED, detail, actor=actor, clock=clock)
            _tell(org, known, {key: bool(value) for key, value in changed.items()}, actor, clock)
        if "IsSyncUsers" in changed:
            rebuild_triggers(org, PEOPLE)
        org.touch_revision()


def _tell(org: Org, known: Connection, detail: Mapping[str, Any], actor: str, clock: Clock) -> None:
    events.add_event(org, known.number, QueueAction.UPDATE, detail=detail, actor=actor, clock=clock)


def set_owner(org: Org, name: str, owner_id: str, *, actor: str, clock: Clock) -> None:
    """Makes another user of this org the connection's owner (CON-7)."""
    with org.transaction() as db:
        known = get_connection(org, name)
        if known.owner_id == owner_id:
            return
        update_row(org, "PartnerNetworkConnection", known.id, {"PrimaryContactId": owner_id})
        (username,) = db.execute('SELECT "Username" FROM "User" WHERE "Id" = ?', [owner_id]).fetchone()
        history.record_event(org, name, history.UPDATED, f"owner {username}", actor=actor, clock=clock)
        _tell(org, known, {"owner": username}, actor, clock)
        org.touch_revision()


def set_contact(org: Org, name: str, contact_id: str, *, actor: str, clock: Clock) -> None:
    """Makes another Contact record the connection's contact (CON-2, CON-7)."""
    with org.transaction() as db:
        known = get_connection(org, name)
        if known.contact_id == contact_id:
            return
        account, person = db.execute(
            'SELECT "AccountId", "Name" FROM "Contact" WHERE "Id" = ?', [contact_id]
        ).fetchone()
        update_row(org, "PartnerNetworkConnection", known.id, {"ContactId": contact_id, "AccountId": account})
        history.record_event(org, name, history.UPDATED, f"contact {person}", actor=actor, clock=clock)
        _tell(org, known, {"contact": person}, actor, clock)
        org.touch_revision()


def set_settings(org: Org, name: str, changes: Mapping[str, str], *, actor: str, clock: Clock) -> None:
    """Sets some of the connection's settings, all plain text, and keeps the others (CON-7)."""
    with org.transaction() as db:
        known = get_connection(org, name)
        settings = {**known.settings, **changes}
        if settings == known.settings:
            return
        db.execute(
            "UPDATE orgsync_connection SET settings = ? WHERE number = ?",
            [json.dumps(settings, sort_keys=True), known.number],
        )
        changed = {key: value for key, value in sorted(changes.items()) if known.settings.get(key) != value}
        detail = ", ".join(f"{key} {value}" for key, value in changed.items())
        if detail:
            history.record_event(org, name, history.UPDATED, detail, actor=actor, clock=clock)
        org.touch_revision()
