"""Deploying metadata components to an org: saved, and interpreted as tables and setup rows (ORG-8, MET-1, -8, -9).

Objects and fields become tables and columns. Every kind of custom object gets a table: custom settings, `__mdt`,
platform events and external objects too, so that their fields can be described and their records loaded; what of
these can be published is the catalog's to say. Record types, roles, profiles and permission sets become setup rows.
All other types are kept as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orgsync_reconcile.catalog import deploy_rank
from orgsync_reconcile.errors import MetadataError, OrgsyncError
from orgsync_reconcile.metadata import merge_unsynced, profile, role, to_component
from orgsync_reconcile.model.component import Component, ComponentKey
from orgsync_reconcile.stores.faults import faults
from orgsync_reconcile.stores.sql.component_delete import delete
from orgsync_reconcile.stores.sql.component_schema import (
    SCHEMA_TYPES,
    deploy_schema,
    fields_of_value_sets,
    kept_fields,
    reason,
)
from orgsync_reconcile.stores.sql.component_setup import SETUP, find_row, role_depths
from orgsync_reconcile.stores.sql.component_table import (
    ComponentTexts,
    read_component,
    set_synced,
    summaries,
    write_component,
)
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.savepoint import savepoint

__all__ = [
    "ComponentTexts",
    "DeployFailure",
    "delete",
    "deploy",
    "read_component",
    "rename",
    "set_synced",
    "summaries",
]

_VALUE_SET = "GlobalValueSet"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeployFailure:
    """A component that the org refused, and why, in one line with what to do."""

    key: ComponentKey
    message: str


def deploy(
    org: Org, components: Iterable[Component], *, keep_unsynced: bool = False, synced: bool = False
) -> tuple[DeployFailure, ...]:
    """Deploys components in dependency order, in one transaction; those that fail are returned, the others stay.

    `keep_unsynced` leaves the org's own feed layouts, tabs and applications as they are (MET-2); `synced` remembers
    the contents as synced (MET-5). Of two components with one key the last counts. Raises StoreError and its kin.
    """
    unique = {component.key: component for component in components}
    with org.transaction():
        if keep_unsynced:
            unique = {key: merge_unsynced(item, read_component(org, key)) for key, item in unique.items()}
        ordered = _in_order(unique.values())
        for component in ordered:
            if component.key.type == _VALUE_SET:
                write_component(org, component, synced=synced)
        failures = deploy_schema(org, _schema_part(org, unique))
        for component in ordered:
            if component.key not in failures and component.key.type != _VALUE_SET:
                why = _save(org, component, synced=synced)
                if why is not None:
                    failures[component.key] = why
        if any(key not in failures for key in unique):
            org.touch_revision()
    return tuple(DeployFailure(key=key, message=failures[key]) for key in sorted(failures))


def _in_order(components: Iterable[Component]) -> list[Component]:
    """By rank and name; parent roles before their children."""
    listed = list(components)
    depths = role_depths({item.key.full_name: role(item).parent for item in listed if item.key.type == "Role"})
    return sorted(
        listed, key=lambda item: (deploy_rank(item.key.type), depths.get(item.key.full_name, 0), str(item.key))
    )


def _schema_part(org: Org, components: Mapping[ComponentKey, Component]) -> list[Component]:
    """The objects and fields, the fields that waited for these objects, and those that follow a changed value set."""
    value_sets = [key.full_name for key in components if key.type == _VALUE_SET]
    objects = [key.full_name for key in components if key.type == "CustomObject"]
    found = {item.key: item for item in (*fields_of_value_sets(org, value_sets), *kept_fields(org, objects))}
    followers = [item for key, item in found.items() if key not in components]
    return [*followers, *(item for item in components.values() if item.key.type in SCHEMA_TYPES)]


def _save(org: Org, component: Component, *, synced: bool) -> str | None:
    """Saves one component with what it means for the setup; returns why it was refused, or None."""
    meaning = SETUP.get(component.key.type)
    if meaning is None:
        write_component(org, component, synced=synced)
        return None
    try:
        with savepoint(org):
            meaning(org, component, read_component(org, component.key))
            write_component(org, component, synced=synced)
    except faults(OrgsyncError) as error:
        return reason(error)
    return None


#: Component type -> (setup table, the column that holds the component's name).
_RENAMED = {
    "Role": ("UserRole", "DeveloperName"),
    "Profile": ("Profile", "Name"),
    "PermissionSet": ("PermissionSet", "Name"),
}


def rename(
    org: Org, old: ComponentKey, new: ComponentKey, content: Mapping[str, Any], *, synced: bool = False
) -> tuple[DeployFailure, ...]:
    """Renames a role, profile or permission set, so that its users keep it, and deploys its content (MET-7).

    Nothing changes where the content fails to deploy. Raises MetadataError for another type, where the old component
    is not there, and where the new name is taken.
    """
    if old.type not in _RENAMED or new.type != old.type:
        raise MetadataError(f"{old} cannot be renamed to {new}", hint="deploy it under the new name", where=org.label)
    if read_component(org, new) is not None:
        raise MetadataError(f"{new} is there already", hint="choose another name", where=org.label)
    table, column = _RENAMED[old.type]
    with org.transaction():
        present = read_component(org, old)
        row_id = find_row(org, table, {column: _shown(old)})
        if present is None or row_id is None:
            raise MetadataError(f"there is no {old}", hint="deploy it under the new name", where=org.label)
        component = to_component(new.type, new.full_name, content, present.namespace)
        try:
            with savepoint(org):
                org.db.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE "Id" = ?', [_shown(new), row_id])
                org.db.execute(
                    "UPDATE orgsync_component SET full_name = ? WHERE type = ? AND full_name = ?",
                    [new.full_name, old.type, old.full_name],
                )
                failures = deploy(org, [component], keep_unsynced=True, synced=synced)
                if failures:
                    raise MetadataError(failures[0].message)
        except faults(OrgsyncError) as error:
            return (DeployFailure(key=new, message=reason(error)),)
    return ()


def _shown(key: ComponentKey) -> str:
    """The name in the setup table: profiles go by the name that users see."""
    return profile(Component(key=key, content={})).label if key.type == "Profile" else key.full_name
