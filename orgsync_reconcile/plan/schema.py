"""The schema that an org will have once the plan's components are deployed: subscriptions are planned against it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from orgsync_reconcile.model.actual import ActualOrg
from orgsync_reconcile.model.component import ComponentKey
from orgsync_reconcile.model.schema import FieldDef, ObjectDef


@dataclass(frozen=True, kw_only=True, slots=True)
class Schema:
    """Objects and record types of one org, now or after the plan's deployments."""

    objects: Mapping[str, ObjectDef]
    record_types: Mapping[str, frozenset[str]]
    #: Objects of the org that no connection publishes but whose Ids are translated by name (LKP-6).
    setup: frozenset[str]


#: References to these are translated by name, by link of users or by developer name, without being published (LKP-6).
_SETUP = frozenset(
    {
        "User",
        "Group",
        "RecordType",
        "Profile",
        "UserRole",
        "PermissionSet",
        "CaseTeamRole",
        "CaseTeamTemplate",
        "BusinessHours",
    }
)


def current(org: ActualOrg) -> Schema:
    """The org as it was read."""
    setup = _SETUP.union(name for name, item in org.objects.items() if item.kind == "setup")
    return Schema(objects=org.objects, record_types=org.record_types, setup=setup)


def future(org: ActualOrg, model: ActualOrg, planned: Collection[ComponentKey]) -> Schema:
    """The org after the `planned` components came over from `model` (MET-1)."""
    now = current(org)
    if not planned:
        return now
    objects = dict(org.objects)
    record_types = dict(org.record_types)
    fields: dict[str, dict[str, FieldDef]] = {}
    for key in sorted(planned):
        name, _, member = key.full_name.partition(".")
        if key.type == "CustomObject" and name in model.objects and not member:
            known = objects.get(name)
            objects[name] = replace(model.objects[name], fields=known.fields if known else _standard(model, name))
        elif key.type == "CustomField" and member:
            wanted = model.objects[name].fields.get(member) if name in model.objects else None
            if wanted is not None:
                fields.setdefault(name, {})[member] = wanted
        elif key.type == "RecordType" and member:
            record_types[name] = record_types.get(name, frozenset()) | {member}
    for name, added in fields.items():
        if name in objects:
            objects[name] = replace(objects[name], fields={**objects[name].fields, **added})
    return Schema(objects=objects, record_types=record_types, setup=now.setup)


def _standard(model: ActualOrg, name: str) -> dict[str, FieldDef]:
    """The fields that come with a new object; custom ones are components of their own."""
    return {key: item for key, item in model.objects[name].fields.items() if not item.custom}


def resolvable(item: FieldDef, schema: Schema, known: Collection[str]) -> bool:
    """Whether a reference can be translated: it may point at a `known` object, at setup data, or at anything."""
    return any(target == "*" or target in known or target in schema.setup for target in item.reference_to)
