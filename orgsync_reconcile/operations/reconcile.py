"""The report of an unattended run: steps in order, each with its status, whatever became of the others (REC-10)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from orgsync_reconcile.errors import ExitCode, OrgsyncError
from orgsync_reconcile.operations.stopping import Stopped


class StepStatus(StrEnum):
    """How a step ended."""

    #: All was in order, or was put in order.
    OK = "ok"
    #: Something that a person should look at, and that the run leaves alone: drift, pending manifests, differences.
    ATTENTION = "attention"
    #: Not wanted, or not possible as things stand; the notes say why.
    SKIPPED = "skipped"
    #: Part of it failed or is held; the next run goes on.
    PARTIAL = "partial"
    FAILED = "failed"

    @property
    def rank(self) -> int:
        """The worse, the higher. What was skipped is no worse than what was in order."""
        return {"ok": 0, "skipped": 0, "attention": 1, "partial": 2, "failed": 3}[self.value]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a step has to say. `counts` are whole numbers by snake_case name; `notes` are lines for people."""

    status: StepStatus = StepStatus.OK
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class StepResult:
    """One step as it ended."""

    step: str
    status: StepStatus
    seconds: float
    counts: Mapping[str, int]
    notes: tuple[str, ...]
    error: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionResult:
    """One connection's run."""

    connection: str
    seconds: float
    steps: tuple[StepResult, ...]
    #: Who is at work on the connection, where another run is: then no step was taken.
    held_by: str = ""

    @property
    def status(self) -> StepStatus:
        """The worst of its steps."""
        if self.held_by:
            return StepStatus.SKIPPED
        return max((item.status for item in self.steps), key=lambda status: status.rank, default=StepStatus.OK)

    def step(self, name: str) -> StepResult | None:
        """A step by name, where the run has got that far."""
        return next((item for item in self.steps if item.step == name), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReconcileReport:
    """One run over one or more connections. `seed` repeats its choice of records to verify."""

    started: datetime
    seconds: float
    seed: int
    connections: tuple[ConnectionResult, ...] = ()
    #: What kept the whole run from beginning, such as broken manifests; a line each.
    errors: tuple[str, ...] = ()
    #: The run was asked to end before it was done.
    stopped: bool = False

    @property
    def status(self) -> StepStatus:
        """The worst of its connections."""
        if self.errors:
            return StepStatus.FAILED
        return max((item.status for item in self.connections), key=lambda status: status.rank, default=StepStatus.OK)

    def exit_code(self, *, detailed: bool) -> ExitCode:
        """1 where nothing was achieved, 5 where a part failed or is held, 6 where another run was at work on all.

        With `detailed`, 2 where a person should look at something.
        """
        steps = [step for item in self.connections for step in item.steps]
        failed = any(step.status is StepStatus.FAILED for step in steps)
        done = any(
            step.status.rank < StepStatus.FAILED.rank and step.status is not StepStatus.SKIPPED for step in steps
        )
        if self.errors or (failed and not done):
            return ExitCode.ERROR
        if self.status.rank >= StepStatus.PARTIAL.rank:
            return ExitCode.PARTIAL
        if any(item.held_by for item in self.connections):
            return ExitCode.LOCK_HELD
        return ExitCode.CHANGES if detailed and self.status is StepStatus.ATTENTION else ExitCode.OK


def run_step(name: str, action: Callable[[], Outcome]) -> StepResult:
    """Takes one step; whatever goes wrong in it is its result, so that the other steps are taken too.

    Raises Stopped, and nothing else.
    """
    started = time.monotonic()
    try:
        outcome = action()
    except Stopped:
        raise
    except OrgsyncError as error:
        outcome = Outcome(status=StepStatus.FAILED, error=str(error))
    except Exception as error:
        what = f"{type(error).__name__}: {error}; this is a mistake of the program"
        outcome = Outcome(status=StepStatus.FAILED, error=what)
    return StepResult(
        step=name,
        status=outcome.status,
        seconds=time.monotonic() - started,
        counts=outcome.counts,
        notes=outcome.notes,
        error=outcome.error,
    )


def skipped(why: str) -> Outcome:
    """A step that is not taken, and why."""
    return Outcome(status=StepStatus.SKIPPED, notes=(why,))


def worst(statuses: Iterable[StepStatus]) -> StepStatus:
    """The worst of several; in order where there is none."""
    return max(statuses, key=lambda status: status.rank, default=StepStatus.OK)
