"""References among the records of one load: `@Name` values and nested records, resolved to their records (ORG-8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orgsync_reconcile.importers.problem import ImportProblem
from orgsync_reconcile.importers.records import TreeRecord
from orgsync_reconcile.model.schema import ANY_OBJECT, FieldDef, ObjectDef


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkedRecord:
    """A record with its references resolved: field name -> index of the record that it points to in the load."""

    record: TreeRecord
    links: Mapping[str, int] = field(default_factory=dict)


def resolve_references(
    records: Sequence[TreeRecord], objects: Mapping[str, ObjectDef]
) -> tuple[tuple[LinkedRecord, ...], tuple[ImportProblem, ...]]:
    """The records in their order with references resolved over the whole load, and every problem found.

    Only reference fields are looked at: a text may begin with `@`. Problems: a reference that no record has, one that
    two records have, and a nested record whose field for its parent cannot be told.
    """
    problems: list[ImportProblem] = []
    index: dict[str, int] = {}
    for number, record in enumerate(records):
        if record.reference in index:
            first = records[index[record.reference]]
            message = f"{_name(record)}: the reference {record.reference} is already that of {first.where}; rename one"
            problems.append(ImportProblem(path=record.file, line=_line(record), message=message))
        else:
            index[record.reference] = number
    linked = tuple(
        LinkedRecord(record=record, links=_links(record, records, index, objects, problems)) for record in records
    )
    return linked, tuple(problems)


def _links(
    record: TreeRecord,
    records: Sequence[TreeRecord],
    index: Mapping[str, int],
    objects: Mapping[str, ObjectDef],
    problems: list[ImportProblem],
) -> dict[str, int]:
    definition = objects.get(record.object)
    if definition is None:
        return {}
    links: dict[str, int] = {}
    for name, value in record.values.items():
        known = definition.fields.get(name)
        if known is None or not known.is_reference or not isinstance(value, str) or not value.startswith("@"):
            continue
        target = index.get(value[1:])
        if target is None:
            message = f"{_name(record)}: {name} refers to {value}, which no loaded record has; load that file as well"
            problems.append(ImportProblem(path=record.file, line=_line(record), message=message))
        else:
            links[name] = target
    if record.parent:
        parent = index[record.parent]
        found = parent_field(definition, records[parent].object, record.relationship)
        if found is None:
            message = (
                f"{_name(record)}: it cannot be told which field of {record.object} is meant by "
                f"{record.relationship}; set the field to @{record.parent} instead"
            )
            problems.append(ImportProblem(path=record.file, line=_line(record), message=message))
        else:
            links.setdefault(found.name, parent)
    return links


def parent_field(child: ObjectDef, parent: str, relationship: str) -> FieldDef | None:
    """The child's field that points to the parent object in whose list `relationship` it stands, None in doubt.

    One reference to the parent is the one; of several, a single one that cascades is meant, since lists are of
    children; else the one that the relationship is named after.
    """
    exact = [item for item in child.references() if parent in item.reference_to and not item.read_only]
    candidates = exact or [item for item in child.references() if ANY_OBJECT in item.reference_to]
    for narrowed in (
        candidates,
        [item for item in candidates if item.cascade_delete],
        [item for item in candidates if _stem(item.name) and _stem(item.name) in relationship],
    ):
        if len(narrowed) == 1:
            return narrowed[0]
    return None


def _stem(name: str) -> str:
    return name.removesuffix("__c").removesuffix("Id").replace("_", "")


def _name(record: TreeRecord) -> str:
    return record.where.removeprefix(record.file).lstrip(": ") if _line(record) == 0 else record.object


def _line(record: TreeRecord) -> int:
    return record.line if record.file.lower().endswith(".csv") else 0
