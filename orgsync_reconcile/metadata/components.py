"""From metadata files to components: type, full name, namespace, and whole-object files taken apart (MET-1, ORG-8)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from orgsync_reconcile.errors import MetadataError
from orgsync_reconcile.metadata.normalise import normalise
from orgsync_reconcile.metadata.xml import as_dicts, parse_elements
from orgsync_reconcile.model.component import Component, ComponentKey

#: In a whole-object file: element -> component type of what stands in it.
OBJECT_CHILDREN: Mapping[str, str] = MappingProxyType(
    {
        "businessProcesses": "BusinessProcess",
        "compactLayouts": "CompactLayout",
        "fieldSets": "FieldSet",
        "fields": "CustomField",
        "indexes": "Index",
        "listViews": "ListView",
        "namedFilters": "NamedFilter",
        "recordTypes": "RecordType",
        "sharingReasons": "SharingReason",
        "sharingRecalculations": "SharingRecalculation",
        "validationRules": "ValidationRule",
        "webLinks": "WebLink",
    }
)

#: What the last part of a name may end with after two underscores, besides a namespace before the first two.
_SUFFIXES = frozenset(
    {"c", "r", "e", "b", "x", "mdt", "kav", "pc", "pr", "share", "history", "feed", "tag", "xo", "dlm"}
)
_NAMESPACE = re.compile(r"[A-Za-z](?!.{15})[A-Za-z0-9]*(?:_[A-Za-z0-9]+)*")


def parse_xml(text: bytes, *, where: str) -> tuple[str, dict[str, Any]]:
    """A metadata file as (root tag, normalised content). `where` is the file as shown in messages.

    A whole-object file keeps its fields and other parts inside; `to_components` takes them apart. Raises MetadataError
    with line and column for XML that is malformed or that declares a DTD or entities.
    """
    root, content = parse_elements(text, where=where)
    parts = {name: content.pop(name) for name in tuple(content) if root == "CustomObject" and name in OBJECT_CHILDREN}
    return root, {**normalise(content, type_=root), **parts}


def namespace_of(full_name: str) -> str:
    """The namespace prefix of a component's own name, or "" (MET-11).

    It is the last part of the name that counts: `Account.npe01__X__c` belongs to npe01, `npe01__Y__c.Mine__c` does not.
    """
    # Layouts are named Object-Layout; a layout's own name may hold dots and further hyphens.
    last = full_name.partition("-")[2] or re.split(r"[./]", full_name)[-1]
    words = last.split("__")
    if len(words) > 1 and words[-1].lower() in _SUFFIXES:
        words.pop()
    return words[0] if len(words) > 1 and _NAMESPACE.fullmatch(words[0]) else ""


def to_component(type_: str, full_name: str, content: Mapping[str, Any], namespace: str | None = None) -> Component:
    """One component with its content in normal form; the namespace is read from the name where none is given."""
    return Component(
        key=ComponentKey(type_, full_name),
        content=normalise(content, type_=type_),
        namespace=namespace_of(full_name) if namespace is None else namespace,
    )


def to_components(
    type_: str, full_name: str, content: Mapping[str, Any], *, owned_namespace: str = "", where: str = ""
) -> tuple[Component, ...]:
    """A file's components: an object's fields, record types, list views and so on each stand alone.

    A decomposed project and a whole-object file thus give the same components. `owned_namespace` is the project's
    own, which is no foreign namespace. Raises MetadataError for a part without a name.
    """
    if type_ != "CustomObject":
        return (_owned(type_, full_name, content, owned_namespace),)
    rest = {name: value for name, value in content.items() if name not in OBJECT_CHILDREN}
    parts = tuple(_object_parts(full_name, content, owned_namespace, where))
    # An object file that holds nothing but parts customises those alone: there is no object component to compare.
    if parts and not normalise(rest, type_=type_):
        return parts
    return (_owned(type_, full_name, rest, owned_namespace), *parts)


def _object_parts(
    object_name: str, content: Mapping[str, Any], owned_namespace: str, where: str
) -> Iterator[Component]:
    for element, type_ in OBJECT_CHILDREN.items():
        for item in as_dicts(content.get(element)):
            name = item.get("fullName")
            if not name:
                raise MetadataError(
                    f"a part of {object_name} in <{element}> has no <fullName>", hint="give it one", where=where
                )
            yield _owned(type_, f"{object_name}.{name}", item, owned_namespace)


def _owned(type_: str, full_name: str, content: Mapping[str, Any], owned_namespace: str) -> Component:
    namespace = namespace_of(full_name)
    return to_component(type_, full_name, content, "" if namespace == owned_namespace else namespace)
