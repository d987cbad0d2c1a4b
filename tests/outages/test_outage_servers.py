"""Servers that stop, start, fill up, and hand over to their standby (SUS-3, QUE-3)."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from outage_world import OutageWorld, eventually, new_org
from postgres_server import memory, name_of
from sync_world import CONNECTION, P, S, create_orgs

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.postgres.local_server import LocalServer, local_server
from orgsync_reconcile.stores.urls import open_store


def there(world: OutageWorld, side: Side, name: str) -> bool:
    """Whether an account of that name stands in an org, asked by a session of its own."""
    with open_store(world.addresses[side], base=world.folder, readonly=True) as org:
        row = org.db.execute('SELECT 1 FROM "Account" WHERE "Name" = ? AND "IsDeleted" = FALSE', [name]).fetchone()
    return row is not None


def add(world: OutageWorld, side: Side, name: str) -> None:
    """An account, written by a session of its own."""
    with open_store(world.addresses[side], base=world.folder) as org:
        org.db.execute('INSERT INTO "Account" ("Name") VALUES (?)', [name])


def check(world: OutageWorld, *names: str) -> None:
    """Both orgs have these accounts, each once, and agree."""
    opened = world.open()
    opened.settle()
    opened.assert_equal()
    for side in (P, S):
        rows = opened.clients[side].execute('SELECT "Name" FROM "Account" WHERE "IsDeleted" = FALSE').fetchall()
        assert sorted(row[0] for row in rows) == sorted(names)


def test_a_drain_meets_a_server_that_is_away(outage: OutageWorld, side: Side, servers: dict[Side, LocalServer]) -> None:
    """SUS-3: one line, the other end suspends itself; with the server everything goes on by itself."""
    outage.world.connect("Account")
    outage.world.insert(side.other, "Account", Name="queued")
    outage.close()
    servers[side].stop(immediately=True)
    try:
        away = outage.program("drain", CONNECTION)
        assert away.exit_code == 1
        (line,) = away.stderr.strip().splitlines()
        assert "cannot be reached" in line
        assert "has suspended itself" in line
        if not outage.addresses[side.other].startswith("sqlite"):
            assert outage.reason(side.other)
    finally:
        servers[side].start()
    back = outage.program("drain", CONNECTION)
    assert back.exit_code == 0, back.output
    assert "resumed by itself" in back.stderr
    check(outage, "queued")


def test_a_following_drain_outlives_its_servers(
    outage: OutageWorld, side: Side, servers: dict[Side, LocalServer]
) -> None:
    """SUS-3: each server is stopped as by a power cut and comes back; what was written meanwhile arrives within seconds."""
    outage.world.connect("Account")
    outage.close()
    follower = outage.start("drain", CONNECTION, "--follow")
    names = ["first"]
    try:
        add(outage, side, "first")
        eventually(lambda: there(outage, side.other, "first"))
        ends = [end for end in (P, S) if outage.addresses[end].startswith("postgresql")]
        for end in ends:
            servers[end].stop(immediately=True)
            try:
                eventually(lambda end=end: outage.reason(end.other))
                add(outage, end.other, f"without {end}")
            finally:
                servers[end].start()
            eventually(lambda end=end: there(outage, end, f"without {end}"), seconds=15)
            names.append(f"without {end}")
        assert follower.poll() is None
    finally:
        follower.send_signal(signal.SIGTERM)
        _, errors = follower.communicate(timeout=30)
    assert follower.returncode == 0, errors
    assert "Traceback" not in errors
    assert errors.count("; waiting") == len(ends), errors
    check(outage, *names)


@pytest.fixture
def main_server() -> Iterator[LocalServer]:
    """A server that gets a standby."""
    with local_server(parent=memory()) as server:
        yield server


@pytest.fixture
def handed(main_server: LocalServer, tmp_path: Path) -> Iterator[tuple[OutageWorld, LocalServer]]:
    """A primary on a server with a standby, addressed by both, and a secondary in a file; connected, in step."""
    create_orgs(tmp_path)
    address = new_org(main_server, P, "handed")
    with local_server(parent=memory(), standby_of=main_server) as standby:
        both = f"127.0.0.1:{main_server.port},127.0.0.1:{standby.port}"
        several = address.replace(f"127.0.0.1:{main_server.port}", both) + "&target_session_attrs=read-write"
        world = OutageWorld({P: several, S: f"sqlite:{tmp_path / 'acme-dr.db'}"}, tmp_path)
        world.world.connect("Account")
        world.world.insert(P, "Account", Name="before")
        world.world.settle()
        yield world, standby
        world.close()


def caught_up(main_server: LocalServer, standby: LocalServer) -> None:
    """Waits until the standby has all that the server has."""
    with (
        psycopg.connect(main_server.url, autocommit=True) as one,
        psycopg.connect(standby.url, autocommit=True) as other,
    ):
        row = one.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
        assert row is not None
        eventually(lambda: other.execute("SELECT pg_last_wal_replay_lsn() >= %s", row).fetchone() == (True,))


def promote(main_server: LocalServer, standby: LocalServer) -> None:
    """The server is gone, and its standby takes over."""
    main_server.stop(immediately=True)
    with psycopg.connect(standby.url, autocommit=True) as db:
        assert db.execute("SELECT pg_promote()").fetchone() == (True,)


def test_a_standby_takes_over(main_server: LocalServer, handed: tuple[OutageWorld, LocalServer]) -> None:
    """SUS-3, DIA-1: with both hosts in the address nothing has to be told; the standby alone can be looked at."""
    world, standby = handed
    several = world.addresses[P]
    before = world.world.one(P, """SELECT "Id" FROM "Account" WHERE "Name" = 'before'""")
    there = world.world.other(P, before)
    queued = world.world.insert(P, "Account", Name="queued")
    world.world.insert(S, "Account", Name="queued too")
    caught_up(main_server, standby)
    world.close()
    # While it is a standby.
    world.addresses[P] = f"{standby.url.removesuffix('/postgres')}/handed?schema=acme"
    for command in (("status",), ("queue", "list"), ("log", "list"), ("history",)):
        looked = world.program(*command, CONNECTION)
        assert looked.exit_code == 0, looked.output
    right = "nothing is wrong"
    for record, found in ((before, right), (there, right), (queued, "is number 1 in the queue of acme ")):
        diagnosed = world.program("diagnose", CONNECTION, record)
        assert diagnosed.exit_code == 0, diagnosed.output
        assert found in diagnosed.stdout
    for command in (("drain",), ("verify",), ("bulk-sync",)):
        refused = world.program(*command, CONNECTION)
        assert refused.exit_code == 1
        (line,) = refused.stderr.strip().splitlines()
        assert "takes no writes" in line
        assert "has suspended itself in acme-dr and resumes by itself" in line
    assert world.program("status", CONNECTION).exit_code == 0
    world.addresses[P] = several
    promote(main_server, standby)
    back = world.program("drain", CONNECTION)
    assert back.exit_code == 0, back.output
    assert "resumed by itself in acme-dr" in back.stderr
    assert world.program("drain", CONNECTION).exit_code == 0
    check(world, "before", "queued", "queued too")


def test_a_standby_that_has_lost_the_end_takes_over(
    main_server: LocalServer, handed: tuple[OutageWorld, LocalServer]
) -> None:
    """QUE-3, VER-1: what the other org has and the new server has not is noticed, and brought back by resync."""
    world, standby = handed
    with psycopg.connect(standby.url, autocommit=True) as db:
        db.execute("ALTER SYSTEM SET primary_conninfo = ''")
        db.execute("SELECT pg_reload_conf()")
        eventually(lambda: db.execute("SELECT count(*) FROM pg_stat_wal_receiver").fetchone() == (0,))
    world.world.insert(P, "Account", Name="lost")
    world.world.insert(S, "Account", Name="lost, of the other")
    world.world.settle()
    world.close()
    promote(main_server, standby)
    for number in range(3):
        add(world, P, f"new {number}")
    refused = world.program("drain", CONNECTION)
    assert refused.exit_code == 1
    assert "the primary org was restored from a backup" in refused.stderr
    assert world.program("resync", CONNECTION).exit_code == 0
    assert world.program("drain", CONNECTION).exit_code == 0
    check(world, "before", "lost", "lost, of the other", "new 0", "new 1", "new 2")


def test_a_server_that_starts_is_waited_for(main_server: LocalServer) -> None:
    """SUS-3: it has opened its port and is not ready yet: no error, only a moment's patience."""
    address = new_org(main_server, P, "slow")
    with local_server(parent=memory(), standby_of=main_server) as standby:
        standby.stop()
        settings = standby.folder / "data" / "postgresql.auto.conf"
        settings.write_text(f"{settings.read_text()}\nrestore_command = 'sleep 1.5; false'\n")
        starting = threading.Thread(target=standby.start)
        began = time.monotonic()
        starting.start()

        def listens() -> bool:
            with socket.socket() as door:
                return door.connect_ex(("127.0.0.1", standby.port)) == 0

        eventually(listens)
        place = address.replace(str(main_server.port), str(standby.port))
        with open_store(place, base=Path(), readonly=True) as org:
            assert org.name == "acme"
        assert time.monotonic() - began > 1
        starting.join()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 60 MB that the server may write to."""
    folder = Path(f"/tmp/orgsync-small-{os.getpid()}")
    folder.mkdir()
    try:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(folder)], check=False)
        if mounted.returncode:
            pytest.skip("no small file system can be mounted here")
        try:
            os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
            folder.chmod(0o700)
            yield folder
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
    finally:
        folder.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
@pytest.mark.parametrize("kinds", [("sqlite", "postgres")], ids=["sqlite-postgres"])
def test_a_full_disk(outage: OutageWorld, servers: dict[Side, LocalServer], small_disk: Path) -> None:
    """SUS-3: one line that says so, nothing half done, nobody suspended; with room it goes on."""
    outage.world.connect("Account")
    for number in range(300):
        outage.world.insert(P, "Account", Name=f"{number:03d}", Description="x" * 100)
    outage.close()
    database = name_of(outage.addresses[S].partition("?")[0])
    with psycopg.connect(servers[S].url, autocommit=True) as db:
        db.execute(f"CREATE TABLESPACE small LOCATION '{small_disk}'")
        db.execute(f'ALTER DATABASE "{database}" SET TABLESPACE small')
    url = outage.addresses[S].partition("?")[0]
    try:
        with psycopg.connect(url, autocommit=True) as filler:
            filler.execute("CREATE TABLE public.filler (x text)")
            with pytest.raises(psycopg.errors.DiskFull):
                while True:
                    filler.execute(
                        "INSERT INTO filler SELECT repeat(md5(g::text), 50) FROM generate_series(1, 200) AS g"
                    )
        full = outage.program("drain", CONNECTION)
        assert full.exit_code == 1, full.output
        (line,) = full.stderr.strip().splitlines()
        assert "has no room left" in line
        with psycopg.connect(url, autocommit=True) as filler:
            filler.execute("DROP TABLE public.filler")
        assert outage.program("drain", CONNECTION).exit_code == 0
        check(outage, *(f"{number:03d}" for number in range(300)))
    finally:
        outage.close()
        with psycopg.connect(servers[S].url, autocommit=True) as db:
            db.execute(f'ALTER DATABASE "{database}" SET TABLESPACE pg_default')
            db.execute("DROP TABLESPACE small")
