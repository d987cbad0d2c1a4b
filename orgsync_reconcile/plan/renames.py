"""Components that look renamed: the same content under a new name (MET-7)."""

from __future__ import annotations

from orgsync_reconcile.model.component import ComponentKey
from orgsync_reconcile.plan import codes
from orgsync_reconcile.plan.draft import Sheet
from orgsync_reconcile.plan.metadata_facts import Comparison
from orgsync_reconcile.plan.scope import Scope

#: Renamed as such; the others are made anew under the new name.
_RENAMED_IN_PLACE = frozenset({"PermissionSet", "Profile", "Role"})
_WARNED = frozenset({"CustomField", "CustomObject"})


def find_renames(scope: Scope, facts: Comparison) -> dict[ComponentKey, ComponentKey]:
    """New key -> old key, for components gone from the primary whose last synced content has a new name there."""
    gone: dict[tuple[str, str, str], list[ComponentKey]] = {}
    for key in facts.extra:
        theirs = scope.secondary.components[key]
        if theirs.synced_hash and key.type in _RENAMED_IN_PLACE | _WARNED:
            for known in {theirs.hash, theirs.synced_hash}:
                gone.setdefault((key.type, _owner(key), known), []).append(key)
    result: dict[ComponentKey, ComponentKey] = {}
    taken: set[ComponentKey] = set()
    for key in facts.created:
        candidates = gone.get((key.type, _owner(key), scope.primary.components[key].hash), ())
        old = next((item for item in candidates if item not in taken), None)
        if old is not None:
            result[key] = old
            taken.add(old)
    return result


def _owner(key: ComponentKey) -> str:
    """The object of a field; a field never moves to another object."""
    return key.full_name.partition(".")[0] if key.type == "CustomField" else ""


def warn_renames(scope: Scope, renames: dict[ComponentKey, ComponentKey], sheet: Sheet) -> None:
    """A renamed field or object is a new one to the other org: its records' values stay under the old name."""
    for new, old in sorted(renames.items()):
        if new.type in _WARNED:
            noun = "field" if new.type == "CustomField" else "object"
            sheet.warn(
                codes.RENAMED,
                f"{noun} {old.full_name} looks renamed to {new.full_name} in {scope.desired.primary};"
                f" {scope.desired.secondary} gets a new {noun} and keeps the old one",
                hint=f"clone the {noun} under the new name instead, copy its values, then retire the old one",
                origin=scope.desired.origin_of("sync.metadata"),
            )


def renamed_in_place(key: ComponentKey, renames: dict[ComponentKey, ComponentKey]) -> ComponentKey | None:
    """The old key of a role, profile or permission set that is renamed as such."""
    return renames.get(key) if key.type in _RENAMED_IN_PLACE else None
