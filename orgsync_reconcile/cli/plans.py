"""A plan in the session's format."""

from __future__ import annotations

from orgsync_reconcile.cli.session import Session
from orgsync_reconcile.model.plan import Plan
from orgsync_reconcile.plan import render_markdown, render_text, to_json


def plan_text(session: Session, plan: Plan) -> str:
    """The plan as text, JSON or Markdown, without a newline at its end."""
    if session.format == "json":
        return to_json(plan).rstrip("\n")
    if session.format == "markdown":
        return render_markdown(plan).rstrip("\n")
    return render_text(plan, width=session.width, style=session.style)
