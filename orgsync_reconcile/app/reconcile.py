"""The unattended run: every connection is brought back in step, one step at a time, and reported (REC-10)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NoReturn

from orgsync_reconcile.app.alerts import expect
from orgsync_reconcile.app.metrics import note_success
from orgsync_reconcile.app.reach import open_reachable
from orgsync_reconcile.app.reconcile_steps import STEPS, Run
from orgsync_reconcile.app.workspace import Workspace, pick_connection
from orgsync_reconcile.apply.context import holder_name
from orgsync_reconcile.errors import LockHeldError, ManifestError
from orgsync_reconcile.model.desired import Desired
from orgsync_reconcile.operations.reconcile import (
    ConnectionResult,
    ReconcileReport,
    StepResult,
    StepStatus,
    run_step,
    skipped,
    worst,
)
from orgsync_reconcile.operations.stopping import Stop, Stopped
from orgsync_reconcile.stores.sql.leases import lease, reconcile_lease
from orgsync_reconcile.sync.verify_sample import RANGES, RECORDS


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a run is to do. `connections` empty means all of the manifests."""

    connections: tuple[str, ...] = ()
    #: Carry out what the manifests say and nobody has applied, too; `allow` is as in apply.
    apply: bool = False
    allow: Mapping[str, float | None] = field(default_factory=dict)
    #: Chooses the records to verify; a run with the same seed and links chooses the same.
    seed: int = 0
    ranges: int = RANGES
    records: int = RECORDS
    #: Seconds to wait for another run of the same connection.
    lock_timeout: float = 0.0


#: Called with each step as it ends, and the connection that it belongs to.
Progress = Callable[[str, StepResult], None]


def reconcile(workspace: Workspace, wanted: Wanted, *, stop: Stop, progress: Progress | None = None) -> ReconcileReport:
    """One unattended run over the connections.

    What goes wrong is in the report, broken manifests too; nothing is raised but UsageError for a connection that the
    manifests do not name.
    """
    started, clock_start = workspace.clock(), time.monotonic()
    report = ReconcileReport(started=started, seconds=0.0, seed=wanted.seed)
    try:
        desired = workspace.desired()
    except ManifestError as error:
        report = replace(report, errors=tuple(item.one_line() for item in error.diagnostics))
        return replace(report, seconds=time.monotonic() - clock_start)
    results: list[ConnectionResult] = []
    for name in _names(desired, wanted.connections):
        if stop.asked:
            break
        results.append(_reconcile_one(workspace, desired, name, wanted, stop, progress))
    return replace(report, connections=tuple(results), seconds=time.monotonic() - clock_start, stopped=stop.asked)


def _names(desired: Desired, wanted: Sequence[str]) -> list[str]:
    """The connections in question, each once. Raises UsageError."""
    if not wanted:
        return sorted(desired.connections) or [pick_connection(desired, None).name]
    return list(dict.fromkeys(pick_connection(desired, name).name for name in wanted))


def _reconcile_one(
    workspace: Workspace, desired: Desired, name: str, wanted: Wanted, stop: Stop, progress: Progress | None
) -> ConnectionResult:
    started = time.monotonic()
    run = Run(
        workspace=workspace,
        connection=name,
        desired=desired,
        apply=wanted.apply,
        allow=dict(wanted.allow),
        seed=wanted.seed,
        ranges=wanted.ranges,
        records=wanted.records,
        stop=stop,
    )
    held_by = ""
    try:
        with (
            open_reachable(workspace, name) as found,
            lease(found.primary, reconcile_lease(name), holder_name(), workspace.clock, wanted.lock_timeout),
        ):
            # Failures of metadata and users are logged before the queue is sent: they are new, too.
            expect(found)
            _take_steps(run, progress)
            if worst(item.status for item in run.done).rank < StepStatus.PARTIAL.rank and not stop.asked:
                note_success(found.primary, name, workspace.clock())
    except LockHeldError as error:
        held_by = error.message
    except Exception as error:
        _cannot_begin(run, error, progress)
    return ConnectionResult(connection=name, seconds=time.monotonic() - started, steps=tuple(run.done), held_by=held_by)


def _take_steps(run: Run, progress: Progress | None) -> None:
    """Every step, whatever became of those before it; where the run is asked to end, none but the one under way."""
    for name, step in STEPS.items():
        if run.stop.asked:
            _note(run, run_step(name, lambda: skipped("the run was asked to end")), progress)
            continue
        try:
            result = run_step(name, partial(step, run))
        except Stopped:
            result = StepResult(
                step=name,
                status=StepStatus.SKIPPED,
                seconds=0.0,
                counts={},
                notes=("ended at a boundary, the next run goes on",),
                error="",
            )
        _note(run, result, progress)


def _cannot_begin(run: Run, error: Exception, progress: Progress | None) -> None:
    """An org that cannot be opened or read: said once, as the failure of the first step that was not taken."""
    first, *others = list(STEPS)[len(run.done) :] or list(STEPS)[-1:]

    def refuse() -> NoReturn:
        raise error

    _note(run, run_step(first, refuse), progress)
    for name in others:
        _note(run, run_step(name, lambda: skipped("an org of the connection cannot be used")), progress)


def _note(run: Run, result: StepResult, progress: Progress | None) -> None:
    run.done.append(result)
    if progress is not None:
        progress(run.connection, result)
