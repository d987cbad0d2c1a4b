"""Users of an org as user sync sees them: plain fields, profile, role and permission sets by name, managers (USR-*)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orgsync_reconcile.model.actual import STANDARD_LICENSES
from orgsync_reconcile.model.schema import COMPUTED, FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.rows import insert_row
from orgsync_reconcile.stores.sql.text import commas, quote

#: Fields that are carried by rules of their own.
_BY_RULE = frozenset({"Username", "IsActive", "ProfileId", "UserRoleId"})
#: Ids per statement, below every limit of bound parameters.
_CHUNK = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """One user. `values`: plain columns as stored; `people`: columns that name other users -> their Ids here."""

    id: str
    username: str
    active: bool
    license: str
    profile: str
    role: str
    permission_sets: frozenset[str]
    values: Mapping[str, Any] = field(default_factory=dict)
    people: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def standard(self) -> bool:
        """Whether user sync copies this user (USR-1)."""
        return self.license in STANDARD_LICENSES


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonColumns:
    """The columns of User that both orgs have: plain ones, and those that name other users."""

    plain: tuple[str, ...]
    people: tuple[str, ...]
    #: The fields of User in the org that is written to.
    fields: Mapping[str, FieldDef] = field(default_factory=dict)


def common_columns(source: ObjectDef, target: ObjectDef) -> PersonColumns:
    """The fields of User that travel: the org's own upkeep, computed fields and password state never do (USR-3)."""
    shared = [item for name, item in source.fields.items() if _same(item, target.fields.get(name))]
    return PersonColumns(
        plain=tuple(column for item in shared if not item.is_reference for column in item.columns),
        people=tuple(item.name for item in shared if item.is_reference and "User" in item.reference_to),
        fields=target.fields,
    )


def _same(mine: FieldDef, other: FieldDef | None) -> bool:
    if other is None or mine.name in _BY_RULE or mine.read_only or other.read_only:
        return False
    return mine.shape == other.shape and mine.type not in COMPUTED and mine.type is not FieldType.EXTERNAL_LOOKUP


def read_people(
    org: Org, columns: PersonColumns, ids: Sequence[str] | None = None, usernames: Sequence[str] | None = None
) -> list[Person]:
    """Users by Id or by username (ignoring case), or all of them, in order of their creation."""
    if ids is None and usernames is None:
        return _read(org, columns, "TRUE", ())
    column, wanted = (
        ('u."Id"', list(ids)) if ids is not None else ('NOT u."IsDeleted" AND lower(u."Username")', _lowered(usernames))
    )
    found: list[Person] = []
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        found.extend(_read(org, columns, f"{column} IN ({commas('?' for _ in part)})", part))
    return found


def _lowered(names: Sequence[str] | None) -> list[str]:
    return [name.lower() for name in names or ()]


def _read(org: Org, columns: PersonColumns, condition: str, values: Sequence[str]) -> list[Person]:
    extra = [*columns.plain, *columns.people]
    rows = org.db.execute(
        'SELECT u."Id", u."Username", u."IsActive" AND NOT u."IsDeleted", coalesce(w."Name", \'\'), coalesce(p."Name", \'\'),'
        ' coalesce(r."DeveloperName", r."Name", \'\')'
        + "".join(f", u.{quote(name)}" for name in extra)
        + ' FROM main."User" AS u'
        ' LEFT JOIN main."Profile" AS p ON p."Id" = u."ProfileId"'
        ' LEFT JOIN main."UserLicense" AS w ON w."Id" = p."UserLicenseId"'
        f' LEFT JOIN main."UserRole" AS r ON r."Id" = u."UserRoleId" WHERE {condition} ORDER BY u.orgsync_row',
        list(values),
    ).fetchall()
    sets = _permission_sets(org, condition, values)
    plain = len(columns.plain)
    return [
        Person(
            id=row[0],
            username=row[1],
            active=bool(row[2]),
            license=row[3],
            profile=row[4],
            role=row[5],
            permission_sets=frozenset(sets.get(row[0], ())),
            values=dict(zip(columns.plain, row[6 : 6 + plain], strict=True)),
            people=dict(zip(columns.people, row[6 + plain :], strict=True)),
        )
        for row in rows
    ]


def _permission_sets(org: Org, condition: str, values: Sequence[str]) -> dict[str, set[str]]:
    """User -> names of the permission sets that were assigned; the one inside each profile is none of them."""
    rows = org.db.execute(
        'SELECT a."AssigneeId", s."Name" FROM main."PermissionSetAssignment" AS a'
        ' JOIN main."PermissionSet" AS s ON s."Id" = a."PermissionSetId" AND NOT s."IsOwnedByProfile"'
        f' JOIN main."User" AS u ON u."Id" = a."AssigneeId" WHERE a."IsDeleted" = FALSE AND {condition}',
        list(values),
    )
    found: dict[str, set[str]] = {}
    for user, name in rows:
        found.setdefault(user, set()).add(name)
    return found


@dataclass(kw_only=True, slots=True)
class Setup:
    """What users of an org can be given, by name -> Id, and how many seats each licence has left."""

    profiles: dict[str, str]
    #: profile name -> licence
    licenses: dict[str, str]
    roles: dict[str, str]
    permission_sets: dict[str, str]
    free: dict[str, int]


def read_setup(org: Org) -> Setup:
    """Profiles, roles, permission sets and free licences of an org."""
    db = org.db
    profiles = db.execute(
        'SELECT p."Name", p."Id", coalesce(w."Name", \'\') FROM main."Profile" AS p'
        ' LEFT JOIN main."UserLicense" AS w ON w."Id" = p."UserLicenseId" WHERE p."IsDeleted" = FALSE'
    ).fetchall()
    used = dict(
        db.execute(
            'SELECT p."UserLicenseId", count(*) FROM main."User" AS u JOIN main."Profile" AS p ON p."Id" = u."ProfileId"'
            ' WHERE u."IsActive" = TRUE AND u."IsDeleted" = FALSE GROUP BY 1'
        ).fetchall()
    )
    return Setup(
        profiles={row[0]: row[1] for row in profiles},
        licenses={row[0]: row[2] for row in profiles},
        roles=dict(
            db.execute(
                'SELECT coalesce("DeveloperName", "Name"), "Id" FROM main."UserRole" WHERE "IsDeleted" = FALSE'
            ).fetchall()
        ),
        permission_sets=dict(
            db.execute(
                'SELECT "Name", "Id" FROM main."PermissionSet" WHERE "IsDeleted" = FALSE AND NOT "IsOwnedByProfile"'
            ).fetchall()
        ),
        free={
            row[0]: int(row[2] or 0) - used.get(row[1], 0)
            for row in db.execute(
                'SELECT "Name", "Id", "TotalLicenses" FROM main."UserLicense" WHERE "IsDeleted" = FALSE'
            )
        },
    )


def assign(org: Org, user: str, setup: Setup, wanted: Iterable[str], *, exactly: bool) -> None:
    """Assigns permission sets by name; `exactly` also takes others away. Inside a transaction (USR-3)."""
    db = org.db
    present = dict(
        db.execute(
            'SELECT a."PermissionSetId", a."Id" FROM main."PermissionSetAssignment" AS a'
            ' JOIN main."PermissionSet" AS s ON s."Id" = a."PermissionSetId" AND NOT s."IsOwnedByProfile"'
            ' WHERE a."AssigneeId" = ? AND a."IsDeleted" = FALSE',
            [user],
        ).fetchall()
    )
    needed = {setup.permission_sets[name] for name in wanted}
    for permission_set in sorted(needed - present.keys()):
        insert_row(org, "PermissionSetAssignment", {"AssigneeId": user, "PermissionSetId": permission_set})
    if exactly:
        for permission_set in sorted(present.keys() - needed):
            db.execute(
                'UPDATE main."PermissionSetAssignment" SET "IsDeleted" = TRUE WHERE "Id" = ?', [present[permission_set]]
            )
