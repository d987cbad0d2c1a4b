"""A review as a JSON document (REC-9)."""

from __future__ import annotations

from typing import Any

from orgsync_reconcile.model.plan import Risk
from orgsync_reconcile.plan.document import to_document as plan_document
from orgsync_reconcile.plan.semantic.difference import Difference, Review, Revision
from orgsync_reconcile.plan.semantic.findings import code_of

FORMAT_VERSION = "1.0"


def to_document(review: Review) -> dict[str, Any]:
    """The review as plain data; `plan` is the document of `plan --format json`, or null with `plan_absent`."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "review",
        "base": {**_revision(review.base), "problem": review.base_problem},
        "head": _revision(review.head),
        "merge_base": review.parted,
        "behind": review.behind,
        "overlapping": list(review.overlapping),
        "env": review.environment,
        "differences": [_difference(item) for item in review.differences],
        "untrusted": [item.document() for item in review.untrusted],
        "warnings": [item.document() for item in review.warnings],
        "plan": plan_document(review.plan.plan) if review.plan.plan else None,
        "plan_absent": review.plan.absent,
        "plan_merged": review.plan.merged,
        "summary": summary(review),
    }


def summary(review: Review) -> dict[str, int]:
    """How many differences there are, by risk."""
    counts = {"differences": len(review.differences)}
    return counts | {risk.value: sum(item.risk is risk for item in review.differences) for risk in Risk}


def _revision(revision: Revision) -> dict[str, str]:
    return {"name": revision.name, "commit": revision.commit}


def _difference(item: Difference) -> dict[str, Any]:
    return {
        "code": code_of(item),
        "group": item.group,
        "subject": item.subject,
        "address": item.address,
        "key": item.key,
        "change": item.change.value,
        "risk": item.risk.value,
        "message": item.message,
        "before": item.before,
        "after": item.after,
        "items": [{"name": name, "source": origin.document()} for name, origin in item.items],
        "source": {**item.origin.document(), "side": "base" if item.gone else "head"},
        "effects": dict(item.effects),
    }
