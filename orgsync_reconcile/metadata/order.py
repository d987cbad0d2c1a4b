"""The order in which components are deployed (MET-9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orgsync_reconcile.catalog import deploy_rank
from orgsync_reconcile.metadata.access import role
from orgsync_reconcile.model.component import Component


def deploy_order(components: Iterable[Component]) -> tuple[Component, ...]:
    """Components so that none comes before what it needs: by type, then by need within it, then by name (MET-9).

    Among fields, formulas follow plain fields and roll-ups follow both; a role follows the role above it.
    """
    given = tuple(components)
    parents = {item.key.full_name: role(item).parent for item in given if item.key.type == "Role"}
    return tuple(
        sorted(given, key=lambda item: (deploy_rank(item.key.type), item.key.type, _need(item, parents), item.key))
    )


def _need(component: Component, parents: Mapping[str, str]) -> int:
    """How late among components of its type a component comes."""
    if component.key.type == "CustomField":
        if component.content.get("type") == "Summary":
            return 2
        return 1 if "formula" in component.content else 0
    if component.key.type == "Role":
        return _depth(component.key.full_name, parents)
    return 0


def _depth(name: str, parents: Mapping[str, str]) -> int:
    seen = {name}
    # A cycle of roles is wrong but must not hang the import; the org refuses it.
    while (name := parents.get(name, "")) and name not in seen:
        seen.add(name)
    return len(seen)
