"""`orgsync reconcile`."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from orgsync_reconcile.app.metrics import measure
from orgsync_reconcile.app.reconcile import Wanted, reconcile
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.options import allowance, duration
from orgsync_reconcile.cli.reconciled import show_reconciled
from orgsync_reconcile.cli.run_log import RunLog
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import ExitCode, UsageError
from orgsync_reconcile.operations.metrics import Metrics, check_file, serve, write_file
from orgsync_reconcile.operations.schedule import Every, Ticker, cron
from orgsync_reconcile.operations.stopping import Stop, on_signals
from orgsync_reconcile.sync.verify_sample import RANGES


@leaf(formats=("text", "json", "markdown"))
@click.argument("connections", nargs=-1, metavar="[CONNECTION]...")
@click.option("--apply", "apply", is_flag=True, help="Apply what the manifests say and nobody has applied, too.")
@click.option(
    "--allow", "allow", multiple=True, type=allowance, metavar="GUARD[=N]", help="Let a guard pass; repeatable."
)
@click.option("--every", type=duration, metavar="DURATION", help="Go on, a run every DURATION, such as 15m.")
@click.option("--cron", "expression", metavar="EXPR", help="Go on, at the times of a cron expression, in UTC.")
@click.option("--jitter", type=duration, metavar="DURATION", help="Begin each run of a loop up to so much later.")
@click.option(
    "--sample",
    type=click.IntRange(0, 10_000),
    default=RANGES,
    show_default=True,
    metavar="N",
    help="Verify up to N ranges of 100 linked records, chosen by chance.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), metavar="N", help="Choose the sample of an earlier run again."
)
@click.option(
    "--lock-timeout", type=click.FloatRange(min=0), default=0.0, metavar="S", help="Wait S seconds for another run."
)
@click.option("--metrics-file", metavar="FILE", help="Write figures for Prometheus to FILE after each run.")
@click.option(
    "--metrics-port", type=click.IntRange(0, 65535), metavar="PORT", help="Serve the figures of a loop at PORT."
)
@click.option(
    "--metrics-host", default="127.0.0.1", show_default=True, metavar="HOST", help="Serve them at this address."
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How log lines on standard error are written.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where a person should look at something.")
@pass_session
def command(session: Session, /, **given: Any) -> ExitCode:
    """Bring connections back in step without a person.

    Looks for what was changed by hand and what waits to be applied; corrects metadata and settings by the manifest's
    drift policy; copies users; subscribes again to fields that fit again; sends what is queued or due for a retry, both
    ways; verifies a sample; sends notifications. Every step is taken whatever became of the others, and reported with
    its status, seconds and counts. What the manifests say and nobody has applied is reported, and applied only with
    --apply. A suspension by a person is reported and never ended.

    One run at a time works on a connection. With --every or --cron it goes on until it is asked to end by SIGTERM or
    Ctrl-C, which it does after the batch under way; times that passed during a long run are not made up for.

    Exits with 1 where nothing was achieved, 5 where a step failed or a record failed or is held, 6 where another run
    is at work, 2 with --detailed-exitcode where something waits for a person. A loop that SIGTERM ends exits with 0.

    Examples:
      orgsync reconcile
      orgsync reconcile acme-dr --format json
      orgsync reconcile --every 15m --jitter 1m
      orgsync reconcile --cron "0 3 * * *" --apply
    """
    wanted = Wanted(
        connections=given["connections"],
        apply=given["apply"],
        allow=dict(given["allow"]),
        ranges=given["sample"],
        lock_timeout=given["lock_timeout"],
    )
    ticker = _ticker(session, given)
    log = RunLog(session=session, form=given["log_format"], clock=session.workspace().clock)
    meter = _meter(given, log, loop=ticker is not None)
    runs = _Runs(session, wanted, log, meter)
    with on_signals() as stop:
        if ticker is None:
            return runs.once(next(_seeds(given["seed"])), stop, detailed=given["detailed_exitcode"])
        for seed in _seeds(given["seed"]):
            if stop.rest(ticker.wait(session.workspace().clock())):
                break
            runs.once(seed, stop, loop=True)
            if stop.asked:
                break
        log.line("info", "end", "asked to end")
        return stop.exit_code


def _ticker(session: Session, given: dict[str, Any]) -> Ticker | None:
    """When a loop runs; None for a single run. Raises UsageError for what does not go together."""
    every, expression, jitter = given["every"], given["expression"], given["jitter"]
    if every is not None and expression is not None:
        raise UsageError("--every and --cron are two ways to say when", hint="choose one of them")
    if every is None and expression is None:
        if jitter is not None:
            raise UsageError("--jitter has no meaning for a single run", hint="add --every or --cron, or leave it out")
        return None
    now = session.workspace().clock()
    schedule = Every(seconds=every, start=now) if every is not None else cron(expression)
    return Ticker(schedule=schedule, jitter=jitter or 0.0)


def _seeds(first: int | None) -> Iterator[int]:
    """The seed of each run: the one that was given, or a new one, and from there on one after another."""
    seed = random.SystemRandom().getrandbits(32) if first is None else first
    chance = random.Random(seed)
    yield seed
    while True:
        yield chance.getrandbits(32)


@dataclass(frozen=True, slots=True)
class _Meter:
    """Where figures go."""

    metrics: Metrics
    file: Path | None


def _meter(given: dict[str, Any], log: RunLog, *, loop: bool) -> _Meter | None:
    """The figures that are wanted, if any are. Raises UsageError for a file or port that cannot be had."""
    file, port = given["metrics_file"], given["metrics_port"]
    if port is not None and not loop:
        raise UsageError("--metrics-port ends with a single run", hint="use --metrics-file, or add --every or --cron")
    if file is None and port is None:
        return None
    meter = _Meter(Metrics(), Path(file) if file else None)
    if meter.file is not None:
        check_file(meter.file)
    if port is not None:
        bound = serve(meter.metrics, given["metrics_host"], port)
        log.line("info", "metrics", f"figures at http://{given['metrics_host']}:{bound}/metrics", port=bound)
    return meter


@dataclass(frozen=True, slots=True)
class _Runs:
    """What all runs of this process share."""

    session: Session
    wanted: Wanted
    log: RunLog
    meter: _Meter | None

    def once(self, seed: int, stop: Stop, *, detailed: bool = False, loop: bool = False) -> ExitCode:
        """One run with its report, log lines and figures; returns what a single run ends with."""
        workspace = self.session.workspace()
        report = reconcile(workspace, replace(self.wanted, seed=seed), stop=stop, progress=self.log.step)
        code = report.exit_code(detailed=detailed)
        if report.stopped and not loop:
            # A run that was cut short is one that was done in part, unless somebody sat at the keyboard.
            code = stop.exit_code or ExitCode.PARTIAL
        show_reconciled(self.session, report, code, one_line=loop)
        self.log.run(report)
        if self.meter is not None:
            now = workspace.clock().timestamp()
            for result in report.connections:
                self.meter.metrics.update(result, measure(workspace, result.connection), now)
            if self.meter.file is not None:
                why = write_file(self.meter.metrics, self.meter.file)
                if why:
                    self.log.line("error", "metrics", why)
        return code
