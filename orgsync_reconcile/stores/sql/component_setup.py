"""What record types, roles, profiles and permission sets mean for an org's setup tables (LKP-6, CON-11, USR-3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from orgsync_reconcile.catalog import LICENSES
from orgsync_reconcile.errors import MetadataError
from orgsync_reconcile.metadata import AccessInfo, permission_set, profile, record_type, role
from orgsync_reconcile.model.component import Component
from orgsync_reconcile.stores.sql.component_schema import own_object
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.rows import insert_row
from orgsync_reconcile.stores.sql.text import commas, quote

#: Takes the org, the component, and what the org has under its key so far. Raises MetadataError and `faults`.
Setup = Callable[[Org, Component, "Component | None"], None]

#: The licence of a profile that names none.
_USUAL_LICENSE = "Salesforce"


def find_row(org: Org, table: str, key: Mapping[str, Any]) -> str | None:
    """The Id of the row with these values that is not deleted, ignoring case."""
    fold = org.db.dialect.fold
    test = " AND ".join(f"{fold(quote(name))} = {fold('?')}" for name in key)
    row = org.db.execute(
        f'SELECT "Id" FROM {quote(table)} WHERE {test} AND "IsDeleted" = FALSE', list(key.values())
    ).fetchone()
    return None if row is None else str(row[0])


def save_row(org: Org, table: str, key: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """Makes or updates the row with this key, if that changes anything; returns its Id."""
    row_id = find_row(org, table, key)
    if row_id is None:
        return insert_row(org, table, {**key, **values})
    if values:
        changes = commas(f"{quote(name)} = ?" for name in values)
        differs = " OR ".join(f"{quote(name)} IS NOT ?" for name in values)
        org.db.execute(
            f'UPDATE {quote(table)} SET {changes} WHERE "Id" = ? AND ({differs})',
            [*values.values(), row_id, *values.values()],
        )
    return row_id


def _record_type(org: Org, component: Component, _: Component | None) -> None:
    info = record_type(component)
    known = org.db.execute("SELECT 1 FROM orgsync_object WHERE name = ?", [info.object]).fetchone()
    if known is None:
        if not own_object(org, info.object):
            return
        raise MetadataError(f"the org has no object {info.object}", hint="deploy the object first")
    save_row(
        org,
        "RecordType",
        {"SobjectType": info.object, "DeveloperName": info.developer_name},
        {"Name": info.label, "Description": info.description or None, "IsActive": int(info.active)},
    )


def _role(org: Org, component: Component, _: Component | None) -> None:
    info = role(component)
    parent = None
    if info.parent:
        parent = find_row(org, "UserRole", {"DeveloperName": info.parent})
        if parent is None:
            raise MetadataError(f"the org has no role {info.parent}", hint="deploy the parent role first")
    save_row(
        org,
        "UserRole",
        {"DeveloperName": info.developer_name},
        {"Name": info.name, "ParentRoleId": parent, "RollupDescription": info.description or None},
    )


def _license(org: Org, name: str) -> str:
    """The licence's Id. One that the org lacks is entered with no seats, so that users cannot take it."""
    present = find_row(org, "UserLicense", {"Name": name})
    if present is not None:
        return present
    key = LICENSES[name].key if name in LICENSES else name.upper().replace(" ", "_")[:40]
    return save_row(
        org,
        "UserLicense",
        {"Name": name},
        {"MasterLabel": name, "LicenseDefinitionKey": key, "Status": "Active", "TotalLicenses": 0},
    )


def _grant(org: Org, holder: str, new: AccessInfo, old: AccessInfo | None) -> None:
    """Grants what the component grants, and takes back what its former version granted and this one does not.

    What neither version names stays: the files of a project are often partial.
    """
    gone = (old.permissions if old else frozenset()) - new.permissions
    org.db.executemany(
        "DELETE FROM orgsync_grant WHERE holder = ? AND permission = ?", [(holder, name) for name in sorted(gone)]
    )
    org.db.executemany(
        "INSERT OR IGNORE INTO orgsync_grant VALUES (?, ?)", [(holder, name) for name in sorted(new.permissions)]
    )


def _profile(org: Org, component: Component, before: Component | None) -> None:
    info = profile(component)
    present = find_row(org, "Profile", {"Name": info.label})
    values: dict[str, Any] = {}
    if info.license or present is None:
        values["UserLicenseId"] = _license(org, info.license or _USUAL_LICENSE)
    if info.description:
        values["Description"] = info.description
    holder = save_row(org, "Profile", {"Name": info.label}, values)
    _grant(org, holder, info, profile(before) if before else None)


def _permission_set(org: Org, component: Component, before: Component | None) -> None:
    info = permission_set(component)
    values = {
        "Label": info.label,
        "LicenseId": _license(org, info.license) if info.license else None,
        "Description": info.description or None,
    }
    holder = save_row(org, "PermissionSet", {"Name": info.name}, values)
    _grant(org, holder, info, permission_set(before) if before else None)


#: Component type -> what deploying one does to the setup tables.
SETUP: Mapping[str, Setup] = MappingProxyType(
    {
        "RecordType": _record_type,
        "Role": _role,
        "Profile": _profile,
        "PermissionSet": _permission_set,
    }
)


def role_depths(roles: Mapping[str, str]) -> dict[str, int]:
    """Role -> how many of its ancestors are among `roles` (role -> parent), so that parents are deployed first."""
    depths: dict[str, int] = {}
    for name in roles:
        depth, above, seen = 0, roles[name], {name}
        while above in roles and above not in seen:
            seen.add(above)
            depth, above = depth + 1, roles[above]
        depths[name] = depth
    return depths
