"""What the mirror of an auto-number changes in components: the field's display format, and layouts (AUT-1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orgsync_reconcile.model.component import Component

_FORMAT = "displayFormat"


def with_display_format(component: Component, text: str) -> Component:
    """The custom field, or the object with its name field, with another display format."""
    return _replaced(component, text)


def without_display_format(component: Component) -> Component:
    """The same without its display format, to compare two orgs by all the rest."""
    return _replaced(component, None)


def _replaced(component: Component, text: str | None) -> Component:
    content = dict(component.content)
    if component.key.type == "CustomObject":
        name_field = content.get("nameField")
        if not isinstance(name_field, Mapping) or name_field.get("type") != "AutoNumber":
            return component
        content["nameField"] = _formatted(name_field, text)
    else:
        content = _formatted(content, text)
    return Component(key=component.key, content=content, namespace=component.namespace)


def _formatted(content: Mapping[str, Any], text: str | None) -> dict[str, Any]:
    rest = {name: value for name, value in content.items() if name != _FORMAT}
    return rest if text is None else {**rest, _FORMAT: text}


def mirrored_layout(layout: Component, field: str, mirror: str) -> Component:
    """The layout with the mirror in the place of the auto-number, or as it is where that is not on it.

    The name of a custom object cannot leave its layouts: there the mirror stands behind it.
    """
    shown = field in _fields(layout.content)
    present = mirror in _fields(layout.content)
    if not shown or (present and field == "Name"):
        return layout
    return Component(
        key=layout.key, content=_exchanged(layout.content, field, mirror, present), namespace=layout.namespace
    )


def _fields(content: Any) -> set[str]:
    """The fields that stand on a layout."""
    if isinstance(content, Mapping):
        found = set().union(*(_fields(value) for name, value in content.items() if name != "layoutItems"))
        return found.union(str(item["field"]) for item in _items(content) if item.get("field"))
    return set().union(*(_fields(value) for value in content)) if isinstance(content, list) else set()


def _items(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    items = content.get("layoutItems")
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []


def _exchanged(content: Any, field: str, mirror: str, present: bool) -> Any:
    if isinstance(content, list):
        return [_exchanged(value, field, mirror, present) for value in content]
    if not isinstance(content, Mapping):
        return content
    result = {name: _exchanged(value, field, mirror, present) for name, value in content.items()}
    if "layoutItems" not in result:
        return result
    items: list[Any] = []
    for item in result["layoutItems"]:
        if not isinstance(item, Mapping) or item.get("field") != field:
            items.append(item)
            continue
        if field == "Name":
            items.append(item)
        if not present:
            items.append({"behavior": "Readonly", "field": mirror})
    # An empty list has no place in the normal form.
    result["layoutItems"] = items
    return result if items else {name: value for name, value in result.items() if name != "layoutItems"}
