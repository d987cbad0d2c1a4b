"""What a plan is known by: manifests, org identities and actions, without numbers and record counts (REC-2)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from orgsync_reconcile.model.component import canonical
from orgsync_reconcile.model.plan import Action, Plan


def plan_id(
    manifests: Iterable[tuple[str, str]],
    environment: str | None,
    observed: Mapping[str, tuple[str, str]],
    actions: tuple[Action, ...],
) -> str:
    """`sha256:` and the hash over all that `apply` must find unchanged. Counts and org revisions stand outside."""
    content = {
        "manifests": [list(item) for item in sorted(manifests)],
        "environment": environment,
        "orgs": {name: identity[0] for name, identity in observed.items()},
        "actions": [essence(action, actions) for action in actions],
    }
    return "sha256:" + hashlib.sha256(canonical(content).encode()).hexdigest()


def essence(action: Action, actions: tuple[Action, ...]) -> dict[str, Any]:
    """What an action does, by address instead of number and without counts."""
    return {
        "address": action.address,
        "op": action.op.value,
        "org": action.org,
        "change": action.change.value,
        "risk": action.risk.value,
        "reason": action.reason.value,
        "before": action.before,
        "after": action.after,
        "depends_on": [actions[int(item[1:]) - 1].address for item in action.depends_on],
    }


def moved(saved: Plan, fresh: Plan) -> list[str]:
    """One line for each thing that changed between two plans: actions, manifests, org identities (REC-2)."""
    lines: list[str] = []
    for name in sorted(saved.observed.keys() | fresh.observed.keys()):
        old, new = saved.observed.get(name), fresh.observed.get(name)
        if (old and old[0]) != (new and new[0]):
            lines.append(f"org {name} is another org than when the plan was saved")
    if saved.environment != fresh.environment:
        lines.append(f"the environment was {saved.environment or 'none'}, now {fresh.environment or 'none'}")
    then = {action.address: essence(action, saved.actions) for action in saved.actions}
    now = {action.address: essence(action, fresh.actions) for action in fresh.actions}
    for address in sorted(then.keys() | now.keys()):
        if address not in now:
            lines.append(f"{address}: {then[address]['op']} is no longer needed")
        elif address not in then:
            lines.append(f"{address}: {now[address]['op']} is new")
        elif then[address] != now[address]:
            keys = sorted(key for key in then[address] if then[address][key] != now[address][key])
            lines.append(f"{address}: {now[address]['op']} differs in {', '.join(keys)}")
    old_files, new_files = dict(saved.manifests), dict(fresh.manifests)
    for path in sorted(old_files.keys() | new_files.keys()):
        if old_files.get(path) != new_files.get(path):
            lines.append(f"{path}: the manifest changed")
    return lines
