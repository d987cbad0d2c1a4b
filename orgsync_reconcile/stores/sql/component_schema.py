"""What object and field components mean for an org's tables: one alteration per object (ORG-4, MET-9)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from orgsync_reconcile.errors import MetadataError, OrgsyncError
from orgsync_reconcile.metadata import field_def, host_objects, is_standard, namespace_of, object_def, value_set
from orgsync_reconcile.model.component import Component, ComponentKey
from orgsync_reconcile.model.schema import FieldDef, ObjectDef
from orgsync_reconcile.stores.faults import faults
from orgsync_reconcile.stores.isolation import isolate
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.savepoint import savepoint
from orgsync_reconcile.stores.sql.schema import Objects, deploy_objects, free_key_prefix

#: Component types that make and change tables.
SCHEMA_TYPES = frozenset({"CustomField", "CustomObject"})


def reason(error: Exception) -> str:
    """Why a component was refused, and what to do, in one line."""
    if isinstance(error, OrgsyncError):
        return f"{error.message}; {error.hint}" if error.hint else error.message
    return str(error)


class SchemaDraft(Mapping[str, ObjectDef]):
    """An org's objects as they will be; those that differ from what they are stand in `changed`."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._known = Objects(org)
        self._value_sets = _value_sets(org)
        self.changed: dict[str, ObjectDef] = {}

    def __getitem__(self, name: str) -> ObjectDef:
        return self.changed[name] if name in self.changed else self._known[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._known
        yield from (name for name in self.changed if name not in self._known)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def add(self, component: Component) -> None:
        """Takes in one object or field. Raises MetadataError; the draft is then as it was."""
        if component.key.type == "CustomObject":
            if not is_standard(component):
                self._set(self._object(component))
            return
        for name in host_objects(component.key.full_name):
            if name in self:
                field = field_def(component, known=self, value_sets=self._value_sets)
                if field is not None:
                    self._check_parents(component, field)
                    self._set(_with_field(self[name], field))
            elif own_object(self._org, name):
                raise MetadataError(
                    f"the org has no object {name}", hint="deploy the object first", where=str(component.key)
                )

    def _set(self, obj: ObjectDef) -> None:
        if self.get(obj.name) != obj:
            self.changed[obj.name] = obj

    def _object(self, component: Component) -> ObjectDef:
        """The object with the fields that come with it, and the custom fields that it has."""
        present = self.get(component.key.full_name)
        if present is not None:
            built_in = object_def(component, present.key_prefix)
            own = {name: field for name, field in present.fields.items() if field.custom}
            return replace(built_in, fields={**built_in.fields, **own})
        taken = {item.key_prefix for item in self.changed.values()}
        return object_def(component, free_key_prefix(self._org, taken))

    def _check_parents(self, component: Component, field: FieldDef) -> None:
        """A relationship to one of the org's own objects needs it; see `own_object` for the others."""
        missing = [
            name
            for name in field.reference_to
            if field.is_reference and name not in self and own_object(self._org, name)
        ]
        if missing:
            raise MetadataError(
                f"the org has no object {missing[0]} for {field.name} to refer to",
                hint="deploy that object first",
                where=str(component.key),
            )


def own_object(org: Org, name: str) -> bool:
    """Whether an object is one that the org itself must have made before something can belong or refer to it.

    Standard objects that embedded orgs do not have (Campaign, …) and objects of packages are not: fields of those are
    kept as components alone, and lookups to them as lookups.
    """
    return "__" in name and namespace_of(name) in ("", org.namespace)


def _with_field(obj: ObjectDef, field: FieldDef) -> ObjectDef:
    return replace(obj, fields={**obj.fields, field.name: field})


def _value_sets(org: Org) -> dict[str, tuple[str, ...]]:
    rows = org.db.execute("SELECT full_name, content FROM orgsync_component WHERE type = 'GlobalValueSet'")
    return {
        name: value_set(Component(key=ComponentKey("GlobalValueSet", name), content=json.loads(text)))
        for name, text in rows
    }


def fields_of_value_sets(org: Org, names: Iterable[str]) -> list[Component]:
    """The deployed fields whose picklists take their values from these global value sets."""
    found: list[Component] = []
    for name in names:
        rows = org.db.execute(
            "SELECT full_name, namespace, content FROM orgsync_component"
            f" WHERE type = 'CustomField' AND {org.db.dialect.find('content', '?')} > 0",
            [f'"valueSetName":{json.dumps(name, ensure_ascii=False)}'],
        )
        found.extend(
            Component(key=ComponentKey("CustomField", full_name), namespace=namespace, content=json.loads(text))
            for full_name, namespace, text in rows.fetchall()
        )
    return found


def kept_fields(org: Org, objects: Iterable[str]) -> list[Component]:
    """The fields that were kept as components alone because their object was not there, of objects that now come."""
    found: list[Component] = []
    for name in objects:
        rows = org.db.execute(
            "SELECT full_name, namespace, content FROM orgsync_component"
            " WHERE type = 'CustomField' AND full_name >= ?1 || '.' AND full_name < ?1 || '/'"
            " AND NOT EXISTS (SELECT 1 FROM orgsync_object WHERE name = ?1)",
            [name],
        )
        found.extend(
            Component(key=ComponentKey("CustomField", full_name), namespace=namespace, content=json.loads(text))
            for full_name, namespace, text in rows.fetchall()
        )
    return found


def without_table(org: Org, components: Iterable[Component]) -> dict[str, int]:
    """Object -> how many of these fields are kept as components alone, the org having no such object."""
    known = Objects(org)
    counts: dict[str, int] = {}
    for component in components:
        if component.key.type == "CustomField" and not any(
            name in known for name in host_objects(component.key.full_name)
        ):
            name = component.key.full_name.partition(".")[0]
            counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))


def deploy_schema(org: Org, components: Iterable[Component]) -> dict[ComponentKey, str]:
    """Brings the tables to what these objects and fields say; returns key -> why for those that are refused.

    Roll-ups come last: they take their type from the field that they sum up. Inside a transaction.
    """
    failures: dict[ComponentKey, str] = {}
    draft = SchemaDraft(org)
    ordered = sorted(components, key=lambda item: (item.key.type != "CustomObject", _is_roll_up(item)))
    for component in ordered:
        try:
            draft.add(component)
        except OrgsyncError as error:
            failures[component.key] = reason(error)
    good = [item for item in ordered if item.key not in failures]
    isolate(
        0,
        len(good),
        lambda low, high: _attempt(org, good[low:high]),
        lambda place, why: failures.__setitem__(good[place - 1].key, why),
    )
    return failures


def _is_roll_up(component: Component) -> bool:
    return component.content.get("type") == "Summary"


def _attempt(org: Org, components: Iterable[Component]) -> str | None:
    """Deploys all of these or none; returns why not, or None. An object is altered once, whatever changes on it."""
    try:
        with savepoint(org):
            draft = SchemaDraft(org)
            for component in components:
                draft.add(component)
            if draft.changed:
                deploy_objects(org, draft.changed.values())
    except faults(OrgsyncError) as error:
        return reason(error)
    return None
