"""What unattended runs say of themselves and of the queues, for Prometheus: as a file or over a port (REC-10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server, write_to_textfile

from orgsync_reconcile import __version__
from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.operations.reconcile import ConnectionResult, StepStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class OrgFigures:
    """One org's outgoing queue over a connection; `lag` is the age of what has waited longest, in seconds."""

    org: str
    pending: int
    retrying: int
    failed: int
    lag: float
    suspended: bool
    notices_waiting: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """A connection as it stands; `last_success` is the moment of the last run without a fault, since 1970."""

    connection: str
    orgs: tuple[OrgFigures, ...] = ()
    last_success: float | None = None
    #: Whether the orgs could be asked.
    readable: bool = True


@dataclass
class Metrics:
    """The figures of all runs of this process, by connection."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        org = ("connection", "org")
        self._pending = self._gauge("queue_pending", "Records that wait to be sent", org)
        self._retrying = self._gauge("queue_retrying", "Records that wait for their next try", org)
        self._failed = self._gauge("queue_failed", "Records that failed for good", org)
        self._lag = self._gauge("queue_lag_seconds", "Age of the change that has waited longest", org)
        self._suspended = self._gauge("connection_suspended", "1 while the connection is suspended in the org", org)
        self._notices = self._gauge("notices_waiting", "Emails and webhooks that wait to be sent", org)
        self._readable = self._gauge("connection_readable", "1 where both orgs could be asked", ("connection",))
        self._success = self._gauge(
            "reconcile_last_success_timestamp_seconds", "When a run without a fault ended", ("connection",)
        )
        self._last = self._gauge("reconcile_last_run_timestamp_seconds", "When the last run ended", ("connection",))
        self._seconds = self._gauge(
            "reconcile_step_seconds", "How long a step of the last run took", ("connection", "step")
        )
        self._status = self._gauge(
            "reconcile_step_status",
            "1 for the status in which a step of the last run ended",
            ("connection", "step", "status"),
        )
        self._differences = self._gauge(
            "verify_differences", "Linked records of the last sample that differ", ("connection",)
        )
        self._drift = self._gauge("drift", "Changes by hand that the last run found", ("connection",))
        self._moved = Counter(
            "orgsync_records_moved",
            "Records that arrived in runs of this process",
            ("connection",),
            registry=self.registry,
        )
        build = self._gauge("build_info", "The version of orgsync", ("version",))
        build.labels(__version__).set(1)

    def _gauge(self, name: str, text: str, labels: Iterable[str]) -> Gauge:
        return Gauge(f"orgsync_{name}", text, tuple(labels), registry=self.registry)

    def update(self, result: ConnectionResult, figures: Figures, now: float) -> None:
        """Takes in a connection's run, and how the connection stands after it. `now` is in seconds since 1970."""
        name = figures.connection
        self._readable.labels(name).set(figures.readable)
        for item in figures.orgs:
            for gauge, value in (
                (self._pending, item.pending),
                (self._retrying, item.retrying),
                (self._failed, item.failed),
                (self._lag, item.lag),
                (self._suspended, item.suspended),
                (self._notices, item.notices_waiting),
            ):
                gauge.labels(name, item.org).set(value)
        if figures.last_success is not None:
            self._success.labels(name).set(figures.last_success)
        if result.held_by:
            return
        self._last.labels(name).set(now)
        for step in result.steps:
            self._seconds.labels(name, step.step).set(step.seconds)
            for status in StepStatus:
                self._status.labels(name, step.step, status.value).set(status is step.status)
        self._moved.labels(name).inc(_count(result, "queue", "moved") or 0)
        for gauge, step_name, count in ((self._differences, "verify", "different"), (self._drift, "drift", "drift")):
            found = _count(result, step_name, count)
            if found is not None:
                gauge.labels(name).set(found)


def _count(result: ConnectionResult, step: str, name: str) -> int | None:
    """A count of a step; None where the step was not taken."""
    found = result.step(step)
    counts: Mapping[str, int] = found.counts if found is not None else {}
    return counts.get(name)


def check_file(path: Path) -> None:
    """Raises UsageError for a file that cannot be written, before anything is done."""
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise UsageError(
            f"the metrics cannot be written to {path}",
            hint="name a file in a folder that is there, such as metrics.prom",
        )


def write_file(metrics: Metrics, path: Path) -> str:
    """Writes the figures, whole or not at all; returns why not, or nothing."""
    try:
        write_to_textfile(str(path), metrics.registry)
    except OSError as error:
        return f"the metrics were not written to {path}: {error.strerror}"
    return ""


def serve(metrics: Metrics, host: str, port: int) -> int:
    """Serves the figures in a thread until the program ends; returns the port. Raises UsageError where it is taken."""
    try:
        server, _ = start_http_server(port, addr=host, registry=metrics.registry)
    except OSError as error:
        raise UsageError(
            f"the metrics cannot be served at {host}:{port}: {error.strerror}", hint="choose another --metrics-port"
        ) from None
    return int(server.server_port)
