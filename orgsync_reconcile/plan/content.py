"""What differs between two versions of a component: the texts are read only where the hashes differ (MET-2, MET-5)."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any

from orgsync_reconcile.metadata import strip_unsynced
from orgsync_reconcile.model.actual import ActualOrg
from orgsync_reconcile.model.component import Component, ComponentKey, canonical

#: More lines than these help nobody in a plan; the rest is counted.
_MOST_LINES = 60
#: Longer values are shown by their length only.
_LONGEST_VALUE = 60


def component_of(org: ActualOrg, key: ComponentKey) -> Component | None:
    """A component with its content, or None where the org's reader did not supply the text."""
    text = org.component_texts.get(key)
    if text is None:
        return None
    return Component(key=key, content=json.loads(text), namespace=org.components[key].namespace)


def synced_part(component: Component) -> dict[str, Any]:
    """The content without the parts that stay each org's own (MET-2)."""
    return dict(strip_unsynced(component).content)


def same_where_synced(ours: Component | None, theirs: Component | None) -> bool:
    """Whether two versions differ only in parts that do not sync (MET-2)."""
    if ours is None or theirs is None:
        return False
    return canonical(synced_part(ours)) == canonical(synced_part(theirs))


def unified(ours: Component | None, theirs: Component | None, here: str, there: str) -> tuple[str, ...]:
    """Unified-diff lines from the primary's version to the secondary's, of the parts that sync."""
    if ours is None or theirs is None:
        return ()
    lines = list(difflib.unified_diff(_pretty(ours), _pretty(theirs), fromfile=here, tofile=there, n=1, lineterm=""))
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"… {len(lines) - _MOST_LINES} more lines"]
    return tuple(lines)


def _pretty(component: Component) -> list[str]:
    """The content as indented JSON, with source text in lines of its own."""
    content = synced_part(component)
    source = content.pop("source", None)
    lines = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False).splitlines() if content else []
    return lines + (str(source).splitlines() if source is not None else [])


def changed_keys(
    ours: Component | None, theirs: Component | None
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """The top-level keys that differ, as (the secondary's values, the primary's values), shortened for a plan."""
    if ours is None or theirs is None:
        return None, None
    new, old = synced_part(ours), synced_part(theirs)
    keys = sorted(key for key in new.keys() | old.keys() if new.get(key) != old.get(key))
    return {key: _short(old.get(key)) for key in keys}, {key: _short(new.get(key)) for key in keys}


def _short(value: Any) -> Any:
    """Scalars as they are; nested and long values by their size."""
    if isinstance(value, str) and len(value) > _LONGEST_VALUE:
        return f"… {len(value)} characters"
    if isinstance(value, list | tuple):
        return f"… {len(value)} entries"
    if isinstance(value, Mapping):
        return f"… {len(value)} keys"
    return value
