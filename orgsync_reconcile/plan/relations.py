"""What published objects need of each other: cycles, formula inputs, roll-ups (PUB-3, PUB-6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from orgsync_reconcile.catalog import unpublishable_field
from orgsync_reconcile.model.desired import DesiredPublication
from orgsync_reconcile.model.graph import Cycle, optional_cycles, required_cycles
from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef
from orgsync_reconcile.plan import codes
from orgsync_reconcile.plan.draft import Sheet, listed
from orgsync_reconcile.plan.schema import Schema

_NOT_NAMES = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|/\*.*?\*/', re.DOTALL)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*")


def pruned(objects: Mapping[str, ObjectDef], chosen: Mapping[str, frozenset[str]]) -> dict[str, ObjectDef]:
    """The published objects with no other references than the published ones."""
    return {
        name: replace(
            objects[name],
            fields={item.name: item for item in objects[name].references() if item.name in chosen[name]},
        )
        for name in chosen
    }


def _shown(cycle: Cycle) -> str:
    """`A.Field → B.Field → A`."""
    return " → ".join([f"{name}.{field}" for name, field in cycle] + [cycle[0][0]])


def check_cycles(
    objects: Mapping[str, ObjectDef], publications: Mapping[str, DesiredPublication], sheet: Sheet
) -> None:
    """Cycles of required references stop the plan; others are worth knowing (PUB-6)."""
    for cycle in required_cycles(objects, publications):
        sheet.error(
            codes.REQUIRED_CYCLE,
            f"required references form a cycle: {_shown(cycle)}",
            hint="make one of these fields optional, or leave out one of the objects",
            origin=publications[cycle[0][0]].origin,
        )
    for cycle in optional_cycles(objects, publications):
        sheet.warn(
            codes.OPTIONAL_CYCLE,
            f"lookups form a cycle: {_shown(cycle)}; a second pass fills them in",
            origin=publications[cycle[0][0]].origin,
        )


def check_computed(
    publication: DesiredPublication,
    item: ObjectDef,
    target: ObjectDef | None,
    chosen: Mapping[str, frozenset[str]],
    schema: Schema,
    sheet: Sheet,
) -> None:
    """Formulas and roll-ups are computed in the other org, so it needs the field and the inputs (PUB-3)."""
    for definition in item.fields.values():
        if definition.type is FieldType.FORMULA:
            missing = _formula_inputs(definition, item, chosen)
        elif definition.type is FieldType.ROLL_UP_SUMMARY:
            missing = _roll_up_inputs(definition, chosen, schema)
        else:
            continue
        if missing:
            sheet.warn(
                codes.FORMULA_INPUTS,
                f"{item.name}.{definition.name} is computed from {listed(missing)}, not published:"
                " the other org will show another value",
                hint="publish these fields too",
                origin=publication.origins.get("fields", publication.origin),
            )
        if target is not None and definition.name not in target.fields:
            sheet.warn(
                codes.FORMULA_MISSING,
                f"{item.name}.{definition.name} is missing in the other org, and computed fields are not sent",
                hint="sync metadata, or create the field there",
                origin=publication.origins.get("fields", publication.origin),
            )


def _formula_inputs(definition: FieldDef, item: ObjectDef, chosen: Mapping[str, frozenset[str]]) -> list[str]:
    """The fields that a formula names and that do not travel; a path counts by its first step."""
    text = _NOT_NAMES.sub(" ", definition.formula or "")
    by_relationship = {field.relationship_name: field for field in item.references() if field.relationship_name}
    missing = set()
    for path in _NAME.findall(text):
        first, *rest = path.split(".")
        name = first[:-1] + "c" if rest and first.endswith("__r") else first
        source = item.fields.get(name) or (by_relationship.get(first) if rest else None)
        if source is None or source.name in chosen[item.name]:
            continue
        if unpublishable_field(source) is not None:
            continue
        missing.add(f"{item.name}.{source.name}")
    return sorted(missing)


def _roll_up_inputs(definition: FieldDef, chosen: Mapping[str, frozenset[str]], schema: Schema) -> list[str]:
    """The child object, or those of its fields that a roll-up reads, as far as they do not travel."""
    if definition.summary is None:
        return []
    _, child, reference, summarised = definition.summary
    if child not in chosen:
        return [child]
    fields = schema.objects[child].fields
    missing = []
    for name in (reference, summarised):
        known = fields.get(name)
        if known is not None and name not in chosen[child] and unpublishable_field(known) is None:
            missing.append(f"{child}.{name}")
    return missing
