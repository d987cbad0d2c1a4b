"""Custom fields as metadata describes them, as field definitions of an org (ORG-4, ORG-8)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from orgsync_reconcile.errors import MetadataError
from orgsync_reconcile.metadata.xml import as_dicts, as_list, is_true
from orgsync_reconcile.model.component import Component
from orgsync_reconcile.model.schema import SCALED, FieldDef, FieldType, ObjectDef

_TYPES: Mapping[str, FieldType] = MappingProxyType(
    {
        "AutoNumber": FieldType.AUTO_NUMBER,
        "Checkbox": FieldType.CHECKBOX,
        "Currency": FieldType.CURRENCY,
        "Date": FieldType.DATE,
        "DateTime": FieldType.DATETIME,
        "Email": FieldType.EMAIL,
        "EncryptedText": FieldType.TEXT,
        "ExternalLookup": FieldType.EXTERNAL_LOOKUP,
        "Hierarchy": FieldType.LOOKUP,
        "Html": FieldType.RICH_TEXT_AREA,
        "IndirectLookup": FieldType.EXTERNAL_LOOKUP,
        "Location": FieldType.GEOLOCATION,
        "LongTextArea": FieldType.LONG_TEXT_AREA,
        "Lookup": FieldType.LOOKUP,
        "MasterDetail": FieldType.MASTER_DETAIL,
        "MetadataRelationship": FieldType.TEXT,
        "MultiselectPicklist": FieldType.MULTI_SELECT_PICKLIST,
        "Number": FieldType.NUMBER,
        "Percent": FieldType.PERCENT,
        "Phone": FieldType.PHONE,
        "Picklist": FieldType.PICKLIST,
        "Summary": FieldType.ROLL_UP_SUMMARY,
        "Text": FieldType.TEXT,
        "TextArea": FieldType.TEXT_AREA,
        "Time": FieldType.TIME,
        "Url": FieldType.URL,
    }
)

#: Lengths in characters of types whose metadata leaves them out.
_LENGTHS: Mapping[FieldType, int] = MappingProxyType(
    {
        FieldType.EMAIL: 80,
        FieldType.EXTERNAL_LOOKUP: 255,
        FieldType.LONG_TEXT_AREA: 32768,
        FieldType.LOOKUP: 18,
        FieldType.MASTER_DETAIL: 18,
        FieldType.MULTI_SELECT_PICKLIST: 4099,
        FieldType.PHONE: 40,
        FieldType.PICKLIST: 255,
        FieldType.RICH_TEXT_AREA: 32768,
        FieldType.TEXT: 255,
        FieldType.TEXT_AREA: 255,
        FieldType.URL: 255,
    }
)
_DIGITS: Final = 18
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_QUOTED = re.compile(r'"([^"\\]*)"|\'([^\'\\]*)\'')

#: Object named in metadata -> objects that have its fields: Activity stands for tasks and events.
_HOSTS: Mapping[str, tuple[str, ...]] = MappingProxyType({"Activity": ("Task",)})


def host_objects(full_name: str) -> tuple[str, ...]:
    """The objects that get the field `Object.Field`: that object, but Task for a field of Activity."""
    owner = full_name.partition(".")[0]
    return _HOSTS.get(owner, (owner,))


def value_set(component: Component) -> tuple[str, ...]:
    """The active values of a GlobalValueSet, in order."""
    return _active_values(as_dicts(component.content.get("customValue")))


def field_def(
    component: Component,
    *,
    known: Mapping[str, ObjectDef],
    value_sets: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> FieldDef | None:
    """The field that a CustomField component describes, None where it customises a standard field (ORG-4).

    `known` are the org's objects by name, of which a roll-up takes the type of what it sums up; `value_sets` are the
    values of global value sets by name. Lengths are in characters. Raises MetadataError for a type, length or number
    that no org accepts.
    """
    content = component.content
    name = component.key.full_name.rpartition(".")[2]
    if not name.endswith("__c"):
        return None
    type_ = _type(component)
    if "formula" in content:
        return _formula(component, name, type_)
    if type_ is FieldType.ROLL_UP_SUMMARY:
        return _roll_up(component, name, known)
    base: dict[str, Any] = {
        "name": name,
        "type": type_,
        "label": str(content.get("label", "")),
        "custom": True,
        "required": is_true(content.get("required")) or type_ is FieldType.MASTER_DETAIL,
        "unique": is_true(content.get("unique")),
        "case_sensitive": is_true(content.get("caseSensitive")),
        "external_id": is_true(content.get("externalId")),
        "default": _default(content, type_),
        **_size(component, type_),
    }
    if type_ in (FieldType.PICKLIST, FieldType.MULTI_SELECT_PICKLIST):
        base.update(_picklist(content, value_sets))
    elif type_ is FieldType.AUTO_NUMBER:
        base["display_format"] = str(content.get("displayFormat") or "{0}")
    elif type_ in (FieldType.LOOKUP, FieldType.MASTER_DETAIL, FieldType.EXTERNAL_LOOKUP):
        base.update(_reference(component, name, type_))
    return FieldDef(**base)


def _type(component: Component) -> FieldType:
    said = component.content.get("type")
    try:
        return _TYPES[str(said)]
    except KeyError:
        problem = f"unknown field type {said}" if said else "the field has no <type>"
        raise MetadataError(problem, hint=f"use one of {', '.join(sorted(_TYPES))}", where=str(component.key)) from None


def _size(component: Component, type_: FieldType) -> dict[str, int]:
    """Length, or precision and scale, as far as the type has them."""
    if type_ in SCALED or type_ is FieldType.GEOLOCATION:
        scale = _integer(component, "scale", 0)
        precision = _integer(component, "precision", _DIGITS) if type_ in SCALED else _DIGITS
        if not 0 <= scale <= precision <= _DIGITS:
            raise MetadataError(
                f"precision {precision} and scale {scale} do not fit together",
                hint=f"at most {_DIGITS} digits, of which scale are after the point",
                where=str(component.key),
            )
        return {"precision": precision, "scale": scale}
    if type_ not in _LENGTHS:
        return {}
    return {"length": _integer(component, "length", _LENGTHS[type_])}


def _integer(component: Component, element: str, default: int) -> int:
    said = component.content.get(element)
    if said is None:
        return default
    if not str(said).isascii() or not str(said).isdigit():
        raise MetadataError(
            f"<{element}> is no whole number: {said}", hint="write digits only", where=str(component.key)
        )
    return int(said)


def _default(content: Mapping[str, Any], type_: FieldType) -> str | None:
    """A literal default. Formulas as defaults are for the org's own pages: they stay in the component."""
    said = content.get("defaultValue")
    if type_ is FieldType.CHECKBOX:
        return "true" if is_true(said) else "false"
    if said is None:
        return None
    if type_ in SCALED:
        return str(said) if _NUMBER.fullmatch(str(said)) else None
    quoted = _QUOTED.fullmatch(str(said))
    return (quoted[1] if quoted[1] is not None else quoted[2]) if quoted else None


def _active_values(items: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(str(item["fullName"]) for item in items if "fullName" in item and item.get("isActive") != "false")


def _picklist(content: Mapping[str, Any], value_sets: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Values, default and whether others are refused; the older form stands under <picklist>."""
    values = content.get("valueSet")
    if not isinstance(values, Mapping):
        items = as_dicts(dict(content["picklist"]).get("picklistValues")) if "picklist" in content else []
        return {"picklist": _active_values(items), "default": _default_value(items)}
    named = values.get("valueSetName")
    definition = values.get("valueSetDefinition")
    items = as_dicts(definition.get("value")) if isinstance(definition, Mapping) else []
    # A value set that is not at hand (it may belong to a package) restricts nothing: its values are unknown.
    known = named is None or str(named) in value_sets
    picklist = value_sets.get(str(named), ()) if named is not None else _active_values(items)
    return {
        "picklist": picklist,
        "restricted": is_true(values.get("restricted")) and known,
        "default": _default_value(items),
    }


def _default_value(items: list[dict[str, Any]]) -> str | None:
    return next((str(item["fullName"]) for item in items if is_true(item.get("default")) and "fullName" in item), None)


def _reference(component: Component, name: str, type_: FieldType) -> dict[str, Any]:
    content = component.content
    targets = tuple(str(item) for item in as_list(content.get("referenceTo")))
    if content.get("type") == "Hierarchy":
        targets = targets or ("User",)
    if not targets:
        raise MetadataError("the relationship has no <referenceTo>", hint="name the parent", where=str(component.key))
    cascade = type_ is FieldType.MASTER_DETAIL or content.get("deleteConstraint") == "Cascade"
    return {
        "reference_to": targets,
        "relationship_name": f"{name.removesuffix('__c')}__r",
        "cascade_delete": cascade,
    }


def _formula(component: Component, name: str, type_: FieldType) -> FieldDef:
    size = _size(component, type_) if type_ in SCALED else {}
    return FieldDef(
        name=name,
        type=FieldType.FORMULA,
        label=str(component.content.get("label", "")),
        formula=str(component.content["formula"]),
        result_type=type_,
        custom=True,
        external_id=is_true(component.content.get("externalId")),
        precision=size.get("precision"),
        scale=size.get("scale"),
    )


def _roll_up(component: Component, name: str, known: Mapping[str, ObjectDef]) -> FieldDef:
    content = component.content
    operation = str(content.get("summaryOperation", "")).lower()
    child, _, reference = str(content.get("summaryForeignKey", "")).partition(".")
    summed = str(content.get("summarizedField", "")).rpartition(".")[2]
    if operation not in ("count", "sum", "min", "max") or not reference or (operation != "count" and not summed):
        raise MetadataError(
            "the roll-up summary is incomplete",
            hint="it needs <summaryOperation>, <summaryForeignKey> and, unless it counts, <summarizedField>",
            where=str(component.key),
        )
    source = known[child].fields.get(summed) if operation != "count" and child in known else None
    result = (source.result_type or source.type) if source is not None else FieldType.NUMBER
    return FieldDef(
        name=name,
        type=FieldType.ROLL_UP_SUMMARY,
        label=str(content.get("label", "")),
        summary=(operation, child, reference, summed),
        result_type=result,
        precision=_DIGITS if result in SCALED else None,
        scale=((source.scale if source is not None else 0) or 0) if result in SCALED else None,
        custom=True,
    )
