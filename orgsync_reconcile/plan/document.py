"""A plan as JSON-ready data, in the contract's shape and key order (CONTRACT)."""

from __future__ import annotations

from typing import Any

from orgsync_reconcile.model.plan import Action, AllowanceState, Drift, Plan

#: Grows in its first part when programs that read the older format cannot read the newer one.
FORMAT_VERSION = "1.0"


def _action(action: Action) -> dict[str, Any]:
    return {
        "id": action.id,
        "address": action.address,
        "op": action.op.value,
        "org": action.org,
        "change": action.change.value,
        "risk": action.risk.value,
        "reason": action.reason.value,
        "before": None if action.before is None else dict(action.before),
        "after": None if action.after is None else dict(action.after),
        "source": action.source.document() if action.source else None,
        "depends_on": list(action.depends_on),
        "effects": dict(action.effects),
    }


def _allowance(item: AllowanceState) -> dict[str, Any]:
    return {
        "connection": item.connection,
        "guard": item.guard,
        "limit": item.limit,
        "until": item.until,
        "reason": item.reason,
        "in_force": item.in_force,
        "source": item.source.document(),
    }


def drift_document(item: Drift) -> dict[str, Any]:
    """One change by hand as JSON-ready data."""
    return {
        "address": item.address,
        "org": item.org,
        "kind": item.kind,
        "key": item.key,
        "detail": item.detail,
        "applied": item.applied,
        "live": item.live,
        "wanted": item.wanted,
        "changed_by": item.changed_by,
        "policy": item.policy,
        "diff": list(item.diff),
    }


def to_document(plan: Plan) -> dict[str, Any]:
    """The plan as JSON-ready data."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "plan",
        "plan_id": plan.plan_id,
        "applyable": plan.applyable,
        "inputs": {
            "manifests": [{"path": path, "sha256": sha256} for path, sha256 in plan.manifests],
            "env": plan.environment,
            # Only in the plan of a part, which is planned again with the same choice.
            **({"targets": list(plan.targets)} if plan.targets else {}),
            **({"excludes": list(plan.excludes)} if plan.excludes else {}),
            **({"allowances": [_allowance(item) for item in plan.allowances]} if plan.allowances else {}),
        },
        "observed": {
            name: {"org_id": plan.observed[name][0], "revision": plan.observed[name][1]}
            for name in sorted(plan.observed)
        },
        "actions": [_action(action) for action in plan.actions],
        "drift": [drift_document(item) for item in plan.drift],
        "manual": [
            {"code": m.code, "address": m.address, "org": m.org, "task": m.task, "why": m.why} for m in plan.manual
        ],
        "guards": [
            {
                "id": g.id,
                "actual": g.actual,
                "limit": g.limit,
                "status": g.status,
                "detail": g.detail,
                "count": g.count,
                "total": g.total,
                "allowed_by": g.allowed_by,
                "blocks": list(g.blocks),
            }
            for g in plan.guards
        ],
        "diagnostics": [item.document() for item in plan.diagnostics],
        "summary": dict(plan.summary),
    }
