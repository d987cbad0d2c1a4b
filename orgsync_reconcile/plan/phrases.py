"""The words for an action that every renderer shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orgsync_reconcile.model.plan import Action, Change, Guard, Op, Plan
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.plan.draft import shown_value
from orgsync_reconcile.plan.guards import PROTECTION, UNPROTECT_HINT, above, limit_words, refused

NO_CHANGES = "No changes. The orgs match the manifests."
#: What a part of a plan says then: what was left out may well have changes.
NOTHING_CHOSEN = "No changes in the part that was chosen with --target and --exclude."
SYMBOLS = {Change.CREATE: "+", Change.UPDATE: "~", Change.DELETE: "-", Change.RUN: ">"}
DRIFT, BLOCKED = "?", "!"
#: Keys that tell a person nothing.
_INTERNAL = frozenset({"hash"})


def blocked_actions(plan: Plan) -> frozenset[str]:
    """The ids of the actions that a refused guard holds back."""
    return frozenset(action for guard in refused(plan) for action in guard.blocks)


def phrase(action: Action) -> str:
    """`publish-object in acme (12 fields)`: what is done where, how much, and why if not because it is new."""
    notes = []
    after = action.after or {}
    if action.change is Change.CREATE and isinstance(after.get("fields"), list):
        notes.append(counted(len(after["fields"]), "field"))
    if isinstance(after.get("mirrors"), str) and action.change is not Change.UPDATE:
        notes.append(f"from {after['mirrors']}")
    if after.get("link"):
        notes.append("already there, linked")
    for name, number in sorted(action.effects.items()):
        notes.append(counted(number, "record") + (" disconnected" if name == "disconnected" else ""))
    if action.reason != "added":
        notes.append(action.reason.value)
    return f"{action.op} in {action.org}" + (f" ({', '.join(notes)})" if notes else "")


def attributes(action: Action, *, full: bool = False) -> list[str]:
    """`name: old → new` for each attribute that an action changes; `full` names those of all actions, uncut."""
    if full:
        before, after = _flat(action.before or {}), _flat(action.after or {})
        return [
            f"{key}: {_whole(before[key])} → {_whole(after[key])}"
            if key in before and key in after
            else f"{key}: {_whole(before.get(key, after.get(key)))}"
            for key in sorted(before.keys() | after.keys())
            if key not in _INTERNAL
        ]
    if action.before is None or action.change is not Change.UPDATE:
        return [
            f"{key}: {shown_value(value)}" for key, value in sorted((action.before or {}).items()) if key == "dropped"
        ]
    lines = []
    before, after = _flat(action.before), _flat(action.after or {})
    for key in sorted(before.keys() | (after.keys() if action.op is Op.UPDATE_CONNECTION else before.keys())):
        if key not in _INTERNAL and before.get(key) != after.get(key):
            lines.append(f"{key}: {shown_value(before.get(key))} → {shown_value(after.get(key))}")
    return lines


def _whole(value: Any) -> str:
    return shown_value(value, longest=None)


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """The changed keys of a component stand beside the action's own."""
    flat = {key: value for key, value in values.items() if key != "content"}
    flat.update(values.get("content") or {})
    return flat


def summary_line(plan: Plan) -> str:
    """The last line of every rendering."""
    if not plan.actions:
        if not plan.applyable:
            return "No actions: the plan has errors."
        if plan.drift:
            return "Nothing to apply; what was changed by hand is reported above."
        return NOTHING_CHOSEN if plan.targets or plan.excludes else NO_CHANGES
    counts = plan.summary
    line = (
        f"Plan: {counts['create']} to create, {counts['update']} to update,"
        f" {counts['delete']} to delete, {counts['run']} to run."
    )
    if not plan.applyable:
        return f"{line} It cannot be applied: see the errors."
    stops = refused(plan)
    if stops:
        return f"{line} Refused by {', '.join(sorted({guard.id for guard in stops}))}: see the guards."
    return line


def guard_line(guard: Guard) -> str:
    """`disconnect: ok, 4.0%, limit 30.0% (acme-dr: 4 of 100 linked records)`, and what lets a refused one pass."""
    if guard.id == PROTECTION:
        return f"{guard.id}: {guard.status} ({guard.detail}); {UNPROTECT_HINT}"
    line = f"{guard.id}: {guard.status}, {guard.actual:.1%}, {limit_words(guard.limit)} ({guard.detail})"
    if guard.status == "ok":
        return f"{line}; allowed by {guard.allowed_by}" if guard.allowed_by else line
    # Below its limit, too, what is destructive has to be allowed.
    return f"{line}; {'' if above(guard) else 'destructive, so '}--allow {guard.id} lets it pass"
