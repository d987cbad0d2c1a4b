"""Who acts in an org, and what they may do there (CON-4, CON-11)."""

from __future__ import annotations

from orgsync_reconcile.errors import PermissionDeniedError
from orgsync_reconcile.stores.sql.org import Org

MANAGE_CONNECTIONS = "ManageConnections"


def user_id(org: Org, username: str) -> str | None:
    """The Id of the active user with that username, which ignores case; None where there is none."""
    row = org.db.execute(
        'SELECT "Id" FROM "User" WHERE lower("Username") = lower(?) AND "IsDeleted" = FALSE AND "IsActive" = TRUE',
        [username],
    ).fetchone()
    return str(row[0]) if row else None


def permissions_of(org: Org, user: str) -> frozenset[str]:
    """A user's system permissions, from the profile and the assigned permission sets."""
    rows = org.db.execute(
        'SELECT g.permission FROM "User" AS u JOIN orgsync_grant AS g ON g.holder = u."ProfileId" WHERE u."Id" = ?1'
        ' UNION SELECT g.permission FROM "PermissionSetAssignment" AS a'
        ' JOIN orgsync_grant AS g ON g.holder = a."PermissionSetId" WHERE a."AssigneeId" = ?1 AND a."IsDeleted" = FALSE',
        [user],
    )
    return frozenset(row[0] for row in rows)


def require(org: Org, username: str, *permissions: str) -> str:
    """The Id of the acting user, who must be active and have these permissions. Raises PermissionDeniedError."""
    with org.translated():
        user = user_id(org, username)
        if user is None:
            raise PermissionDeniedError(
                f"{username}, who acts here, is no active user of this org",
                where=org.label,
                hint="name an active user of that org as its admin",
            )
        missing = sorted(set(permissions) - permissions_of(org, user))
    if missing:
        raise PermissionDeniedError(
            f"{username} lacks {', '.join(missing)}",
            where=org.label,
            hint=f"grant {'it' if len(missing) == 1 else 'them'} by the profile or a permission set; nothing was changed",
        )
    return user


def require_read(org: Org, username: str, object_name: str) -> str:
    """The Id of the acting user, who must be allowed to read records of the object. Raises PermissionDeniedError.

    Every record, or those of the object, by the profile or a permission set (FWD-4).
    """
    user = require(org, username)
    with org.translated():
        held = permissions_of(org, user)
    if not held & {"ViewAllData", "ModifyAllData", f"Read{object_name}"}:
        raise PermissionDeniedError(
            f"{username} may not read {object_name} records",
            where=org.label,
            hint=f"grant Read on {object_name}, or View All Data, by the profile or a permission set",
        )
    return user
