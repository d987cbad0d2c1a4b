"""Loops of unattended runs: signals, times, broken manifests, orgs that go away, runs at once, runs that are killed (REC-10)."""

from __future__ import annotations

import json
import random
import signal
import socket
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reconcile_world import reconcile, settings, start
from two_orgs import run_in, sql

from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.operations.schedule import Cron, Every, Ticker, cron
from orgsync_reconcile.stores.sql.leases import acquire, reconcile_lease
from orgsync_reconcile.stores.urls import open_store

START = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
LOOP = ("reconcile", "--every", "1s", "--format", "json", "--log-format", "json")


def reports(run: subprocess.Popen[str], number: int) -> list[dict[str, Any]]:
    """The next reports of a loop: a line each."""
    assert run.stdout is not None
    return [json.loads(run.stdout.readline()) for _ in range(number)]


def end(run: subprocess.Popen[str], number: int) -> list[dict[str, Any]]:
    """Ends a loop by a signal; its log lines."""
    run.send_signal(number)
    _, said = run.communicate(timeout=30)
    return [json.loads(line) for line in said.splitlines()]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_loop_ends_cleanly(connected: Path, number: int, code: int) -> None:
    """REC-10: SIGTERM is no failure, an interrupt is said; every log line is an object with the same first keys."""
    run = start(connected, *LOOP)
    (first,) = reports(run, 1)
    assert first["status"] == "ok"
    lines = end(run, number)
    assert run.returncode == code
    assert all(list(line)[:4] == ["time", "level", "event", "message"] for line in lines)
    steps = [line["step"] for line in lines if line["event"] == "step"]
    assert steps[:2] == ["drift", "apply"]
    assert lines[-1]["event"] == "end"


def test_a_loop_lives_through_broken_manifests_and_an_org_that_is_away(connected: Path) -> None:
    """REC-10, SUS-3: reported and tried again; once all is back the run after that is in order and sends what waited."""
    run = start(connected, *LOOP)
    try:
        reports(run, 1)
        settings(connected, "direction: two-way", "direction: sideways")
        seen = [item for item in reports(run, 3) if item["errors"]]
        assert seen
        assert seen[0]["errors"][0].startswith("manifests/acme.yaml:")
        settings(connected, "direction: sideways", "direction: two-way")
        store, away = connected / "orgs" / "acme-dr.db", connected / "orgs" / "away.db"
        store.rename(away)
        sql(connected, "acme", 'UPDATE "Account" SET "Phone" = \'5\'')
        assert any(item["status"] == "failed" and item["connections"] for item in reports(run, 3))
        away.rename(store)
        for _ in range(5):
            (last,) = reports(run, 1)
            if last["status"] == "ok":
                break
        assert last["status"] == "ok"
        assert {row[0] for row in sql(connected, "acme-dr", 'SELECT "Phone" FROM "Account"')} == {"5"}
    finally:
        end(run, signal.SIGTERM)
    assert run.returncode == 0


def test_one_run_at_a_time(connected: Path) -> None:
    """REC-10: a second run is told who is at work and exits with 6; the lock of a dead process is taken over."""
    hold = "INSERT OR REPLACE INTO orgsync_lease VALUES ('reconcile/acme-link', 'ann@here', '{0}', {1}, '2026-01-01')"
    with open_store("sqlite:orgs/acme.db", base=connected) as org:
        acquire(org, reconcile_lease("acme-link"), "ann@here", system_clock)
        ran = reconcile(connected)
        assert ran.code == 6
        assert ran.document["connections"][0]["steps"] == []
        assert "ann@here holds the lock reconcile/acme-link" in ran.document["connections"][0]["held_by"]
        assert "skipped, ann@here" in ran.said
        assert run_in(connected, "lock", "release").exit_code == 6
        assert run_in(connected, "lock", "release", "--force").exit_code == 0
        assert reconcile(connected).code == 0
    dead = subprocess.Popen(["true"])
    dead.wait()
    sql(connected, "acme", hold.format(socket.gethostname(), dead.pid))
    assert reconcile(connected).code == 0
    assert sql(connected, "acme", "SELECT 1 FROM orgsync_lease WHERE name LIKE 'reconcile/%'") == []


@pytest.mark.parametrize(
    "point", ["drain:after-target-commit", "drain:before-target-commit", "drain:after-source-mirror"]
)
def test_a_run_that_was_killed_is_finished_by_the_next(connected: Path, point: str) -> None:
    """REC-10, QUE-3: nothing is lost or doubled, and its lock does not stand in the way."""
    sql(connected, "acme", 'INSERT INTO "Account" ("Name") VALUES (\'Three\')')
    run = start(connected, "reconcile", ORGSYNC_FAILPOINT=point)
    run.communicate(timeout=60)
    assert run.returncode == -signal.SIGKILL
    ran = reconcile(connected)
    assert (ran.code, ran.steps["verify"]["counts"]["different"]) == (0, 0)
    assert len(sql(connected, "acme-dr", 'SELECT 1 FROM "Account" WHERE "Name" = \'Three\'')) == 1


def test_figures_are_written_whole_and_keep_the_last_success(connected: Path, tmp_path: Path) -> None:
    """REC-10: queue, lag, moved, steps, success; a run that fails leaves the last success as it was."""
    file = tmp_path / "orgsync.prom"
    sql(connected, "acme", 'UPDATE "Account" SET "Phone" = \'1\' WHERE "Name" = \'One\'')
    assert reconcile(connected, "--metrics-file", str(file), ORGSYNC_NOW="2027-01-01T00:00:00Z").code == 0
    first = figures(file.read_text())
    assert first['orgsync_records_moved_total{connection="acme-link"}'] == 1
    assert first['orgsync_queue_pending{connection="acme-link",org="acme"}'] == 0
    success = first['orgsync_reconcile_last_success_timestamp_seconds{connection="acme-link"}']
    assert success == datetime(2027, 1, 1, tzinfo=UTC).timestamp()
    assert first['orgsync_reconcile_step_status{connection="acme-link",status="ok",step="queue"}'] == 1
    assert run_in(connected, "suspend").exit_code == 0
    sql(connected, "acme", 'UPDATE "Account" SET "Phone" = \'2\' WHERE "Name" = \'One\'')
    sql(connected, "acme", "UPDATE orgsync_connection SET settings = 'broken'")
    ran = reconcile(connected, "--metrics-file", str(file), ORGSYNC_NOW="2027-06-01T00:00:00Z")
    assert ran.code == 1
    assert "this is a mistake of the program" in ran.steps["drift"]["error"]
    second = figures(file.read_text())
    assert second['orgsync_connection_suspended{connection="acme-link",org="acme"}'] == 1
    assert second['orgsync_queue_pending{connection="acme-link",org="acme"}'] == 1
    assert second['orgsync_queue_lag_seconds{connection="acme-link",org="acme"}'] > 0
    assert second['orgsync_reconcile_last_success_timestamp_seconds{connection="acme-link"}'] == success
    assert [path.name for path in tmp_path.glob("orgsync.prom*")] == ["orgsync.prom"]


def figures(text: str) -> dict[str, float]:
    rows = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in rows}


def test_figures_are_served_at_a_port(connected: Path) -> None:
    """REC-10: on loopback, while the loop goes on."""
    from urllib.request import urlopen

    run = start(connected, *LOOP, "--metrics-port", "0")
    assert run.stderr is not None
    bound = json.loads(run.stderr.readline())
    assert bound["event"] == "metrics"
    reports(run, 2)
    with urlopen(f"http://127.0.0.1:{bound['port']}/metrics", timeout=10) as page:
        text = page.read().decode()
    assert 'orgsync_build_info{version="' in text
    assert figures(text)['orgsync_queue_pending{connection="acme-link",org="acme-dr"}'] == 0
    end(run, signal.SIGTERM)
    assert run.returncode == 0


@pytest.mark.parametrize(
    "args", [("--metrics-port", "9"), ("--metrics-file", "nowhere/x.prom"), ("--metrics-file", "orgs")]
)
def test_figures_that_cannot_be_had_are_refused_first(connected: Path, args: tuple[str, ...]) -> None:
    """REC-10: before any org is touched."""
    result = run_in(connected, "reconcile", *args)
    assert result.exit_code == 64
    assert len(result.stderr.strip().splitlines()) == 1


@given(every=st.integers(1, 10**6), steps=st.lists(st.floats(-3600, 10**6), min_size=1, max_size=50))
def test_missed_times_are_not_made_up_for(every: int, steps: list[float]) -> None:
    """REC-10: whatever runs take and clocks do, each moment of the schedule comes once, and in order."""
    ticker = Ticker(schedule=Every(seconds=every, start=START), chance=random.Random(1))
    assert ticker.wait(START) == 0
    now, last = START, START
    for step in steps:
        now = max(now + timedelta(seconds=step), START)
        wait = ticker.wait(now)
        assert wait >= 0
        due = now + timedelta(seconds=wait)
        assert due > last
        assert round((due - START).total_seconds(), 3) % every == 0
        # Nothing but a clock that went backwards makes it wait longer than the interval.
        assert wait <= every or now < last
        now = last = due


def test_cron_times_are_utc_and_checked() -> None:
    """REC-10: five fields; what never comes is no schedule."""
    assert cron("0 3 * * *").after(START) == datetime(2026, 3, 3, 3, 0, tzinfo=UTC)
    assert Cron(expression="*/15 * * * *").after(START) == datetime(2026, 3, 2, 6, 45, tzinfo=UTC)
    assert not cron("0 3 * * *").at_once
    for bad in ("", "* * * *", "* * * * * *", "99 * * * *", "@daily", "0 0 30 2 *", "a b c d e"):
        with pytest.raises(UsageError):
            cron(bad)


def test_jitter_is_bounded() -> None:
    """REC-10: later by chance, never earlier, and no more than was asked for."""
    waits = []
    for seed in range(50):
        ticker = Ticker(schedule=Every(seconds=60, start=START), jitter=10, chance=random.Random(seed))
        ticker.wait(START)
        waits.append(ticker.wait(START + timedelta(seconds=1)))
    assert all(59 <= wait <= 69 for wait in waits)
    assert len({round(wait) for wait in waits}) > 5


def test_time_of_a_clock_that_stands_still(connected: Path) -> None:
    """REC-10: with ORGSYNC_NOW a loop still waits between its runs."""
    run = start(connected, *LOOP, ORGSYNC_NOW="2026-03-02T06:30:00Z")
    started = time.monotonic()
    reports(run, 2)
    assert time.monotonic() - started > 0.9
    end(run, signal.SIGTERM)
