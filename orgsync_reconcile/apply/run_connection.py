"""Actions on a connection as a whole: feature, contact, invite, accept, advance, update, suspend, resume, deactivate."""

from __future__ import annotations

from typing import Any

from orgsync_reconcile.apply.context import ApplyContext
from orgsync_reconcile.apply.deliveries import deliver_events
from orgsync_reconcile.errors import StoreError
from orgsync_reconcile.model.connection import ConnectionStatus
from orgsync_reconcile.model.plan import Action
from orgsync_reconcile.plan.settings import connection_settings
from orgsync_reconcile.stores.sql import connection_changes, contacts, features
from orgsync_reconcile.stores.sql.permissions import user_id
from orgsync_reconcile.sync import lifecycle
from orgsync_reconcile.sync.metadata import remember_equal
from orgsync_reconcile.sync.present_users import link_present_users

#: Keys of an update that are options or people; all others are settings.
_OPTIONS = ("feeds_and_audit_fields", "metadata", "users")


def _after(action: Action) -> dict[str, Any]:
    return dict(action.after or {})


def enable_feature(context: ApplyContext, action: Action) -> None:
    """Switch a feature of an org on (CON-1)."""
    features.enable_feature(context.org(action.org), action.address.rsplit("/", 1)[1])


def create_contact(context: ApplyContext, action: Action) -> None:
    """Make the connection's contact in the primary (CON-2)."""
    contacts.create_contact(context.org(action.org), context.connection(action).contact)


def invite(context: ApplyContext, action: Action) -> None:
    """Send the invitation from the primary (CON-4)."""
    wanted = context.connection(action)
    lifecycle.invite(
        context.ends(action),
        action.connection,
        owner=wanted.owner,
        contact=wanted.contact,
        options=wanted.options,
        settings=connection_settings(wanted),
        clock=context.clock,
    )


def accept(context: ApplyContext, action: Action) -> None:
    """Accept in the secondary (CON-4)."""
    lifecycle.accept(
        context.ends(action),
        action.connection,
        options=context.connection(action).options,
        status=ConnectionStatus(_after(action)["status"]),
        clock=context.clock,
    )
    if _after(action)["status"] == ConnectionStatus.ACCEPTED:
        _settle(context, action)


def advance(context: ApplyContext, action: Action) -> None:
    """Move both orgs on to the next status (CON-5)."""
    status = ConnectionStatus(_after(action)["status"])
    if status is ConnectionStatus.ACCEPTED:
        _settle(context, action)
    lifecycle.advance(context.ends(action), action.connection, status, clock=context.clock)


def _settle(context: ApplyContext, action: Action) -> None:
    """Before records flow: what is equal counts as synced, and users who are in both orgs know each other (LKP-6)."""
    ends = context.ends(action)
    remember_equal(ends.primary, ends.secondary)
    link_present_users(ends.primary, ends.secondary, action.connection, context.clock)


def update(context: ApplyContext, action: Action) -> None:
    """Change owner, contact, options or settings of a live connection, and tell the other org (CON-6, CON-7).

    Raises StoreError where the owner or the contact is gone since it was planned.
    """
    after, name = _after(action), action.connection
    org, actor, clock = context.org(action.org), context.actor(action.org), context.clock
    with org.transaction():
        if "owner" in after:
            owner = user_id(org, after["owner"])
            if owner is None:
                raise StoreError(
                    f"the owner {after['owner']} is no active user", where=org.label, hint="name an active user"
                )
            connection_changes.set_owner(org, name, owner, actor=actor, clock=clock)
        if "contact" in after:
            found = contacts.find_contact(org, after["contact"]["name"], after["contact"]["email"])
            if found is None:
                raise StoreError(f"there is no contact {after['contact']['name']}", where=org.label, hint="plan again")
            connection_changes.set_contact(org, name, found[0], actor=actor, clock=clock)
        options = {key: after[key] for key in _OPTIONS if key in after}
        connection_changes.set_options(org, name, **options, actor=actor, clock=clock)
        settings = {key: after[key] for key in after if key not in (*_OPTIONS, "owner", "contact")}
        connection_changes.set_settings(org, name, settings, actor=actor, clock=clock)
    deliver_events(context, name)


def suspend(context: ApplyContext, action: Action) -> None:
    """Suspend one end, as the manifest says (SUS-4)."""
    lifecycle.suspend(
        context.org(action.org),
        action.connection,
        actor=context.actor(action.org),
        by_command=False,
        clock=context.clock,
    )


def resume(context: ApplyContext, action: Action) -> None:
    """Resume one end, as the manifest says (SUS-4)."""
    lifecycle.resume(context.org(action.org), action.connection, actor=context.actor(action.org), clock=context.clock)


def deactivate(context: ApplyContext, action: Action) -> None:
    """End the connection in one org, which tells the other (CON-9)."""
    lifecycle.deactivate(
        context.org(action.org), action.connection, actor=context.actor(action.org), clock=context.clock
    )
    deliver_events(context, action.connection)
