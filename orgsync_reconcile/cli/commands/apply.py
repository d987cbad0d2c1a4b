"""`orgsync apply`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from orgsync_reconcile.app.apply import carry_out, check, prepare
from orgsync_reconcile.app.planning import Choice
from orgsync_reconcile.apply import ActionOutcome, ApplyReport, Status
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import visible
from orgsync_reconcile.cli.options import allowance
from orgsync_reconcile.cli.plans import plan_text
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import DeclinedError, UsageError
from orgsync_reconcile.model.plan import Action, Plan
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.plan.codes import BULK_SYNC_NEXT
from orgsync_reconcile.plan.escape import as_code, for_markdown

_MARKS = {Status.DONE: ("ok", "done"), Status.FAILED: ("error", "failed"), Status.NOT_STARTED: ("dim", "not started")}

#: Actions of one status that a comment lists, and how much of a message.
_LISTED, _LONGEST = 50, 300


@leaf(formats=("text", "json", "markdown"))
@click.argument("file", required=False)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--allow", "allow", multiple=True, type=allowance, metavar="GUARD[=N]", help="Let a guard pass; repeatable."
)
@click.option("--target", "targets", multiple=True, metavar="ADDRESS", help="Only this and what it needs; repeatable.")
@click.option("--exclude", "excludes", multiple=True, metavar="ADDRESS", help="All but this; repeatable.")
@click.option(
    "--lock-timeout", type=click.FloatRange(min=0), default=0.0, metavar="S", help="Wait S seconds for another apply."
)
@click.option("--fail-fast", is_flag=True, help="Stop at the first failure, not only what depends on it.")
@pass_session
def command(
    session: Session,
    file: str | None,
    yes: bool,
    allow: tuple[tuple[str, float | None], ...],
    targets: tuple[str, ...],
    excludes: tuple[str, ...],
    lock_timeout: float,
    fail_fast: bool,
) -> None:
    """Bring the orgs to what the manifests say.

    Shows the plan and asks, then carries it out action by action; or carries out a plan that was saved, if it still
    holds. A saved plan with --yes was reviewed already and is not shown again. Running it again finishes what was left, and does nothing where nothing is left.

    Exits with 3 where a guard refused, 4 for a stale plan, 5 where only part was done, 6 where another apply holds
    the lock, 7 where you said no.

    Examples:
      orgsync apply
      orgsync plan --out plan.json && orgsync apply plan.json --yes
      orgsync apply --allow disconnect=0.5
    """
    if file and (targets or excludes):
        raise UsageError("a saved plan has its own --target and --exclude", hint="leave them out, or plan again")
    choice = Choice(targets=targets, excludes=excludes, allow=dict(allow))
    workspace = session.workspace()
    made, choice = prepare(workspace, Path(file) if file else None, choice)
    if session.format == "text" and not (file and yes and made.actions):
        session.show(plan_text(session, made))
    check(made)
    if not made.actions:
        if session.format != "text":
            _show(session, ApplyReport(plan_id=made.plan_id, outcomes=()))
        return
    if not yes:
        _ask(session, made)
    report = carry_out(
        workspace, made, choice, lock_timeout=lock_timeout, fail_fast=fail_fast, progress=_teller(session, made)
    )
    _show(session, report)
    for notice in report.notices:
        session.note(visible(notice))
    if report.failure is not None:
        raise report.failure
    for item in made.diagnostics:
        if item.code == BULK_SYNC_NEXT:
            session.note(f"Next: {item.hint.removesuffix(' after the plan is applied')}")


def _show(session: Session, report: ApplyReport) -> None:
    """What became of the actions: in text each was told as it ended, so the summary is left."""
    if session.format == "json":
        session.show_json(_document(report))
    elif session.format == "markdown":
        session.show(_markdown(report))
    else:
        session.show(f"\n{session.style('summary', _summary(report))}")


def _markdown(report: ApplyReport) -> str:
    """The report for a comment: the summary first, then what failed, what was not started, and folded what was done."""
    parts = ["<!-- orgsync:apply -->", "## orgsync apply", f"**{_summary(report)}**"]
    for status in (Status.FAILED, Status.NOT_STARTED, Status.DONE):
        found = report.of(status)
        lines = [
            f"- {as_code(item.action.address)} {item.action.op}"
            + (f": {for_markdown(item.message[:_LONGEST])}" if item.message else "")
            for item in found[:_LISTED]
        ]
        if len(found) > _LISTED:
            lines.append(f"- … and {len(found) - _LISTED} more")
        title, body = f"{status.value.capitalize()} ({len(found)})", "\n".join(lines)
        if found and status is Status.DONE:
            parts.append(f"<details><summary>{title}</summary>\n\n{body}\n\n</details>")
        elif found:
            parts.append(f"### {title}\n\n{body}")
    return "\n\n".join(parts)


def _ask(session: Session, made: Plan) -> None:
    """Raises DeclinedError where the answer is no, UsageError where nobody can answer."""
    if not session.interactive:
        raise UsageError(
            "apply asks before it changes anything, and there is no terminal to ask at",
            hint="review the plan, then run it with --yes",
        )
    click.echo(err=True)
    if not click.confirm(f"Carry out {counted(len(made.actions), 'action')}?", err=True):
        raise DeclinedError("nothing was changed")


def _teller(session: Session, made: Plan) -> Callable[[Action, ActionOutcome | None], None]:
    """One line per action as it ends, on standard output in text, on standard error beside JSON."""
    tell = session.show if session.format == "text" else session.note
    digits = len(str(len(made.actions)))
    done = 0

    def progress(action: Action, outcome: ActionOutcome | None) -> None:
        nonlocal done
        if outcome is None:
            return
        done += 1
        if done == 1 and session.format == "text":
            tell("")
        kind, word = _MARKS[outcome.status]
        why = f": {visible(outcome.message)}" if outcome.message else ""
        mark = session.style(kind, f"{word:<6}")
        tell(f"  {done:>{digits}}/{len(made.actions)} {mark} {visible(f'{action.op} {action.address}')}{why}")

    return progress


def _summary(report: ApplyReport) -> str:
    counts = [(len(report.of(status)), status.value) for status in Status]
    return "Applied: " + ", ".join(f"{number} {word}" for number, word in counts if number or word == "done") + "."


def _document(report: ApplyReport) -> dict[str, Any]:
    return {
        "plan_id": report.plan_id,
        "actions": [
            {
                "id": item.action.id,
                "address": item.action.address,
                "op": item.action.op.value,
                "status": item.status.value,
                "message": item.message,
            }
            for item in report.outcomes
        ],
        "summary": {status.value: len(report.of(status)) for status in Status},
    }
