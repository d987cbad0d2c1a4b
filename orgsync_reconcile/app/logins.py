"""Resetting the passwords of the secondary's users (USR-8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orgsync_reconcile.app.notices import room_of
from orgsync_reconcile.app.workspace import Workspace, open_connection
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.operations.logins import Reset, login_url, users_to_reset
from orgsync_reconcile.operations.logins import reset_passwords as send_links


@dataclass(frozen=True, kw_only=True, slots=True)
class Resets:
    """What became of each user's link; `mail` is False where the manifests have no Mail document: nothing changed."""

    connection: str
    org: str
    users: tuple[Reset, ...]
    mail: bool


def users_concerned(workspace: Workspace, name: str | None, usernames: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The connection's name and the usernames in the secondary that a reset would write to.

    Raises UsageError for names that are no active synced users.
    """
    with open_connection(workspace, name, readonly=True) as found:
        users = users_to_reset(found.secondary, found.desired.name, usernames)
        return found.desired.name, tuple(user.username for user in users)


def reset_passwords(workspace: Workspace, name: str | None, usernames: Sequence[str]) -> Resets:
    """Sends one-time links to the active synced users of the secondary, or to those that are named.

    Raises UsageError for names that are no such users, PermissionDeniedError where the secondary's administrator may
    not manage users, and OrgsyncError where the manifests do not say where users log in.
    """
    with open_connection(workspace, name) as found:
        room = room_of(workspace, found.manifests)
        connection = found.desired.name
        users = users_to_reset(found.secondary, connection, usernames)
        # Without mail no link is made, so none needs an address.
        url = login_url(found.manifests, connection) if room.server else ""
        resets = send_links(
            room,
            found.secondary,
            connection,
            users,
            url=url,
            primary=found.primary.label,
            actor=found.admins[Side.SECONDARY],
            clock=workspace.clock,
        )
        return Resets(connection=connection, org=found.secondary.label, users=resets, mail=room.server is not None)
