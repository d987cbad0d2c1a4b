"""Whom an org's users are, for email to many of them (RTE-1)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from orgsync_reconcile.stores.sql.org import Org


def active_emails(org: Org, profiles: Sequence[str] = ()) -> tuple[str, ...]:
    """The email addresses of the org's active users, or of those with one of these profiles, by username."""
    with org.translated():
        rows = org.db.execute(
            'SELECT u."Email" FROM "User" AS u LEFT JOIN "Profile" AS p ON p."Id" = u."ProfileId"'
            ' WHERE u."IsActive" = 1 AND u."IsDeleted" = 0 AND coalesce(u."Email", \'\') <> \'\''
            " AND (?1 = '[]' OR p.\"Name\" IN (SELECT value FROM json_each(?1)))"
            ' ORDER BY lower(u."Username")',
            [json.dumps(list(profiles))],
        ).fetchall()
    return tuple(str(row[0]) for row in rows)
