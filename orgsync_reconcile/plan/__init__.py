"""From desired and actual state to a plan: pure functions, no store, no file, no clock."""

from __future__ import annotations

from orgsync_reconcile.plan.adopt import Adoption, adopt
from orgsync_reconcile.plan.build import build_plan
from orgsync_reconcile.plan.document import to_document
from orgsync_reconcile.plan.drift_report import DriftReport, drift_of
from orgsync_reconcile.plan.file import from_json, to_json
from orgsync_reconcile.plan.fingerprint import moved
from orgsync_reconcile.plan.guards import GUARDS, refused
from orgsync_reconcile.plan.render_drift import render_drift_markdown, render_drift_text
from orgsync_reconcile.plan.render_markdown import render_markdown
from orgsync_reconcile.plan.render_text import render_text
from orgsync_reconcile.plan.scope import Mode
from orgsync_reconcile.plan.settings import connection_options, connection_settings

__all__ = [
    "GUARDS",
    "Adoption",
    "DriftReport",
    "Mode",
    "adopt",
    "build_plan",
    "connection_options",
    "connection_settings",
    "drift_of",
    "from_json",
    "moved",
    "refused",
    "render_drift_markdown",
    "render_drift_text",
    "render_markdown",
    "render_text",
    "to_document",
    "to_json",
]
