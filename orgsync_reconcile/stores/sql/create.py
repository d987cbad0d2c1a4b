"""What a new org has from the start: who it is, the standard objects, licences, the administrator (ORG-1, ORG-3)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources

from orgsync_reconcile import catalog
from orgsync_reconcile.catalog.ids import checksum18
from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.stores.sql import partner_tables
from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.org import STORE_VERSION, Org
from orgsync_reconcile.stores.sql.schema import deploy_objects

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
#: User licences that a new org has, unless told otherwise: name -> how many.
DEFAULT_LICENSES = {"Salesforce": 1000, "Salesforce Platform": 1000, "Chatter Free": 5000}
#: Profiles that every org has: metadata name -> (label, licence).
STANDARD_PROFILES = {
    "Admin": ("System Administrator", "Salesforce"),
    "Standard": ("Standard User", "Salesforce"),
    "StandardAul": ("Standard Platform User", "Salesforce Platform"),
    "Chatter Free User": ("Chatter Free User", "Chatter Free"),
}


@dataclass(frozen=True, kw_only=True)
class NewOrg:
    """An org that is to be made. `admin` is the administrator's username.

    Raises UsageError for a word that orgs do not know.
    """

    name: str
    edition: str = "enterprise"
    org_type: str = "production"
    admin: str = ""
    features: Sequence[str] = ()
    licenses: Mapping[str, int] = field(default_factory=lambda: DEFAULT_LICENSES)
    namespace: str = ""

    def __post_init__(self) -> None:
        for kind, word, known in (
            ("edition", self.edition, catalog.EDITIONS),
            ("org type", self.org_type, catalog.ORG_TYPES),
            *(("feature", name, catalog.FEATURES) for name in self.features),
        ):
            if word not in known:
                raise UsageError(f"unknown {kind} {word!r}", hint=f"one of {', '.join(sorted(known))}")


def system_tables() -> str:
    """The statements that make our own tables, as SQLite writes them."""
    return resources.files("orgsync_reconcile.stores.sql").joinpath("system.sql").read_text()


def enter(db: Database, new: NewOrg) -> None:
    """Writes down who the org is, in the tables of its own. Inside a transaction."""
    code = "".join(secrets.choice(_DIGITS) for _ in range(3))
    org_id = _full_id("00D" + code + "".join(secrets.choice(_DIGITS) for _ in range(9)))
    # The administrator is the first user, so the Id is known before the table is made.
    admin_id = _full_id(f"005{code}000000001")
    db.execute(
        "INSERT INTO orgsync_org VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        [STORE_VERSION, org_id, code, new.name, new.org_type, new.edition, new.namespace, admin_id],
    )


def furnish(org: Org, new: NewOrg) -> None:
    """Gives the org its standard objects, features, limits and people. Inside a transaction."""
    deploy_objects(org, [*partner_tables.ALL, *catalog.standard_objects().values()])
    org.db.executemany("INSERT INTO orgsync_feature VALUES (?)", [(item,) for item in sorted(set(new.features))])
    limits = sorted(catalog.DEFAULT_LIMITS[new.edition].items())
    org.db.executemany("INSERT INTO orgsync_limit VALUES (?, ?)", limits)
    _add_people(org, new.admin or f"admin@{new.name}.example", new.licenses)


def _full_id(id15: str) -> str:
    return id15 + checksum18(id15)


def _add_people(org: Org, admin: str, licenses: Mapping[str, int]) -> None:
    """Licences, the standard profiles and the administrator, who holds every permission that we know."""
    db = org.db
    for license_name, total in licenses.items():
        db.execute(
            'INSERT INTO "UserLicense" ("Name", "MasterLabel", "LicenseDefinitionKey", "Status", "TotalLicenses") VALUES (?, ?, ?, ?, ?)',
            [license_name, license_name, license_name.upper().replace(" ", "_")[:40], "Active", total],
        )
    for label, license_name in STANDARD_PROFILES.values():
        db.execute(
            'INSERT INTO "Profile" ("Name", "UserLicenseId") VALUES (?, (SELECT "Id" FROM "UserLicense" WHERE "Name" = ?))',
            [label, license_name],
        )
    (administrator,) = db.execute('SELECT "Id" FROM "Profile" WHERE "Name" = \'System Administrator\'').fetchone()
    db.executemany(
        "INSERT INTO orgsync_grant VALUES (?, ?)", [(administrator, item) for item in sorted(catalog.PERMISSIONS)]
    )
    if not db.dialect.numbers_rows:
        # The Id is given, so its counter has to be told.
        db.set_last_number("User", 1)
    db.execute(
        'INSERT INTO "User" ("Id", "Username", "LastName", "Email", "Alias", "CommunityNickname", "ProfileId") VALUES (?, ?, ?, ?, ?, ?, ?)',
        [org.admin_id, admin, "Administrator", admin.removesuffix(".dr"), "admin", "admin", administrator],
    )
