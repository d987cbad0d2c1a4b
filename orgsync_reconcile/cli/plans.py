"""A plan in the session's format."""

from __future__ import annotations

from orgsync_reconcile.cli.session import Session
from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.model.plan import Plan, Risk
from orgsync_reconcile.plan import render_markdown, render_text, to_json
from orgsync_reconcile.plan.guards import PROTECTION, UNPROTECT_HINT


def plan_text(session: Session, plan: Plan, *, full: bool = False) -> str:
    """The plan as text, JSON or Markdown, without a newline at its end."""
    if session.format == "json":
        return to_json(plan).rstrip("\n")
    if session.format == "markdown":
        return render_markdown(plan).rstrip("\n")
    return render_text(plan, width=session.width, style=session.style, full=full)


#: Rules of annotations that are no diagnostics of the plan.
DESTRUCTIVE, REFUSED = "destructive", "refused"


def plan_findings(plan: Plan) -> list[Diagnostic]:
    """What a reviewer should see at the manifests' lines: diagnostics, destructive actions, guards that refuse (REC-9)."""
    found = list(plan.diagnostics)
    for action in plan.actions:
        if action.risk is Risk.DESTRUCTIVE:
            counts = ", ".join(f"{key} {value:,}" for key, value in sorted(action.effects.items()))
            message = f"{action.op} at {action.address} is destructive" + (f" ({counts})" if counts else "")
            found.append(Diagnostic(severity=Severity.WARNING, code=DESTRUCTIVE, message=message, origin=action.source))
    for guard in plan.guards:
        if guard.status != "ok":
            message = (
                f"the guard {guard.id} refuses this plan: {guard.detail or f'{guard.actual:g} of {guard.limit:g}'}"
            )
            hint = UNPROTECT_HINT if guard.id == PROTECTION else f"allow it once with --allow {guard.id}"
            found.append(Diagnostic(severity=Severity.ERROR, code=REFUSED, message=message, hint=hint))
    return found
