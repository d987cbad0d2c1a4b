"""The sentences of a review that every rendering shares."""

from __future__ import annotations

from orgsync_reconcile.model.plan import Risk
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.plan.draft import listed
from orgsync_reconcile.plan.semantic.difference import Review

SAME = "No semantic difference: the manifests mean the same."


def summary_line(review: Review) -> str:
    """The line that no rendering leaves out."""
    if review.base_problem:
        return "The difference cannot be told: the base's manifests are not valid."
    if not review.differences:
        return SAME
    destructive, moving = (
        sum(item.risk is risk for item in review.differences) for risk in (Risk.DESTRUCTIVE, Risk.MOVES_DATA)
    )
    parts = [f"{destructive} destructive"] if destructive else []
    parts += [f"{moving} that move data" if moving > 1 else "1 that moves data"] if moving else []
    text = counted(len(review.differences), "difference")
    return f"Review: {text}, {', '.join(parts)}." if parts else f"Review: {text}, all of them safe."


def between(review: Review) -> str:
    """`main (1a2b3c4) → topic (5d6e7f8)`."""
    environment = f", environment {review.environment}" if review.environment else ""
    return f"{review.base.shown} → {review.head.shown}{environment}"


def notes(review: Review) -> list[str]:
    """What a reviewer must know about how the two revisions stand to each other, and about a plan that is missing."""
    lines = []
    if review.base_problem:
        lines.append(f"The base's manifests have errors; the first: {review.base_problem}")
    if review.behind:
        lines.append(
            f"{review.head.name} is {counted(review.behind, 'commit')} behind {review.base.name}; shown is only what "
            f"{review.head.name} changes, since {review.parted[:7]}."
        )
    if review.overlapping:
        lines.append(
            f"{review.base.name} has changed the same since then: {listed(review.overlapping)}; "
            "the later one to be merged decides."
        )
    if review.plan.absent:
        lines.append(f"No plan: {review.plan.absent}")
    elif review.plan.merged and review.plan.plan:
        lines.append(f"The plan is of {review.head.name} together with what {review.base.name} got meanwhile.")
    return lines
