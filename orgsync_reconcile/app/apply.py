"""Applying: a plan is made or read, checked, and carried out (REC-2 to REC-5)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orgsync_reconcile.app.notices import tell_of_apply
from orgsync_reconcile.app.planning import Choice, choice_of, org_names, plan, plan_for, read_plan
from orgsync_reconcile.app.workspace import Workspace, open_orgs
from orgsync_reconcile.apply import ApplyContext, ApplyReport, Progress, apply_plan
from orgsync_reconcile.apply.checks import check_applyable, check_fresh, check_guards
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.plan import Plan
from orgsync_reconcile.sync import outage


def prepare(workspace: Workspace, file: Path | None, choice: Choice) -> tuple[Plan, Choice]:
    """The plan to carry out, made now, and the choice that it was made with; of a saved one its own choice.

    Raises StalePlanError where a saved plan no longer holds.
    """
    if file is None:
        return plan(workspace, choice), choice
    saved = read_plan(workspace, file)
    chosen = replace(choice_of(saved), allow=choice.allow)
    fresh = plan(workspace, chosen)
    check_fresh(saved, fresh)
    return fresh, chosen


def check(made: Plan) -> None:
    """Raises OrgsyncError for a plan with errors, GuardRefusedError for one that does too much (REC-5)."""
    check_applyable(made)
    check_guards(made)


def carry_out(
    workspace: Workspace,
    made: Plan,
    choice: Choice,
    *,
    lock_timeout: float = 0.0,
    fail_fast: bool = False,
    progress: Progress | None = None,
) -> ApplyReport:
    """Runs the plan; what went wrong on the way is in the report.

    Raises before anything is changed: LockHeldError, StalePlanError, GuardRefusedError, PermissionDeniedError.
    """
    desired = workspace.desired()
    with open_orgs(workspace, desired, org_names(workspace, desired)) as orgs:
        for connection in desired.connections.values():
            ends = {Side.PRIMARY: orgs[connection.primary], Side.SECONDARY: orgs[connection.secondary]}
            outage.resume_together(ends, connection.name, clock=workspace.clock)
        context = ApplyContext(
            orgs=orgs,
            desired=desired,
            clock=workspace.clock,
            # The manifests may have been edited since; the plan under the lock is made of what they say now.
            replan=lambda: plan_for(workspace.desired(), orgs, choice, workspace.clock),
            lock_timeout=lock_timeout,
        )
        report = apply_plan(made, context, fail_fast=fail_fast, progress=progress)
        return replace(report, notices=(*report.notices, *tell_of_apply(workspace, context, report)))
