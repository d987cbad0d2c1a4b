"""The life of a connection across its two orgs: invite, accept, advance, suspend, resume, deactivate (CON-*).

Every step may be done twice: what stands already is left as it is, so a run that was killed is finished by the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orgsync_reconcile.catalog.orgs import SALESFORCE_TO_SALESFORCE
from orgsync_reconcile.clock import Clock
from orgsync_reconcile.errors import StoreError
from orgsync_reconcile.failpoints import FailPoint, reach
from orgsync_reconcile.model.connection import ConnectionStatus, ContactRef, Side, SyncOptions
from orgsync_reconcile.stores.sql import connections, contacts, features, history
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.permissions import MANAGE_CONNECTIONS, require, user_id

#: Who acts where no person does.
ITSELF = "orgsync"
#: How a connection comes to life; a step that the options leave out is skipped (CON-5).
STEPS = (
    ConnectionStatus.SENT,
    ConnectionStatus.BULK_SYNC_METADATA,
    ConnectionStatus.USERS_INITIAL_SYNC,
    ConnectionStatus.ACCEPTED,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ends:
    """The two orgs of a connection and who acts in each, by username."""

    primary: Org
    secondary: Org
    primary_admin: str
    secondary_admin: str

    def org(self, side: Side) -> Org:
        """The org at one end."""
        return self.primary if side is Side.PRIMARY else self.secondary

    def admin(self, side: Side) -> str:
        """Who acts at one end."""
        return self.primary_admin if side is Side.PRIMARY else self.secondary_admin

    def check(self) -> None:
        """Both acting users may manage connections (CON-4). Raises PermissionDeniedError."""
        for side in Side:
            require(self.org(side), self.admin(side), MANAGE_CONNECTIONS)


def check_identities(primary: Org, secondary: Org) -> None:
    """Two orgs can be connected only if their Ids never meet. Raises StoreError for a copy, or for equal org codes."""
    if primary.org_id == secondary.org_id:
        raise StoreError(
            f"{secondary.place} is a copy of {primary.place}: both are the org {primary.org_id}",
            where=secondary.label,
            hint="make the secondary with orgsync org create, and import its metadata instead of copying the file",
        )
    if primary.code == secondary.code:
        raise StoreError(
            f"both orgs mint Ids with the code {primary.code}, so their records could not be told apart",
            where=secondary.label,
            hint="make the secondary again with orgsync org create: it gets another code",
        )


def _check_features(ends: Ends) -> None:
    for side in Side:
        org = ends.org(side)
        if SALESFORCE_TO_SALESFORCE not in features.features(org):
            raise StoreError(
                f"{SALESFORCE_TO_SALESFORCE} is switched off",
                where=org.label,
                hint="run: orgsync plan, then apply all of it",
            )


def invite(
    ends: Ends,
    name: str,
    *,
    owner: str,
    contact: ContactRef,
    options: SyncOptions,
    settings: Mapping[str, str],
    clock: Clock,
) -> None:
    """Sends the invitation: the connection in the primary, with status Sent (CON-2, CON-4).

    Raises PermissionDeniedError or StoreError before anything is changed.
    """
    primary, secondary = ends.primary, ends.secondary
    ends.check()
    check_identities(primary, secondary)
    _check_features(ends)
    owner_id = user_id(primary, owner)
    if owner_id is None:
        raise StoreError(
            f"the owner {owner} is no active user", where=primary.label, hint="name an active user of the primary org"
        )
    known = connections.find_connection(primary, name)
    if known is not None and known.status is not ConnectionStatus.INACTIVE:
        _check_partner(primary, known, secondary)
        return
    found = contacts.find_contact(primary, contact.name, contact.email)
    if found is None:
        raise StoreError(
            f"there is no contact {contact.name} with the email {contact.email}",
            where=primary.label,
            hint="run: orgsync plan, then apply all of it",
        )
    connections.create_connection(
        primary,
        name,
        Side.PRIMARY,
        partner_org_id=secondary.org_id,
        partner_name=secondary.name,
        owner_id=owner_id,
        contact_id=found[0],
        options=options,
        status=ConnectionStatus.SENT,
        settings=settings,
        actor=ends.primary_admin,
        clock=clock,
    )


def _check_partner(org: Org, known: connections.Connection, partner: Org) -> None:
    """Raises StoreError where the live connection leads elsewhere."""
    if known.partner_org_id != partner.org_id:
        raise StoreError(
            f"the connection {known.name} leads to the org {known.partner_org_id} ({known.partner_name}),"
            f" not to {partner.org_id} ({partner.name})",
            where=org.label,
            hint="give the new connection another name: the next apply with --allow deactivate ends the old one",
        )


def accept(ends: Ends, name: str, *, options: SyncOptions, status: ConnectionStatus, clock: Clock) -> None:
    """Accepts the invitation with the secondary's own admin, who stands in for users that are missing (CON-4, USR-5).

    `status` is the first step that the options leave in. Raises PermissionDeniedError or StoreError before anything is
    changed.
    """
    primary, secondary = ends.primary, ends.secondary
    ends.check()
    check_identities(primary, secondary)
    _check_features(ends)
    offered = connections.get_connection(primary, name)
    _check_partner(primary, offered, secondary)
    known = connections.find_connection(secondary, name)
    if known is not None and known.status is not ConnectionStatus.INACTIVE:
        _check_partner(secondary, known, primary)
    else:
        connections.create_connection(
            secondary,
            name,
            Side.SECONDARY,
            partner_org_id=primary.org_id,
            partner_name=primary.name,
            owner_id=require(secondary, ends.secondary_admin, MANAGE_CONNECTIONS),
            contact_id=None,
            options=options,
            status=status,
            actor=ends.secondary_admin,
            clock=clock,
        )
    reach(FailPoint.CONNECTION_AFTER_SECONDARY_CREATED)
    connections.join_logs(secondary, name, position=connections.outbox_position(primary, name))
    reach(FailPoint.CONNECTION_AFTER_FIRST_JOIN)
    connections.join_logs(primary, name, position=connections.outbox_position(secondary, name))
    advance(ends, name, status, clock=clock)


def advance(ends: Ends, name: str, status: ConnectionStatus, *, clock: Clock) -> None:
    """Moves both orgs on to `status`; an org that is further already, or suspended, stays where it is (CON-5)."""
    for side in (Side.SECONDARY, Side.PRIMARY):
        org = ends.org(side)
        known = connections.get_connection(org, name)
        if known.status in STEPS and STEPS.index(known.status) < STEPS.index(status):
            connections.set_status(org, name, status, actor=ends.admin(side), clock=clock)
        if side is Side.SECONDARY:
            reach(FailPoint.CONNECTION_AFTER_FIRST_STATUS)


def suspend(org: Org, name: str, *, actor: str, by_command: bool, clock: Clock) -> None:
    """Suspends one end: updates go on queueing, nothing is sent (SUS-1).

    A suspension by command is remembered with who made it, so that no reconcile run resumes it (SUS-4). One that the
    connection made by itself becomes a person's, who alone ends it then. Raises PermissionDeniedError, and StoreError for a connection that is not active.
    """
    require(org, actor, MANAGE_CONNECTIONS)
    known = connections.get_connection(org, name)
    if known.status is ConnectionStatus.SUSPENDED and not known.suspended_reason:
        return
    if known.status not in (ConnectionStatus.ACCEPTED, ConnectionStatus.SUSPENDED):
        raise StoreError(
            f"the connection {name} is {known.status.shown}, and only an active one can be suspended",
            where=org.label,
            hint=f"see: orgsync status {name}",
        )
    connections.set_status(
        org,
        name,
        ConnectionStatus.SUSPENDED,
        actor=actor,
        clock=clock,
        event=history.ADMIN_SUSPENDED,
        suspended_by=actor if by_command else "",
    )


def resume(org: Org, name: str, *, actor: str, clock: Clock) -> None:
    """Resumes one end; what was queued is sent by the next drain (SUS-1). An end that is not suspended stays as it is.

    Raises PermissionDeniedError.
    """
    require(org, actor, MANAGE_CONNECTIONS)
    if connections.get_connection(org, name).status is ConnectionStatus.SUSPENDED:
        connections.set_status(
            org, name, ConnectionStatus.ACCEPTED, actor=actor, clock=clock, event=history.ADMIN_RESUMED
        )


def suspend_automatically(org: Org, name: str, *, reason: str, clock: Clock) -> bool:
    """Suspends this end because the other org cannot be reached (SUS-3); returns whether it was active.

    `reason` is one line for people. A connection that a person suspended, or that is not active yet, stays as it is.
    """
    known = connections.find_connection(org, name)
    if known is None or known.status is not ConnectionStatus.ACCEPTED:
        return False
    connections.set_status(
        org,
        name,
        ConnectionStatus.SUSPENDED,
        actor=ITSELF,
        clock=clock,
        event=history.SUSPENDED,
        suspended_reason=reason,
    )
    return True


def resume_automatically(org: Org, name: str, *, clock: Clock) -> bool:
    """Resumes this end because both orgs are back (SUS-3); returns whether it had suspended itself.

    A suspension by a person is never lifted by this.
    """
    with org.transaction():
        known = connections.find_connection(org, name)
        if known is None or not known.suspended_reason:
            return False
        connections.set_status(org, name, ConnectionStatus.ACCEPTED, actor=ITSELF, clock=clock, event=history.RESUMED)
    return True


def deactivate(org: Org, name: str, *, actor: str, clock: Clock) -> None:
    """Ends the connection at one end: its links are disconnected (CON-9). Raises PermissionDeniedError."""
    require(org, actor, MANAGE_CONNECTIONS)
    connections.deactivate(org, name, actor=actor, clock=clock)
