"""An org's users with what they may do, and its licences, for plans (USR-1, CON-8, CON-11)."""

from __future__ import annotations

from collections.abc import Mapping

from orgsync_reconcile.model.actual import UserInfo
from orgsync_reconcile.model.component import canonical, digest
from orgsync_reconcile.model.schema import FieldType, ObjectDef
from orgsync_reconcile.stores.sql.kinship import identities
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.text import commas, quote

_NOT_COPIED = frozenset({FieldType.FORMULA, FieldType.ROLL_UP_SUMMARY, FieldType.AUTO_NUMBER, FieldType.LOOKUP})


def synced_user_columns(user: ObjectDef) -> tuple[str, ...]:
    """The plain columns of a user that sync: all that people write, but references, which go by name (USR-3)."""
    return tuple(
        column
        for field in user.fields.values()
        if field.type not in _NOT_COPIED and not field.read_only
        for column in field.columns
    )


def read_users(org: Org, user: ObjectDef) -> dict[str, UserInfo]:
    """Username -> user, sorted, inactive ones too; `user` is the org's definition of the object."""
    columns = synced_user_columns(user)
    grants = _grants(org)
    sets = _permission_sets(org)
    known_as = identities(org)
    rows = org.db.execute(
        'SELECT u."Id", u."Username", coalesce(u."Name", \'\'), u."Email", u."IsActive", p."Id",'
        " coalesce(p.\"Name\", ''), coalesce(r.\"DeveloperName\", ''), coalesce(l.\"Name\", ''),"
        " coalesce(m.\"Username\", ''), "
        + commas(f"u.{quote(name)}" for name in columns)
        + ' FROM "User" AS u LEFT JOIN "Profile" AS p ON p."Id" = u."ProfileId"'
        ' LEFT JOIN "UserLicense" AS l ON l."Id" = p."UserLicenseId"'
        ' LEFT JOIN "UserRole" AS r ON r."Id" = u."UserRoleId"'
        ' LEFT JOIN "User" AS m ON m."Id" = u."ManagerId"'
        ' WHERE u."IsDeleted" = FALSE ORDER BY u."Username"'
    )
    users: dict[str, UserInfo] = {}
    for id_, username, name, email, active, profile_id, profile, role, license_, manager, *values in rows:
        assigned = sets.get(id_, {})
        named = [profile, role, manager, sorted(assigned.values())]
        users[username] = UserInfo(
            id=id_,
            username=username,
            name=name,
            email=email or "",
            license=license_,
            profile=profile,
            role=role,
            permission_sets=frozenset(assigned.values()),
            permissions=frozenset().union(
                grants.get(profile_id, frozenset()), *(grants.get(holder, frozenset()) for holder in assigned)
            ),
            active=bool(active),
            known_as=known_as[id_],
            hash=digest(canonical([named, dict(zip(columns, map(_plain, values), strict=True))])),
        )
    return users


def _plain(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value


def _grants(org: Org) -> dict[str, frozenset[str]]:
    """Profile or permission set -> the permissions that it grants."""
    found: dict[str, set[str]] = {}
    for holder, permission in org.db.execute("SELECT holder, permission FROM orgsync_grant"):
        found.setdefault(holder, set()).add(permission)
    return {holder: frozenset(names) for holder, names in found.items()}


def _permission_sets(org: Org) -> dict[str, dict[str, str]]:
    """User -> Id and name of the assigned permission sets."""
    found: dict[str, dict[str, str]] = {}
    for user, holder, name in org.db.execute(
        'SELECT a."AssigneeId", s."Id", s."Name" FROM "PermissionSetAssignment" AS a'
        ' JOIN "PermissionSet" AS s ON s."Id" = a."PermissionSetId" WHERE a."IsDeleted" = FALSE AND s."IsDeleted" = FALSE'
    ):
        found.setdefault(user, {})[holder] = name
    return found


def read_licenses(org: Org, users: Mapping[str, UserInfo]) -> dict[str, tuple[int, int]]:
    """Licence -> (seats, seats that active users take) (CON-8)."""
    used: dict[str, int] = {}
    for user in users.values():
        if user.active:
            used[user.license] = used.get(user.license, 0) + 1
    rows = org.db.execute(
        'SELECT "Name", coalesce("TotalLicenses", 0) FROM "UserLicense" WHERE "IsDeleted" = FALSE ORDER BY "Name"'
    )
    return {name: (total, used.get(name, 0)) for name, total in rows}
