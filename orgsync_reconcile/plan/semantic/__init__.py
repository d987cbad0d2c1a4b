"""What two states of the manifests mean differently, whatever files, order and comments they stand in (REC-9)."""

from __future__ import annotations

from orgsync_reconcile.plan.semantic.compare import compare
from orgsync_reconcile.plan.semantic.difference import Difference, PlanState, Review, Revision
from orgsync_reconcile.plan.semantic.document import to_document
from orgsync_reconcile.plan.semantic.findings import to_findings
from orgsync_reconcile.plan.semantic.render_markdown import render_markdown
from orgsync_reconcile.plan.semantic.render_text import render_text
from orgsync_reconcile.plan.semantic.trust import untrusted

__all__ = [
    "Difference",
    "PlanState",
    "Review",
    "Revision",
    "compare",
    "render_markdown",
    "render_text",
    "to_document",
    "to_findings",
    "untrusted",
]
