"""QUE-3, BLK-3: whoever inserts at the same time never draws the same auto-number, on a server with many writers."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from postgres_server import Server, name_of
from two_orgs import connection, make_on_server, must, publication, server_orgs, write_documents

from orgsync_reconcile.app.workspace import Workspace, open_connection
from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.model.component import Component, ComponentKey
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.postgres.handle import PostgresOrg
from orgsync_reconcile.stores.sql.component_table import summaries, write_component
from orgsync_reconcile.stores.sql.flow import Flow, Pair
from orgsync_reconcile.stores.sql.flow.bulk import BulkFlow
from orgsync_reconcile.sync import bulk
from orgsync_reconcile.sync.bulk_parts import BulkPart, copy_part

#: How many cases the primary had before it was connected.
COUNT = 60
INSERT = 'INSERT INTO "Case" ("Subject") SELECT \'x \' || g FROM generate_series(1, %s) AS g'


def manifests(folder: Path, url: str) -> None:
    write_documents(folder, server_orgs(url), connection("dr"), publication("dr", "Case", "Subject"))


@pytest.fixture(scope="module")
def template(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database with two connected orgs; records of before wait for a bulk sync."""
    url, folder = postgres.database(), tmp_path_factory.mktemp("template")
    manifests(folder, url)
    make_on_server(folder, url)
    with psycopg.connect(url, options="-c search_path=acme") as db:
        db.execute(INSERT, [COUNT])
    must(folder, "apply", "--yes")
    yield url
    postgres.drop(url)


@pytest.fixture
def url(postgres: Server, template: str, tmp_path: Path) -> Iterator[str]:
    """A copy of them, with manifests in `tmp_path`."""
    made = postgres.database(name_of(template))
    manifests(tmp_path, made)
    yield made
    postgres.drop(made)


@pytest.fixture
def client(url: str) -> Iterator[psycopg.Connection[Any]]:
    """Anybody's session in the secondary."""
    with psycopg.connect(url, options="-c search_path=dr") as db:
        yield db


def until(what: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not what():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def until_somebody_waits(url: str) -> None:
    """Waits until a session of the program waits for a lock."""
    with psycopg.connect(url, autocommit=True) as db:
        waits = (
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'orgsync' AND wait_event_type = 'Lock'"
            " AND datname = current_database()"
        )
        until(lambda: db.execute(waits).fetchone())


def assert_each_its_own(client: psycopg.Connection[Any], expected: int) -> None:
    """So many cases, none of which has the number of another."""
    client.rollback()
    counted = 'SELECT count(*), count(DISTINCT "CaseNumber") FROM "Case"'
    assert client.execute(counted).fetchone() == (expected, expected)
    assert client.execute('SELECT count(*) FROM "PartnerNetworkSyncLog"').fetchone() == (0,)


def test_a_drain_and_a_client(url: str, client: psycopg.Connection[Any], tmp_path: Path) -> None:
    """QUE-3: a client has drawn numbers and not committed; the drain, a process of its own, waits and goes on behind it."""
    with psycopg.connect(url, options="-c search_path=acme") as db:
        db.execute(INSERT, [3])
    client.execute(INSERT, [2])
    drain = subprocess.Popen(
        [sys.executable, "-m", "orgsync_reconcile", "-C", str(tmp_path), "drain"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until_somebody_waits(url)
        client.execute(INSERT, [1])
        client.commit()
        output, _ = drain.communicate(timeout=60)
        assert drain.returncode == 0, output
    finally:
        drain.kill()
        drain.communicate()
    assert_each_its_own(client, 3 + 3)


def test_two_engines(url: str, client: psycopg.Connection[Any], tmp_path: Path) -> None:
    """BLK-3: one range is written and not committed; whoever copies the next one waits for its numbers, as a client does."""
    with ExitStack() as stack:
        first, second = (
            Pair(found.primary, found.secondary, "dr")
            for found in (stack.enter_context(open_connection(Workspace(directory=tmp_path), "dr")) for _ in range(2))
        )
        flow = Flow(first, Side.PRIMARY)
        path, own = flow.paths["Case"], BulkFlow(flow, None)
        started = own.start(path, system_clock()).started
        part = partial(BulkPart, source=Side.PRIMARY, object="Case", cutoff=None, started=started)
        copied: list[int] = []
        others = [
            threading.Thread(
                target=lambda: copied.append(copy_part(second, part(low=30, high=COUNT), system_clock).copied)
            ),
            threading.Thread(target=lambda: client.execute(INSERT, [1])),
        ]
        with first.lease(shared=True), flow.target.transaction():
            assert own.claim(path, started, 0, 30)
            own.copy_beside_others(path, 0, 30, system_clock(), told=lambda: None)
            others[0].start()
            until_somebody_waits(url)
            others[1].start()
        others[1].join(30)
        client.commit()
        others[0].join(30)
        assert copied == [30]
    assert_each_its_own(client, COUNT + 1)


def test_processes_that_copy_and_a_client_that_writes(
    url: str, client: psycopg.Connection[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BLK-3: two workers copy ranges while somebody inserts all the time."""
    monkeypatch.setattr(bulk, "RANGE", 6)
    ended, written = threading.Event(), []

    def write() -> None:
        while not ended.is_set():
            client.execute(INSERT, [1])
            client.commit()
            written.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        must(tmp_path, "bulk-sync", "--workers", "2")
    finally:
        ended.set()
        writer.join()
    assert_each_its_own(client, COUNT + len(written))


def test_one_process_copies_one_range_after_the_other(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BLK-3: the numbers of the next range wait for those of the one before, so no more sessions are opened for it."""
    monkeypatch.setattr(bulk, "RANGE", 6)
    another, opened = PostgresOrg.another, []

    def watched(org: PostgresOrg) -> AbstractContextManager[PostgresOrg]:
        opened.append(org.label)
        return another(org)

    monkeypatch.setattr(PostgresOrg, "another", watched)
    must(tmp_path, "bulk-sync")
    assert opened == []
    with psycopg.connect(url, options="-c search_path=dr") as db:
        assert_each_its_own(db, COUNT)


def test_components(url: str, client: psycopg.Connection[Any], tmp_path: Path) -> None:
    """MET-3: components whose Ids are counted too."""

    def report(name: str) -> Component:
        return Component(key=ComponentKey("Report", name), content={"name": name})

    with ExitStack() as stack:
        one, other = (
            stack.enter_context(open_connection(Workspace(directory=tmp_path), "dr")).secondary for _ in range(2)
        )
        write_component(one, report("r0"), synced=False)
        second = threading.Thread(target=write_component, args=(other, report("r2")), kwargs={"synced": False})
        with one.transaction():
            write_component(one, report("r1"), synced=False)
            second.start()
            until_somebody_waits(url)
        second.join(30)
        ids = [item.id for item in summaries(one).values() if item.key.type == "Report"]
        assert len(set(ids)) == len(ids) == 3
