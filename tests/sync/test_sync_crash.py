"""Effectively once: killed anywhere, twice at a time, the same end (QUE-3, QUE-6, BLK-4)."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from org_stores import refuse
from sync_world import CONNECTION, P, S, Side, World

from orgsync_reconcile.stores.sql.flow import Flow, send_batch

#: What the other process runs: bulk sync or drain in small pieces. `limit` kills it, without warning, after so many
#: of the stores' steps (`steps`) or pieces of work (`pieces`), by SIGKILL.
PROGRAM = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.flow import Flow, Pair
from orgsync_reconcile.stores.sqlite.handle import SqliteOrg
from orgsync_reconcile.stores.urls import open_store
from orgsync_reconcile.sync import bulk, drain

work, unit, limit, side, primary, secondary, connection = sys.argv[1:]
bulk.RANGE = drain.BATCH = 20
left = int(limit)

def tick(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

clock = lambda: datetime.now(UTC)
pair = Pair(open_store(primary, base=Path()), open_store(secondary, base=Path()), connection)
if unit == "steps":
    for org in pair.orgs.values():
        if isinstance(org, SqliteOrg):
            org.db.set_progress_handler(tick, 500)
        else:
            run = org.db.execute
            org.db.execute = lambda *words, run=run: (run(*words), tick())[0]
elif unit == "between":
    finish = Flow.finish
    Flow.finish = lambda flow, now: (tick(), finish(flow, now))
progress = tick if unit == "pieces" else None
if work == "bulk":
    bulk.bulk_sync(pair, source=Side(side), cutoff=None, clock=clock, progress=progress)
else:
    drain.drain(pair, clock=clock, progress=progress)
"""


def start(world: World, work: str, unit: str, limit: int, side: Side = P) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).resolve().parents[2])
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, work, unit, str(limit), side.value, *world.addresses.values(), CONNECTION],
        cwd=root,
        stderr=subprocess.PIPE,
    )


def killed(world: World, work: str, unit: str, limit: int) -> bool:
    """Runs it; whether it was killed on the way."""
    process = start(world, work, unit, limit)
    _, errors = process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGKILL), errors.decode()
    return process.returncode != 0


def fill(world: World, count: int) -> None:
    accounts = [world.insert(P, "Account", Name=f"Account {number}") for number in range(count)]
    for number, account in enumerate(accounts):
        world.insert(P, "Contact", LastName=f"Person {number}", AccountId=account)
        world.update(P, "Account", account, ParentId=accounts[number // 2])


def assert_all_there(world: World, count: int) -> None:
    """Nothing is lost, nothing is doubled."""
    for name in ("Account", "Contact"):
        assert world.count(P, name) == world.count(S, name) == count
    assert world.all(S, 'SELECT "LastName" FROM "Contact" GROUP BY 1 HAVING count(*) > 1') == []
    world.assert_equal()


@pytest.mark.pairings
def test_a_crash_between_the_two_commits_is_made_good(world: World) -> None:
    """QUE-3, LOG-1: links, refusals and cursor of a batch reach the source though its process died after the target's commit."""
    world.connect("Account", "Contact", "CaseComment", "Case")
    account = world.insert(P, "Account", Name="a")
    mend = refuse(world.clients[S], "Contact", field="LastName")
    contact = world.insert(P, "Contact", LastName="c")
    flow = Flow(world.pair, P)
    with world.pair.lease():
        send_batch(flow, 100, world.now)
    assert world.other(P, account) is None
    world.reopen()
    world.update(P, "Account", account, Phone="1")
    world.drain()
    assert world.other(P, account)
    assert [item.record for item in world.queue(P)] == [contact]
    assert world.log_words(P) == [("Retrying", "FIELD_CUSTOM_VALIDATION_EXCEPTION", contact)]
    assert world.all(S, 'SELECT "Name", "Phone" FROM "Account"') == [("a", "1")]
    mend()
    world.settle()
    assert world.count(S, "Contact") == 1
    world.assert_equal()


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
@pytest.mark.parametrize("work", ["bulk", "drain"])
def test_killed_again_and_again(world: World, work: str) -> None:
    """QUE-3, BLK-4: killed within statements, between pieces and between the two commits, then carried on."""
    if work == "bulk":
        fill(world, 60)
    world.connect("Account", "Contact")
    if work == "drain":
        fill(world, 60)
    kills = 0
    steps = [("steps", limit) for limit in (15, 30, 60)]
    for unit, limit in (*steps, ("between", 1), ("pieces", 1), ("between", 2), ("pieces", 2), ("between", 3)):
        kills += killed(world, work, unit, limit)
    assert kills >= 5
    world.reopen()
    if work == "bulk":
        world.bulk()
    world.settle()
    assert_all_there(world, 60)


@pytest.mark.pairings("sqlite-sqlite", "sqlite-postgres", "postgres-postgres")
def test_two_drains_and_a_bulk_sync_at_once(world: World) -> None:
    """QUE-6: three processes over one connection, while a client writes."""
    fill(world, 40)
    world.connect("Account", "Contact")
    fill(world, 40)
    for number in range(20):
        world.insert(S, "Account", Name=f"Secondary {number}")
    processes = [start(world, "drain", "none", 0) for _ in range(2)] + [start(world, "bulk", "none", 0)]
    for number in range(20):
        world.insert(P, "Contact", LastName=f"Live {number}")
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
    world.settle()
    assert [world.count(side, "Account") for side in (P, S)] == [100, 100]
    assert [world.count(side, "Contact") for side in (P, S)] == [100, 100]
    world.assert_equal()
