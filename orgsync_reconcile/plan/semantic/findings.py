"""Differences as findings at their places, for annotations of a diff and for SARIF (REC-9)."""

from __future__ import annotations

from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.model.plan import Change, Risk
from orgsync_reconcile.plan.semantic import codes
from orgsync_reconcile.plan.semantic.difference import Difference, Review


def to_findings(review: Review) -> tuple[Diagnostic, ...]:
    """What is refused, then what destroys as warnings, other differences as notes, and the head's new warnings.

    A place in the base has no line in the head, so a finding that was taken away stands there without a place.
    """
    destructive = review.destructive
    rest = [item for item in review.differences if item not in destructive]
    return (
        *review.untrusted,
        *(_finding(item) for item in (*destructive, *rest)),
        *review.warnings,
    )


def code_of(item: Difference) -> str:
    """The stable code of a difference."""
    if item.key.startswith("fields."):
        return codes.FIELDS_ADDED if item.key == "fields.published" else codes.FIELDS_REMOVED
    if item.key:
        return codes.CHANGED
    return {Change.CREATE: codes.ADDED, Change.DELETE: codes.REMOVED}[item.change]


def sentence(item: Difference) -> str:
    """`unpublished; 12,304 records would be disconnected`."""
    counts = [
        f"{number:,} {'record' if number == 1 else 'records'} would be {name}"
        for name, number in sorted(item.effects.items())
    ]
    return "; ".join([item.message, *counts])


def _finding(item: Difference) -> Diagnostic:
    where = f" (it stood at {item.origin})" if item.gone else ""
    return Diagnostic(
        severity=Severity.WARNING if item.risk is Risk.DESTRUCTIVE else Severity.INFO,
        code=code_of(item),
        message=f"{item.group}: {item.subject}: {sentence(item)}{where}",
        hint="destructive once it is applied" if item.risk is Risk.DESTRUCTIVE else "",
        origin=None if item.gone else item.origin,
    )
