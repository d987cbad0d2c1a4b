"""The parts of supported components that stay each org's own (MET-2)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from orgsync_reconcile.model.component import Component

#: Component type -> elements that the sync leaves untouched: feed and mobile settings, tabs and applications.
UNSYNCED_ELEMENTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "Layout": frozenset({"feedLayout", "platformActionList", "relatedContent"}),
        "PermissionSet": frozenset({"applicationVisibilities", "tabSettings"}),
        "Profile": frozenset({"applicationVisibilities", "tabVisibilities"}),
    }
)


def strip_unsynced(component: Component) -> Component:
    """The component without what the sync leaves untouched: what two orgs are compared by (MET-2)."""
    own = UNSYNCED_ELEMENTS.get(component.key.type)
    if not own or own.isdisjoint(component.content):
        return component
    content = {name: value for name, value in component.content.items() if name not in own}
    return Component(key=component.key, content=content, namespace=component.namespace)


def merge_unsynced(new: Component, existing: Component | None) -> Component:
    """What is deployed: `new` as the primary has it, with the secondary's own untouched parts of `existing` (MET-2)."""
    stripped = strip_unsynced(new)
    own = UNSYNCED_ELEMENTS.get(new.key.type)
    if existing is None or not own or own.isdisjoint(existing.content):
        return stripped
    kept = {name: value for name, value in existing.content.items() if name in own}
    return Component(key=new.key, content={**stripped.content, **kept}, namespace=new.namespace)
