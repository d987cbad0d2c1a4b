"""Whom an org's users are, for email to many of them (RTE-1)."""

from __future__ import annotations

from collections.abc import Sequence

from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.text import commas


def active_emails(org: Org, profiles: Sequence[str] = ()) -> tuple[str, ...]:
    """The email addresses of the org's active users, or of those with one of these profiles, by username."""
    chosen = f' AND p."Name" IN ({commas("?" for _ in profiles)})' if profiles else ""
    with org.translated():
        rows = org.db.execute(
            'SELECT u."Email" FROM "User" AS u LEFT JOIN "Profile" AS p ON p."Id" = u."ProfileId"'
            ' WHERE u."IsActive" = TRUE AND u."IsDeleted" = FALSE AND coalesce(u."Email", \'\') <> \'\''
            f'{chosen} ORDER BY lower(u."Username")',
            list(profiles),
        ).fetchall()
    return tuple(str(row[0]) for row in rows)
