"""The only loop that runs actions: lock, plan again, check, journal, run, report (REC-2, REC-3, REC-4)."""

from __future__ import annotations

from orgsync_reconcile.apply.context import ApplyContext
from orgsync_reconcile.apply.report import ActionOutcome, ApplyReport, Status
from orgsync_reconcile.apply.run import Progress, apply_plan

__all__ = ["ActionOutcome", "ApplyContext", "ApplyReport", "Progress", "Status", "apply_plan"]
