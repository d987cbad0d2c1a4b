"""Deleting metadata components from an org, with the columns, tables and rows that they stand for (MET-4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.errors import MetadataError
from orgsync_reconcile.metadata import host_objects, profile
from orgsync_reconcile.model.component import Component, ComponentKey
from orgsync_reconcile.stores.faults import faults
from orgsync_reconcile.stores.sql.component_setup import find_row
from orgsync_reconcile.stores.sql.events import admin_name
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.publications import unpublish_object
from orgsync_reconcile.stores.sql.savepoint import savepoint
from orgsync_reconcile.stores.sql.schema import Objects, deploy_objects, rebuild_triggers
from orgsync_reconcile.stores.sql.subscriptions import unsubscribe_object
from orgsync_reconcile.stores.sql.text import quote


def delete(org: Org, key: ComponentKey) -> None:
    """Deletes a component: a field with its column, an object with its table and parts; a record type is deactivated.

    Raises MetadataError where it is not there, or where something that stays needs it; nothing is changed then.
    """
    with org.transaction() as db:
        if not db.execute("SELECT 1 FROM orgsync_component WHERE type = ? AND full_name = ?", key).fetchone():
            raise MetadataError(f"there is no {key}", hint="it may have been deleted already", where=org.label)
        try:
            with savepoint(org):
                meaning = _MEANINGS.get(key.type)
                if meaning is not None:
                    meaning(org, key)
                db.execute("DELETE FROM orgsync_component WHERE type = ? AND full_name = ?", key)
                org.touch_revision()
        except faults() as error:
            raise MetadataError(
                f"{key} cannot be deleted: {error}", hint="change what uses it first", where=org.label
            ) from error


def _delete_field(org: Org, key: ComponentKey) -> None:
    """The column goes, the field's permanent number is never given again."""
    objects = Objects(org)
    name = key.full_name.rpartition(".")[2]
    for owner in host_objects(key.full_name):
        if owner in objects and name in objects[owner].fields and objects[owner].fields[name].custom:
            obj = objects[owner]
            deploy_objects(org, [replace(obj, fields={n: f for n, f in obj.fields.items() if n != name})])


def _delete_object(org: Org, key: ComponentKey) -> None:
    objects = Objects(org)
    name = key.full_name
    if name not in objects or not objects[name].custom:
        return
    users = [
        f"{other}.{field.name}"
        for other in objects
        if other != name
        for field in objects[other].references()
        if name in field.reference_to
    ]
    if users:
        raise MetadataError(f"{users[0]} refers to {name}", hint="delete that field first", where=org.label)
    db = org.db
    _withdraw(org, name)
    number = objects.number(name)
    parents = {parent for field in objects[name].references() for parent in field.reference_to}
    db.execute("DELETE FROM orgsync_field WHERE object = ?", [number])
    db.execute("DELETE FROM orgsync_object WHERE number = ?", [number])
    db.execute("DELETE FROM orgsync_autonumber WHERE object = ?", [name])
    db.execute('UPDATE "RecordType" SET "IsDeleted" = TRUE WHERE "SobjectType" = ? AND "IsDeleted" = FALSE', [name])
    db.execute(
        f"DELETE FROM orgsync_component WHERE type <> 'CustomObject' AND substr(full_name, 1, {len(name) + 1}) = ?",
        [f"{name}."],
    )
    # Before the table: the parents' triggers would go on naming it.
    rebuild_triggers(org, sorted(parents))
    db.execute(f"DROP TABLE {quote(name)}")


def _withdraw(org: Org, name: str) -> None:
    """An object that goes is neither offered nor accepted any more, which its connections are told (QUE-2)."""
    for table, withdraw in (("published", unpublish_object), ("subscribed", unsubscribe_object)):
        for (connection,) in org.db.execute(
            f"SELECT c.name FROM orgsync_{table} AS p JOIN orgsync_connection AS c ON c.number = p.connection"
            " WHERE p.object = ? ORDER BY c.name",
            [name],
        ).fetchall():
            withdraw(org, connection, name, actor=admin_name(org), clock=system_clock)


def _deactivate_record_type(org: Org, key: ComponentKey) -> None:
    owner, _, name = key.full_name.partition(".")
    org.db.execute(
        'UPDATE "RecordType" SET "IsActive" = FALSE WHERE "SobjectType" = ? AND "DeveloperName" = ? AND "IsActive" = TRUE',
        [owner, name],
    )


def _delete_role(org: Org, key: ComponentKey) -> None:
    row_id = find_row(org, "UserRole", {"DeveloperName": key.full_name})
    if row_id is not None:
        _refuse_in_use(org, key, row_id, "UserRole", "ParentRoleId", "roles below it")
        _refuse_in_use(org, key, row_id, "User", "UserRoleId", "users with it")
        org.db.execute('UPDATE "UserRole" SET "IsDeleted" = TRUE WHERE "Id" = ?', [row_id])


def _delete_profile(org: Org, key: ComponentKey) -> None:
    row_id = find_row(org, "Profile", {"Name": profile(Component(key=key, content={})).label})
    if row_id is not None:
        _refuse_in_use(org, key, row_id, "User", "ProfileId", "users with it")
        _delete_holder(org, "Profile", row_id)


def _delete_permission_set(org: Org, key: ComponentKey) -> None:
    row_id = find_row(org, "PermissionSet", {"Name": key.full_name})
    if row_id is not None:
        _refuse_in_use(org, key, row_id, "PermissionSetAssignment", "PermissionSetId", "users with it")
        _delete_holder(org, "PermissionSet", row_id)


def _refuse_in_use(org: Org, key: ComponentKey, row_id: str, table: str, column: str, noun: str) -> None:
    (count,) = org.db.execute(
        f'SELECT count(*) FROM {quote(table)} WHERE {quote(column)} = ? AND "IsDeleted" = FALSE', [row_id]
    ).fetchone()
    if count:
        raise MetadataError(
            f"{key} cannot be deleted while there are {noun}: {count}",
            hint="give them another one first",
            where=org.label,
        )


def _delete_holder(org: Org, table: str, row_id: str) -> None:
    org.db.execute("DELETE FROM orgsync_grant WHERE holder = ?", [row_id])
    org.db.execute(f'UPDATE {quote(table)} SET "IsDeleted" = TRUE WHERE "Id" = ?', [row_id])


_MEANINGS: Mapping[str, Callable[[Org, ComponentKey], None]] = MappingProxyType(
    {
        "CustomField": _delete_field,
        "CustomObject": _delete_object,
        "RecordType": _deactivate_record_type,
        "Role": _delete_role,
        "Profile": _delete_profile,
        "PermissionSet": _delete_permission_set,
    }
)
