"""What an org has: its objects, or one object with its fields, as plain data (ORG-2, PUB-1, PUB-3)."""

from __future__ import annotations

from typing import Any

from orgsync_reconcile.catalog import publishable_object, unpublishable_field
from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql.check import nearest
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.reader import count_records, read_info
from orgsync_reconcile.stores.sql.schema import Objects


def describe(org: Org, object_name: str | None = None) -> dict[str, Any]:
    """The org with a line per object, or one object with a line per field; JSON-ready.

    Every object and field says whether it can be published and, where not, why; a formula says whether the org
    computes it. Raises UsageError for an object that the org does not have, with the nearest name.
    """
    with org.snapshot():
        objects = Objects(org)
        if object_name is None:
            info = read_info(org)
            return {
                "org": {
                    "name": info.name,
                    "org_id": info.org_id,
                    "org_type": info.org_type,
                    "edition": info.edition,
                    "admin": info.admin,
                    "features": sorted(info.features),
                },
                "objects": [_object(org, objects[name]) for name in sorted(objects)],
            }
        if object_name not in objects:
            raise UsageError(
                f"there is no object {object_name} in {org.label}", hint=nearest(object_name, objects, org.label)
            )
        obj = objects[object_name]
        return {**_object(org, obj), "fields": [_field(org, field, obj) for field in obj.fields.values()]}


def _object(org: Org, obj: ObjectDef) -> dict[str, Any]:
    reason = publishable_object(obj)
    return {
        "name": obj.name,
        "label": obj.label,
        "kind": obj.kind,
        "key_prefix": obj.key_prefix,
        "custom": obj.custom,
        "records": count_records(org, obj.name),
        "field_count": len(obj.fields),
        "publishable": reason is None,
        "reason": reason or "",
    }


def _field(org: Org, field: FieldDef, obj: ObjectDef) -> dict[str, Any]:
    refusal = unpublishable_field(field)
    data = field.to_dict()
    data["publishable"] = refusal is None
    if refusal is not None:
        data["reason"], data["workaround"] = refusal
    if field.type is FieldType.FORMULA:
        data["computed"] = org.engine.computes(field, obj)
    return data
