"""BLK-*: a bulk sync with workers copies what one without them copies, once, whatever becomes of a worker."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import worker_tasks as tasks
from dask_cluster import Cluster
from joined_orgs import Joined, P, S, create_orgs
from worker_world import MANIFEST, World

from orgsync_reconcile.app import records
from orgsync_reconcile.app.remote import copy_there, place_of
from orgsync_reconcile.errors import PartialError
from orgsync_reconcile.stores.sql.flow import Flow
from orgsync_reconcile.stores.sql.flow.bulk import BulkFlow
from orgsync_reconcile.sync import bulk
from orgsync_reconcile.sync.bulk_parts import BulkCrew, BulkPart, copy_part
from orgsync_reconcile.workers import crew
from orgsync_reconcile.workers.processes import LocalCrew

ACCOUNTS, THINGS = 30, 20


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "RANGE", 10)
    monkeypatch.setattr(crew, "PAUSES", (0.01,))


@pytest.fixture(scope="session")
def filled_orgs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of the primary that were there before the orgs were connected; every parent has a higher row number."""
    folder = tmp_path_factory.mktemp("filled") / "orgs"
    folder.mkdir()
    create_orgs(folder)
    with ExitStack() as stack:
        joined = Joined(folder, stack)
        accounts = [joined.insert(P, "Account", Name=f"A {n:02d}") for n in range(ACCOUNTS)]
        for n in range(ACCOUNTS - 1):
            joined.update(P, "Account", accounts[n], ParentId=accounts[n + 1])
        for n in range(THINGS):
            joined.insert(P, "Thing__c", Name=f"T {n:02d}", Account__c=accounts[n])
        joined.connect("Account", "Thing__c")
    return folder


@pytest.fixture
def fresh(filled_orgs: Path, tmp_path: Path) -> Iterator[World]:
    shutil.copytree(filled_orgs, tmp_path / "orgs")
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "dr.yaml").write_text(MANIFEST)
    with ExitStack() as stack:
        yield World(folder=tmp_path, joined=Joined(tmp_path / "orgs", stack))


def parts_of(world: World, name: str) -> tuple[BulkFlow, list[BulkPart]]:
    """A bulk sync that has begun, and its ranges."""
    flow = Flow(world.joined.pair, P)
    own = BulkFlow(flow, None)
    checkpoint = own.start(flow.paths[name], world.joined.now)
    part = BulkPart(source=P, object=name, cutoff=None, started=checkpoint.started, low=0, high=0)
    found = own.missing(flow.paths[name], own.last_row(flow.paths[name]), bulk.RANGE)
    return own, [replace(part, low=low, high=high) for low, high in found]


def assert_all_copied(world: World) -> None:
    """Every record is there once and equal, with its lookups, and nothing is left of the run."""
    joined = world.joined
    for name, count in (("Account", ACCOUNTS), ("Thing__c", THINGS)):
        assert joined.one(S, f'SELECT count(*) FROM "{name}"') == count
        assert joined.one(
            S, "SELECT finished IS NOT NULL, copied, remaining FROM orgsync_bulk WHERE object = ?", name
        ) == (
            1,
            count,
            0,
        )
    assert joined.one(S, 'SELECT count(*) FROM "Account" WHERE "ParentId" IS NOT NULL') == ACCOUNTS - 1
    assert joined.one(S, "SELECT count(*) FROM orgsync_waiting") == 0
    assert joined.one(S, "SELECT count(*) FROM orgsync_bulk_range") == 0
    # The source knows all links, and nothing is on its way.
    assert (
        joined.one(P, "SELECT count(*) FROM orgsync_link WHERE status = 1 AND local NOT LIKE '005%'")
        == ACCOUNTS + THINGS
    )
    assert joined.verify().equal


def test_processes_copy_everything_once(fresh: World) -> None:
    """BLK-1, BLK-2, LKP-2: parents in ranges that come later are filled in; a second run copies nothing."""
    out = fresh.out("bulk-sync", "dr", "--since", "300d", "--workers", "2")
    assert [line.split()[:2] for line in out.splitlines()[1:3]] == [
        ["Account", str(ACCOUNTS)],
        ["Thing__c", str(THINGS)],
    ]
    assert_all_copied(fresh)
    assert "No records to copy" in fresh.out("bulk-sync", "dr", "--since", "300d", "--workers", "2")


def test_bad_records_of_all_ranges_are_logged(fresh: World) -> None:
    """BLK-3: ranges of which the source learns at once each tell of what they could not copy."""
    fresh.joined.clients[S].execute(
        "CREATE TRIGGER picky BEFORE INSERT ON \"Account\" WHEN NEW.\"Name\" IN ('A 05', 'A 15', 'A 16')"
        " BEGIN SELECT RAISE(ABORT, 'not this one'); END"
    )
    result = fresh.run("bulk-sync", "dr", "--workers", "2", "--object", "Account", "--format", "json")
    assert result.exit_code == 5, result.output
    (found,) = json.loads(result.stdout)["objects"]
    assert (found["copied"], found["failed"]) == (ACCOUNTS - 3, 3)
    held = 'SELECT count(*) FROM orgsync_held AS h JOIN "Account" AS a ON a."Id" = h.record WHERE a."Name" IN (?, ?, ?)'
    assert fresh.joined.one(P, held, "A 05", "A 15", "A 16") == 3
    assert fresh.joined.one(P, 'SELECT count(*) FROM "PartnerNetworkSyncLog"') == 3


def test_ranges_in_any_order(fresh: World) -> None:
    """LKP-2: ranges that are done backwards, or twice, leave nothing out and double nothing."""
    own, parts = parts_of(fresh, "Account")
    assert [(part.low, part.high) for part in parts] == [(0, 10), (10, 20), (20, ACCOUNTS)]
    path = own.flow.paths["Account"]
    copied = [copy_part(fresh.joined.pair, part, fresh.joined.clock).copied for part in (parts[2], parts[0])]
    assert copied == [ACCOUNTS - 20, 10]
    assert copy_part(fresh.joined.pair, parts[2], fresh.joined.clock).copied == 0
    assert own.missing(path, ACCOUNTS, 4) == [(10, 14), (14, 18), (18, 20)]
    assert fresh.joined.one(S, "SELECT position, copied FROM orgsync_bulk WHERE object = 'Account'") == (10, 20)
    assert copy_part(fresh.joined.pair, parts[1], fresh.joined.clock).copied == 10
    assert fresh.joined.one(S, "SELECT position, copied FROM orgsync_bulk WHERE object = 'Account'") == (
        ACCOUNTS,
        ACCOUNTS,
    )
    # The next run has only to finish.
    fresh.joined.bulk(P)
    fresh.joined.drain()
    assert_all_copied(fresh)


@pytest.mark.parametrize("workers", [None, 1])
def test_a_run_that_was_cut_off_goes_on_with_what_is_missing(fresh: World, workers: int | None) -> None:
    """BLK-4: with workers or without them."""
    (fresh.folder / "manifests" / "dr.yaml").write_text(f"{MANIFEST}bulk_sync: {{max_age: none}}\n")
    _, parts = parts_of(fresh, "Account")
    copy_part(fresh.joined.pair, parts[1], fresh.joined.clock)
    moved = records.copy_records(fresh.workspace, "dr", workers=workers)
    assert [item.copied for item in moved.objects] == [ACCOUNTS - 10, THINGS]
    assert_all_copied(fresh)


def test_a_range_of_another_run_copies_nothing(fresh: World) -> None:
    """BLK-4: a worker that comes late, after its bulk sync is over or another one has begun, does no harm."""
    own, parts = parts_of(fresh, "Account")
    late = replace(parts[0], started=parts[0].started - 1)
    assert copy_part(fresh.joined.pair, late, fresh.joined.clock).copied == 0
    own.finish(own.flow.paths["Account"], ACCOUNTS, fresh.joined.now)
    assert copy_part(fresh.joined.pair, parts[0], fresh.joined.clock).copied == 0
    assert fresh.joined.one(S, 'SELECT count(*) FROM "Account"') == 0
    assert fresh.joined.one(S, "SELECT count(*) FROM orgsync_bulk_range") == 0


def test_a_worker_killed_in_mid_run_loses_nothing_and_doubles_nothing(fresh: World, cluster: Cluster) -> None:
    """BLK-4: by SIGKILL, on a real cluster; the other worker takes over."""
    cluster.work(2)
    seen: list[tuple[str, int, int]] = []

    def progress(name: str, done: int, total: int) -> None:
        seen.append((name, done, total))
        if len(seen) == 1:
            cluster.workers[0].kill()

    moved = records.copy_records(fresh.workspace, "dr", cluster=cluster.address, progress=progress)
    assert cluster.workers[0].wait() != 0
    assert [(item.object, item.copied, item.failed) for item in moved.objects] == [
        ("Account", ACCOUNTS, 0),
        ("Thing__c", THINGS, 0),
    ]
    assert seen[2] == ("Account", ACCOUNTS, ACCOUNTS)
    assert_all_copied(fresh)


def test_what_is_paired_by_name_is_paired_ahead_of_the_ranges(fresh: World, tmp_path: Path) -> None:
    """LKP-6: ranges of one round that paired it each by itself would wait for one another on a server."""
    store, seen = Path(fresh.joined.orgs[S].place), tmp_path / "seen"
    work = partial(tasks.note_paired, store, seen, partial(copy_there, place_of(fresh.workspace, "dr")))
    with LocalCrew(1) as own:
        bulk.bulk_sync(fresh.joined.pair, source=P, cutoff=None, clock=fresh.joined.clock, crew=BulkCrew(own, work))
    before = [int(line) for line in seen.read_text().split()]
    assert len(set(before)) == 1 and before[0] > 0
    assert_all_copied(fresh)


def test_a_range_that_goes_on_failing_is_reported_and_left_for_the_next_run(fresh: World) -> None:
    """What was under way with it is copied, children wait, and the next run goes on with what is missing."""
    work = partial(tasks.fail_at, 10, partial(copy_there, place_of(fresh.workspace, "dr")))
    with LocalCrew(1) as own, pytest.raises(PartialError) as caught:
        bulk.bulk_sync(fresh.joined.pair, source=P, cutoff=None, clock=fresh.joined.clock, crew=BulkCrew(own, work))
    assert str(caught.value) == (
        "1 range of Account could not be copied: the disk is full; run it again: it goes on with what is missing"
    )
    assert fresh.joined.one(S, 'SELECT count(*) FROM "Account"') == 10
    assert fresh.joined.one(S, 'SELECT count(*) FROM "Thing__c"') == 0
    assert [item.copied for item in bulk.resume_bulk(fresh.joined.pair, source=P, clock=fresh.joined.clock)] == [
        20,
        THINGS,
    ]
    assert_all_copied(fresh)
