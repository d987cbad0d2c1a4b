"""BLK-*, VER-1: orgs on a PostgreSQL server, whose ranges are written at the same time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path

import psycopg
import pytest
from postgres_server import Server, name_of
from two_orgs import connection, make_on_server, must, publication, server_orgs, write_documents

from orgsync_reconcile.app.workspace import Workspace, open_connection
from orgsync_reconcile.clock import Clock, system_clock
from orgsync_reconcile.errors import StoreBusyError, StoreFullError
from orgsync_reconcile.failpoints import VARIABLE, FailPoint
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.records import ObjectCounts
from orgsync_reconcile.stores.postgres.handle import PostgresOrg
from orgsync_reconcile.stores.sql.flow import Flow, Pair
from orgsync_reconcile.stores.sql.flow.bulk import BulkFlow
from orgsync_reconcile.stores.sql.org import BUSY_SECONDS
from orgsync_reconcile.sync import bulk, bulk_lanes, verify_parts
from orgsync_reconcile.sync.bulk_parts import BulkPart, copy_part
from orgsync_reconcile.sync.drain import drain

#: Accounts, of which all but the last have a parent with a higher row number.
COUNT = 60
#: The program with small ranges, in a process that can be killed.
SMALL = """
import sys
from orgsync_reconcile.cli.main import run
from orgsync_reconcile.sync import bulk
bulk.RANGE = 10
run()
"""


def run(folder: Path, *args: str) -> str:
    return must(folder, *args).stdout


@pytest.fixture(scope="module")
def template(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database with two connected orgs, of which the primary had its Accounts before."""
    url, folder = postgres.database(), tmp_path_factory.mktemp("template")
    write_manifests(folder, url)
    make_on_server(folder, url)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("SET search_path TO acme")
        db.execute(f"""INSERT INTO "Account" ("Name") SELECT 'A ' || g FROM generate_series(1, {COUNT}) AS g""")
        db.execute(
            'UPDATE "Account" AS a SET "ParentId" = (SELECT "Id" FROM "Account" WHERE orgsync_row = a.orgsync_row + 1)'
        )
    run(folder, "apply", "--yes")
    yield url
    postgres.drop(url)


@pytest.fixture
def folder(postgres: Server, template: str, tmp_path: Path) -> Iterator[Path]:
    """A folder with manifests of a copy of these orgs."""
    url = postgres.database(name_of(template))
    write_manifests(tmp_path, url)
    yield tmp_path
    postgres.drop(url)


def write_manifests(folder: Path, url: str) -> None:
    accounts = publication("dr", "Account", "Name", "Phone", "ParentId")
    write_documents(folder, server_orgs(url), connection("dr"), accounts)


def test_processes_copy_and_verify(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranges that are written at the same time leave nothing out, and their lookups are filled in."""
    monkeypatch.setattr(bulk, "RANGE", 15)
    monkeypatch.setattr(verify_parts, "PART", 25)
    run(folder, "bulk-sync", "--workers", "2")
    assert run(folder, "verify", "--workers", "2") == run(folder, "verify")
    assert_all_copied(folder)


def assert_all_copied(folder: Path) -> None:
    """Every Account is there once with its lookup, both orgs know its link, and nothing is left of the run."""
    with open_connection(Workspace(directory=folder), "dr") as found:
        primary, secondary = found.primary.db, found.secondary.db
        (count,) = primary.execute('SELECT count(*) FROM "Account"').fetchone()
        row = secondary.execute('SELECT count(*), count("ParentId") FROM "Account"').fetchone()
        assert tuple(row) == (count, COUNT - 1)
        links = "SELECT {}, {} FROM orgsync_link WHERE local LIKE '001%' ORDER BY 1"
        known = primary.execute(links.format("local", "partner")).fetchall()
        assert len(known) == count
        assert (
            known
            == secondary.execute(links.format("partner", "local").replace("local LIKE", "partner LIKE")).fetchall()
        )
        for left in ("orgsync_waiting", "orgsync_bulk_range", "orgsync_outcome"):
            assert secondary.execute(f"SELECT count(*) FROM {left}").fetchone()[0] == 0, left
    run(folder, "verify")
    assert "No records to copy" in run(folder, "bulk-sync")


def test_one_process_copies_two_ranges_at_a_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """BLK-1, LKP-2: between servers, over sessions of their own; what both leave for later is done."""
    monkeypatch.setattr(bulk, "RANGE", 10)
    together, first = threading.Barrier(bulk_lanes.LANES), threading.local()

    def copy(pair: Pair, part: BulkPart, clock: Clock, told: Callable[[], None]) -> ObjectCounts:
        if not hasattr(first, "seen"):
            first.seen = together.wait(20) is not None
        return copy_part(pair, part, clock, told)

    monkeypatch.setattr(bulk_lanes, "copy_part", copy)
    run(folder, "bulk-sync")
    assert not together.broken
    assert_all_copied(folder)


def test_without_room_for_more_sessions_one_copies_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """BLK-1: what the server says to the second session more is no reason to copy nothing."""
    monkeypatch.setattr(bulk, "RANGE", 10)
    another, asked = PostgresOrg.another, []

    def refuse(org: PostgresOrg) -> PostgresOrg:
        asked.append(org.label)
        if len(asked) > 2:
            raise StoreBusyError("the server takes no more sessions", where=org.label)
        return another(org)

    monkeypatch.setattr(PostgresOrg, "another", refuse)
    run(folder, "bulk-sync")
    assert len(asked) == 3
    assert_all_copied(folder)


def test_what_fails_in_one_of_them_is_told_as_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """BLK-4: and not tried again; what the other had done stays done, and the next run goes on with the rest."""
    monkeypatch.setattr(bulk, "RANGE", 10)
    tried: list[int] = []

    def copy(pair: Pair, part: BulkPart, clock: Clock, told: Callable[[], None]) -> ObjectCounts:
        tried.append(part.low)
        if part.low == 10 and tried.count(10) == 1:
            raise StoreFullError("the disk is full", where="secondary")
        return copy_part(pair, part, clock, told)

    workspace = Workspace(directory=folder)
    with open_connection(workspace, "dr") as found, monkeypatch.context() as patched:
        patched.setattr(bulk_lanes, "copy_part", copy)
        pair = Pair(found.primary, found.secondary, "dr")
        with pytest.raises(StoreFullError, match="the disk is full"):
            bulk.bulk_sync(pair, source=Side.PRIMARY, cutoff=None, clock=system_clock)
        assert sorted(tried) == [0, 10, 20, 30]
        (position,) = found.secondary.db.execute("SELECT position FROM orgsync_bulk").fetchone()
        assert position == 10
        (copied,) = bulk.resume_bulk(pair, source=Side.PRIMARY, clock=system_clock)
        assert copied.copied == COUNT + 1 - 30
    assert_all_copied(folder)


def test_the_source_is_told_to_the_end_though_the_copying_is_over(folder: Path) -> None:
    """BLK-4: whoever tells it keeps its sessions until it is done, whatever ended the run."""
    run(folder, "drain")

    def slow() -> datetime:
        time.sleep(0.3)
        return system_clock()

    with open_connection(Workspace(directory=folder), "dr") as found:
        pair = Pair(found.primary, found.secondary, "dr")
        with bulk_lanes.bulk_lanes(pair, Side.PRIMARY, slow) as crew:
            assert crew.herald is not None
            crew.herald.tell()
        crew.herald.told()


def test_the_source_is_never_more_than_one_batch_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """QUE-3: while the source is told of what was copied, more is written, and commits once the source knows."""
    run(folder, "drain")
    monkeypatch.setattr(bulk, "RANGE", 10)
    with open_connection(Workspace(directory=folder), "dr") as found, ExitStack() as stack:
        pair = Pair(found.primary, found.secondary, "dr")
        with found.secondary.transaction() as db:
            db.execute("ALTER TABLE \"Account\" ADD CONSTRAINT picky CHECK (\"Name\" NOT IN ('A 5', 'A 45', 'A 55'))")
        with pair.another() as watching:
            ours, theirs = (watching.orgs[side].db for side in Side)
            stack.enter_context(watching.orgs[Side.PRIMARY].transaction())
            ours.execute("LOCK TABLE orgsync_link IN SHARE ROW EXCLUSIVE MODE")
            thread = threading.Thread(
                target=lambda: bulk.bulk_sync(pair, source=Side.PRIMARY, cutoff=None, clock=system_clock)
            )
            thread.start()
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'"
            count, end = 0, time.monotonic() + 20
            while count < bulk_lanes.LANES and time.monotonic() < end:
                time.sleep(0.05)
                (count,) = theirs.execute(f"{waiting} AND query LIKE '%orgsync_waiting%'").fetchone()
            time.sleep(0.3)
            assert theirs.execute('SELECT count(*) FROM "Account"').fetchone()[0] == 39
            stack.close()
            thread.join(30)
        held = found.primary.db.execute("SELECT count(*) FROM orgsync_held").fetchone()
        assert held[0] == 3
        assert found.secondary.db.execute('SELECT count(*) FROM "Account"').fetchone()[0] == COUNT + 1 - 3


def test_drains_take_their_turn_between_ranges(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """QUE-3: who sends changes meanwhile waits for ranges, and never for one that waits for it."""
    monkeypatch.setattr(bulk, "RANGE", 6)
    lease = Pair.lease

    def take(pair: Pair, *, shared: bool = False) -> AbstractContextManager[None]:
        if threading.current_thread().name.startswith(bulk_lanes.HERALD):
            # Long enough for drains to come ahead.
            time.sleep(0.3)
        return lease(pair, shared=shared)

    monkeypatch.setattr(Pair, "lease", take)
    ended, waited = threading.Event(), [0.0]

    def send() -> None:
        with open_connection(Workspace(directory=folder), "dr") as found:
            pair = Pair(found.primary, found.secondary, "dr")
            while not ended.is_set():
                began = time.monotonic()
                drain(pair, clock=system_clock)
                waited.append(time.monotonic() - began)

    other = threading.Thread(target=send)
    other.start()
    try:
        run(folder, "bulk-sync")
    finally:
        ended.set()
        other.join(40)
    assert max(waited) < BUSY_SECONDS / 2
    assert_all_copied(folder)


@pytest.mark.parametrize(
    "point",
    [
        f"{FailPoint.BULK_AFTER_CHECKPOINT}",
        f"{FailPoint.BULK_BEFORE_TARGET_COMMIT}:2",
        f"{FailPoint.BULK_AFTER_TARGET_COMMIT}:3",
        f"{FailPoint.BULK_AFTER_SOURCE_MIRROR}",
    ],
)
def test_killed_with_two_ranges_under_way(folder: Path, point: str) -> None:
    """BLK-4, QUE-3: nothing is lost or doubled, and the next run goes on with what is missing."""
    command = [sys.executable, "-c", SMALL, "-C", str(folder), "bulk-sync"]
    killed = subprocess.run(command, env=os.environ | {VARIABLE: point}, capture_output=True, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    run(folder, "drain")
    assert_all_copied(folder)


def test_ranges_at_the_same_time(folder: Path) -> None:
    """Two ranges share the lease, a drain waits for both; one range that is done twice at a time is done once."""
    workspace = Workspace(directory=folder)
    with ExitStack() as stack:
        pairs = [
            Pair(found.primary, found.secondary, "dr")
            for found in (stack.enter_context(open_connection(workspace, "dr")) for _ in range(3))
        ]
        flow = Flow(pairs[0], Side.PRIMARY)
        path = flow.paths["Account"]
        started = BulkFlow(flow, None).start(path, system_clock()).started
        part = partial(BulkPart, source=Side.PRIMARY, object="Account", cutoff=None, started=started)
        with pairs[0].lease(shared=True):
            copied: list[int] = []
            ranges = [part(low=0, high=30), part(low=30, high=COUNT + 1), part(low=0, high=30)]
            for pair, one in zip((pairs[1], pairs[1], pairs[2]), ranges, strict=True):
                copied.append(copy_part(pair, one, system_clock).copied)
            assert (copied[0], copied[2], sum(copied)) == (30, 0, COUNT + 1)
            release = pairs[1].orgs[Side.PRIMARY].hold(f"{pairs[1].numbers[Side.PRIMARY]}.lease", 0)
            assert release is None


def test_a_range_waits_for_whoever_is_at_it(folder: Path) -> None:
    """A worker that was thought to be lost and is not: the second one copies nothing, once the first has committed."""
    workspace = Workspace(directory=folder)
    with ExitStack() as stack:
        first, second = [
            Pair(found.primary, found.secondary, "dr")
            for found in (stack.enter_context(open_connection(workspace, "dr")) for _ in range(2))
        ]
        flow = Flow(first, Side.PRIMARY)
        path, own = flow.paths["Account"], BulkFlow(flow, None)
        started = own.start(path, system_clock()).started
        part = BulkPart(source=Side.PRIMARY, object="Account", cutoff=None, started=started, low=0, high=30)
        copied: list[int] = []
        other = threading.Thread(target=lambda: copied.append(copy_part(second, part, system_clock).copied))
        with first.lease(shared=True), flow.target.transaction():
            assert own.claim(path, started, 0, 30)
            own.copy_beside_others(path, 0, 30, system_clock(), told=lambda: None)
            other.start()
            other.join(0.5)
            assert other.is_alive()
        other.join(20)
        assert copied == [0]
        assert flow.db.execute('SELECT count(*) FROM "Account"').fetchone()[0] == 30
