"""Making a new org: its file, the standard objects, licences, the administrator (ORG-1, ORG-3)."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path

from orgsync_reconcile import catalog
from orgsync_reconcile.catalog.ids import checksum18
from orgsync_reconcile.errors import StoreError, UsageError
from orgsync_reconcile.stores.sqlite import partner_tables
from orgsync_reconcile.stores.sqlite.handle import STORE_VERSION, SqliteOrg, connect, explain, write_ahead
from orgsync_reconcile.stores.sqlite.schema import deploy_objects

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


def _checked(edition: str, org_type: str, features: Iterable[str]) -> None:
    """Raises UsageError for a word that orgs do not know."""
    for kind, word, known in (
        ("edition", edition, catalog.EDITIONS),
        ("org type", org_type, catalog.ORG_TYPES),
        *(("feature", name, catalog.FEATURES) for name in features),
    ):
        if word not in known:
            raise UsageError(f"unknown {kind} {word!r}", hint=f"one of {', '.join(sorted(known))}")


def create_org(
    path: Path,
    *,
    name: str,
    edition: str = "enterprise",
    org_type: str = "production",
    admin: str = "",
    features: Iterable[str] = (),
    licenses: Mapping[str, int] | None = None,
    namespace: str = "",
) -> SqliteOrg:
    """Makes an org in a new file and opens it. `admin` is the administrator's username.

    Raises StoreError where the file exists or its folder cannot be written, UsageError on unknown words.
    """
    wanted = tuple(features)
    _checked(edition, org_type, wanted)
    if path.exists():
        raise StoreError(f"{path} exists already", where=name, hint="choose another path, or remove the file first")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot make the folder {path.parent}: {error.strerror}", where=name, hint="choose another path"
        ) from None
    partial = path.with_name(f".{path.name}.new")
    partial.unlink(missing_ok=True)
    try:
        db = connect(partial)
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA journal_mode = MEMORY")
        _fill(db, partial, name, edition, org_type, admin or f"admin@{name}.example", wanted, licenses, namespace)
        db.close()
        partial.rename(path)
        db = connect(path)
        write_ahead(db)
        return SqliteOrg(db, path, name)
    except sqlite3.Error as error:
        raise explain(error, name) from error
    finally:
        partial.unlink(missing_ok=True)


def _full_id(id15: str) -> str:
    return id15 + checksum18(id15)


def _fill(
    db: sqlite3.Connection,
    path: Path,
    name: str,
    edition: str,
    org_type: str,
    admin: str,
    features: tuple[str, ...],
    licenses: Mapping[str, int] | None,
    namespace: str,
) -> None:
    code = "".join(secrets.choice(_DIGITS) for _ in range(3))
    org_id = _full_id("00D" + code + "".join(secrets.choice(_DIGITS) for _ in range(9)))
    # The administrator is the first user, so the Id is known before the table is made.
    admin_id = _full_id(f"005{code}000000001")
    text = resources.files("orgsync_reconcile.stores.sqlite").joinpath("system.sql").read_text()
    db.executescript("BEGIN;" + text + "COMMIT;")
    db.execute(
        "INSERT INTO orgsync_org VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        [STORE_VERSION, org_id, code, name, org_type, edition, namespace, admin_id],
    )
    org = SqliteOrg(db, path, name)
    with org.transaction():
        deploy_objects(org, [*partner_tables.ALL, *catalog.standard_objects().values()])
        db.executemany("INSERT INTO orgsync_feature VALUES (?)", [(item,) for item in sorted(set(features))])
        db.executemany("INSERT INTO orgsync_limit VALUES (?, ?)", sorted(catalog.DEFAULT_LIMITS[edition].items()))
        _add_people(org, admin, licenses or DEFAULT_LICENSES)


def _add_people(org: SqliteOrg, admin: str, licenses: Mapping[str, int]) -> None:
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
    db.execute(
        'INSERT INTO "User" ("Id", "Username", "LastName", "Email", "Alias", "CommunityNickname", "ProfileId") VALUES (?, ?, ?, ?, ?, ?, ?)',
        [org.admin_id, admin, "Administrator", admin.removesuffix(".dr"), "admin", "admin", administrator],
    )
