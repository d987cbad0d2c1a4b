"""BLK-*, VER-1: orgs on a PostgreSQL server, whose ranges are written at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import psycopg
import pytest
from postgres_server import Server, name_of
from two_orgs import connection, make_on_server, must, publication, server_orgs, write_documents

from orgsync_reconcile.app.workspace import Workspace, open_connection
from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.flow import Flow, Pair
from orgsync_reconcile.stores.sql.flow.bulk import BulkFlow
from orgsync_reconcile.sync import bulk, verify_parts
from orgsync_reconcile.sync.bulk_parts import BulkPart, copy_part

#: Accounts, of which all but the last have a parent with a higher row number.
COUNT = 60


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
    with open_connection(Workspace(directory=folder), "dr") as found:
        row = found.secondary.db.execute('SELECT count(*), count("ParentId") FROM "Account"').fetchone()
        assert tuple(row) == (found.primary.db.execute('SELECT count(*) FROM "Account"').fetchone()[0], COUNT - 1)
        assert found.secondary.db.execute("SELECT count(*) FROM orgsync_waiting").fetchone()[0] == 0
    assert "No records to copy" in run(folder, "bulk-sync")


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
            own.copy(path, 0, 30, system_clock(), alone=False)
            other.start()
            other.join(0.5)
            assert other.is_alive()
        other.join(20)
        assert copied == [0]
        assert flow.db.execute('SELECT count(*) FROM "Account"').fetchone()[0] == 30
