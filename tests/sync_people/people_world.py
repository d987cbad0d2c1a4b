"""Two connected orgs, and short ways to make users in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from orgsync_reconcile.model.connection import ConnectionStatus, ContactRef, Side, SyncOptions
from orgsync_reconcile.stores.sql import contacts
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.rows import insert_row
from orgsync_reconcile.stores.urls import create_store, open_store
from orgsync_reconcile.sync import lifecycle
from orgsync_reconcile.sync.drain import drain
from orgsync_reconcile.sync.users import UserReport, sync_all_users

NAME = "acme-dr"
ADMINS = {"acme": "admin@acme.example", "acme-secondary": "admin@acme.example.dr"}
LICENSES = {"Salesforce": 6, "Salesforce Platform": 2, "Chatter Free": 10}
CONTACT = ContactRef(first_name="Elise", last_name="Medina", email="elise@acme.example", account="Acme")


def clock() -> datetime:
    return datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def make_orgs(address: Callable[[str], str]) -> None:
    for name, admin in ADMINS.items():
        new = NewOrg(name=name, admin=admin, licenses=LICENSES, features=["salesforce-to-salesforce"])
        create_store(address(name), new, base=Path()).close()


class People:
    """Two orgs; `connect` joins them."""

    def __init__(self, addresses: Mapping[str, str], stack: ExitStack) -> None:
        self.primary, self.secondary = (
            stack.enter_context(open_store(addresses[name], base=Path(), label=name)) for name in ADMINS
        )
        self.ends = lifecycle.Ends(
            primary=self.primary,
            secondary=self.secondary,
            primary_admin=ADMINS["acme"],
            secondary_admin=ADMINS["acme-secondary"],
        )

    def invite(self, options: SyncOptions = SyncOptions()) -> None:  # noqa: B008
        contacts.create_contact(self.primary, CONTACT)
        lifecycle.invite(
            self.ends, NAME, owner=ADMINS["acme"], contact=CONTACT, options=options, settings={}, clock=clock
        )

    def accept(self, options: SyncOptions = SyncOptions()) -> None:  # noqa: B008
        lifecycle.accept(self.ends, NAME, options=options, status=ConnectionStatus.USERS_INITIAL_SYNC, clock=clock)

    def connect(self, options: SyncOptions = SyncOptions()) -> People:  # noqa: B008
        self.invite(options)
        self.accept(options)
        lifecycle.advance(self.ends, NAME, ConnectionStatus.ACCEPTED, clock=clock)
        return self

    def forth(self) -> UserReport:
        return sync_all_users(self.primary, self.secondary, NAME, Side.PRIMARY, clock)

    def back(self) -> UserReport:
        return sync_all_users(self.secondary, self.primary, NAME, Side.SECONDARY, clock)

    def drain(self) -> None:
        drain(Pair(self.primary, self.secondary, NAME), clock=clock)


def id_of(org: Org, table: str, name: str) -> str:
    row = org.db.execute(f'SELECT "Id" FROM "{table}" WHERE "Name" = ?', [name]).fetchone()
    return str(row[0])


def add_user(org: Org, username: str, profile: str = "Standard User", **more: object) -> str:
    values = {
        "Username": username,
        "LastName": username.partition("@")[0].title(),
        "Email": "people@acme.example",
        "Alias": username[:8],
        "ProfileId": id_of(org, "Profile", profile),
    }
    return insert_row(org, "User", {**values, **more})


def add_role(org: Org, name: str) -> str:
    return insert_row(org, "UserRole", {"Name": name, "DeveloperName": name})


def add_permission_set(org: Org, name: str) -> str:
    return insert_row(org, "PermissionSet", {"Name": name, "Label": name})


def assign(org: Org, user: str, permission_set: str) -> str:
    return insert_row(org, "PermissionSetAssignment", {"AssigneeId": user, "PermissionSetId": permission_set})


def find(org: Org, username: str, *columns: str) -> tuple[object, ...] | None:
    """Columns of the user with that username; None where there is none."""
    wanted = ", ".join(f'u."{name}"' for name in columns) or 'u."Id"'
    row = org.db.execute(f'SELECT {wanted} FROM "User" AS u WHERE u."Username" = ?', [username]).fetchone()
    return None if row is None else tuple(row)


def sets_of(org: Org, username: str) -> set[str]:
    rows = org.db.execute(
        'SELECT s."Name" FROM "PermissionSetAssignment" AS a JOIN "PermissionSet" AS s ON s."Id" = a."PermissionSetId"'
        ' JOIN "User" AS u ON u."Id" = a."AssigneeId" WHERE u."Username" = ? AND a."IsDeleted" = FALSE',
        [username],
    )
    return {row[0] for row in rows}
