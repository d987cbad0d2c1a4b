"""What an unattended run did, as text, JSON or Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping

from orgsync_reconcile.cli.layout import columns, markdown_table, spoken, visible
from orgsync_reconcile.cli.session import Session
from orgsync_reconcile.errors import ExitCode
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.operations.reconcile import ConnectionResult, ReconcileReport, StepStatus
from orgsync_reconcile.operations.reconcile_document import reconcile_document
from orgsync_reconcile.plan.escape import for_markdown

_HEADS = ("STEP", "STATUS", "TIME", "WHAT")
#: How a status is coloured in text.
_KINDS = {
    StepStatus.OK: "ok",
    StepStatus.ATTENTION: "warning",
    StepStatus.SKIPPED: "dim",
    StepStatus.PARTIAL: "warning",
    StepStatus.FAILED: "error",
}


def show_reconciled(session: Session, report: ReconcileReport, code: ExitCode, *, one_line: bool) -> None:
    """Prints the report; `one_line` makes a JSON document one line, since a loop prints one after another."""
    if session.format == "json":
        document = reconcile_document(report, code)
        session.show(json.dumps(document, ensure_ascii=False, indent=None if one_line else 2))
    else:
        session.show(_markdown(report) if session.format == "markdown" else _text(session, report))


def _counts(counts: Mapping[str, int]) -> str:
    """The counts that are not zero: `3 moved, 1 held, 1 pending change`."""
    return ", ".join(_count(name.replace("_", " "), number) for name, number in counts.items() if number)


def _count(name: str, number: int) -> str:
    """Names that end in s are nouns in the plural, the others say what became of records."""
    return counted(number, name[:-1]) if name.endswith("s") else f"{number:,} {name}"


def _rows(result: ConnectionResult) -> list[tuple[str, str, str, str]]:
    rows = []
    for step in result.steps:
        what = _counts(step.counts) or (step.notes[0] if step.status is StepStatus.SKIPPED and step.notes else "")
        rows.append((step.step, step.status.value, spoken(step.seconds), what))
    return rows


def _notes(result: ConnectionResult) -> list[str]:
    """What the table does not say: the notes of steps that did something or need somebody."""
    return [
        f"{step.step}: {note}"
        for step in result.steps
        if step.status is not StepStatus.SKIPPED or step.counts
        for note in step.notes
    ]


def _summary(report: ReconcileReport) -> str:
    number = counted(len(report.connections), "connection")
    ended = " The run was asked to end." if report.stopped else ""
    words = f"Reconciled {number} in {spoken(report.seconds)}: {report.status.value}."
    return f"{words} Sample by seed {report.seed}.{ended}"


def _text(session: Session, report: ReconcileReport) -> str:
    parts = []
    for result in report.connections:
        head = f"{result.connection}: {result.status.value}"
        parts.append(session.style(_KINDS[result.status], head))
        if result.held_by:
            parts.append(f"  {visible(result.held_by)}")
        if result.steps:
            parts.append(columns(session, _HEADS, _rows(result)))
        parts.extend(f"  {visible(note)}" for note in _notes(result))
        parts.append("")
    return "\n".join([*parts, session.style("summary", _summary(report))])


def _markdown(report: ReconcileReport) -> str:
    parts: list[str] = []
    for result in report.connections:
        parts.extend([f"### {result.connection}: {result.status.value}", ""])
        if result.held_by:
            parts.extend([for_markdown(result.held_by), ""])
        if result.steps:
            parts.extend([markdown_table(_HEADS, _rows(result)), ""])
        notes = _notes(result)
        parts.extend([*(f"- {for_markdown(note)}" for note in notes), *([""] if notes else [])])
    return "\n".join([*parts, _summary(report)])
