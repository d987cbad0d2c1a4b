"""The contact of a connection: an ordinary Contact record of the org, with its account (CON-2)."""

from __future__ import annotations

from orgsync_reconcile.model.connection import ContactRef
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.rows import insert_row


def find_contact(org: Org, name: str, email: str) -> tuple[str, str | None] | None:
    """(Contact Id, Account Id) of the contact with that full name and email; None where there is none (CON-2)."""
    row = org.db.execute(
        'SELECT "Id", "AccountId" FROM "Contact" WHERE lower("Email") = lower(?) AND "IsDeleted" = FALSE'
        " AND trim(coalesce(\"FirstName\", '') || ' ' || \"LastName\") = ? ORDER BY orgsync_row",
        [email, name],
    ).fetchone()
    return (str(row[0]), row[1]) if row else None


def create_contact(org: Org, contact: ContactRef) -> str:
    """The Id of the connection's contact; made where it is missing, and its account with it (CON-2)."""
    with org.transaction() as db:
        found = find_contact(org, contact.name, contact.email)
        if found is not None:
            return found[0]
        account = db.execute(
            'SELECT "Id" FROM "Account" WHERE "Name" = ? AND "IsDeleted" = FALSE ORDER BY orgsync_row',
            [contact.account],
        ).fetchone()
        account_id = account[0] if account else insert_row(org, "Account", {"Name": contact.account})
        values = {"LastName": contact.last_name, "Email": contact.email, "AccountId": account_id}
        if contact.first_name:
            values["FirstName"] = contact.first_name
        return insert_row(org, "Contact", values)
