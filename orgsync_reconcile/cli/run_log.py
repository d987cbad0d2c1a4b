"""Log lines of an unattended run on standard error: words for people, or an object per line for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orgsync_reconcile.cli.layout import visible
from orgsync_reconcile.cli.session import Session
from orgsync_reconcile.clock import iso
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.operations.reconcile import ReconcileReport, StepResult, StepStatus

#: Status of a step -> the level of its line.
_LEVELS = {StepStatus.FAILED: "error", StepStatus.PARTIAL: "warning", StepStatus.ATTENTION: "warning"}


@dataclass(frozen=True, kw_only=True, slots=True)
class RunLog:
    """`form` is text or json. An object has `time`, `level`, `event` and `message`; steps and runs have more keys."""

    session: Session
    form: str
    clock: Callable[[], datetime]

    def line(self, level: str, event: str, message: str, **more: Any) -> None:
        """One line. As text, what is no warning or error is said with -v only."""
        if self.form == "json":
            entry = {"time": iso(self.clock()), "level": level, "event": event, "message": message, **more}
            self.session.complain(json.dumps(entry, ensure_ascii=False))
        elif level in ("error", "warning"):
            mark = self.session.style_error(level, f"{level}:")
            self.session.complain(f"{mark} {visible(message)}")
        elif self.session.verbose:
            self.session.note(visible(message))

    def step(self, connection: str, result: StepResult) -> None:
        """A step as it ends. As text, only its error is no news: the report has the rest."""
        level = _LEVELS.get(result.status, "info")
        message = f"{connection}: {result.step}: {result.error or result.status.value}"
        if self.form == "text" and not result.error:
            level = "info"
        self.line(
            level,
            "step",
            message,
            connection=connection,
            step=result.step,
            status=result.status.value,
            seconds=round(result.seconds, 3),
            counts=dict(result.counts),
            notes=list(result.notes),
            error=result.error or None,
        )

    def run(self, report: ReconcileReport) -> None:
        """A run as it ends, with what kept it from beginning."""
        for text in report.errors:
            self.line("error", "manifest", text)
        for item in report.connections:
            if item.held_by:
                self.line(
                    "warning", "skipped", f"{item.connection}: skipped, {item.held_by}", connection=item.connection
                )
        level = "error" if report.status is StepStatus.FAILED else "info"
        if self.form == "json":
            self.line(
                level,
                "run",
                f"reconciled {counted(len(report.connections), 'connection')}: {report.status.value}",
                status=report.status.value,
                seconds=round(report.seconds, 3),
                seed=report.seed,
                stopped=report.stopped,
            )
