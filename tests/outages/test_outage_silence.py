"""A server that takes what is sent and never answers: it is noticed, waited for, and nothing is lost or doubled (SUS-3)."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from outage_world import OutageWorld, eventually
from postgres_server import memory
from silent_proxy import SilentProxy, silent_proxy
from sync_world import CONNECTION, P, S

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.address import parse_address
from orgsync_reconcile.stores.postgres import silence
from orgsync_reconcile.stores.postgres.local_server import LocalServer, local_server
from orgsync_reconcile.stores.postgres.session import connect
from orgsync_reconcile.stores.postgres.transport import copy_between
from orgsync_reconcile.stores.urls import open_store

#: Quick for a test: half a second of silence before each look, and two seconds for an answer, which libpq takes at least.
QUICK = "&tcp_user_timeout=500&connect_timeout=2"
#: Two looks and the program's own two seconds to see who is away; and what a busy machine takes.
NOTICED = 2 * (0.5 + 2) + 2 + 12


def through(address: str, server: LocalServer, proxy: SilentProxy) -> str:
    """The address of the same org, by way of the proxy."""
    return address.replace(f":{server.port}/", f":{proxy.port}/") + QUICK


@pytest.fixture
def proxies(
    outage: OutageWorld, kinds: tuple[str, ...], servers: dict[Side, LocalServer]
) -> Iterator[dict[Side, SilentProxy]]:
    """The ends on a server, each behind a proxy of its own; connected and in step, without sessions."""
    outage.world.connect("Account")
    outage.world.insert(P, "Account", Name="before")
    outage.world.settle()
    outage.close()
    with ExitStack() as stack:
        found = {}
        for end, kind in zip((P, S), kinds, strict=True):
            if kind == "postgres":
                found[end] = stack.enter_context(silent_proxy(servers[end].port))
                outage.addresses[end] = through(outage.addresses[end], servers[end], found[end])
        yield found


def add(world: OutageWorld, side: Side, name: str) -> None:
    """An account, written by a session of its own."""
    with open_store(world.addresses[side], base=world.folder) as org:
        org.db.execute('INSERT INTO "Account" ("Name") VALUES (?)', [name])


def arrived(world: OutageWorld, side: Side, name: str) -> bool:
    """Whether an account of that name stands in an org."""
    with open_store(world.addresses[side], base=world.folder, readonly=True) as org:
        return org.db.execute('SELECT 1 FROM "Account" WHERE "Name" = ?', [name]).fetchone() is not None


def check(world: OutageWorld, *names: str) -> None:
    """Both orgs have these accounts, each once, and agree."""
    opened = world.open()
    opened.settle()
    opened.assert_equal()
    for side in (P, S):
        rows = opened.clients[side].execute('SELECT "Name" FROM "Account" WHERE "IsDeleted" = FALSE').fetchall()
        assert sorted(row[0] for row in rows) == sorted(names)


@contextmanager
def following(world: OutageWorld, said: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A drain that follows; what it has said on standard error when it has ended, as it was asked to."""
    follower = world.start("drain", CONNECTION, "--follow")
    try:
        yield follower
        assert follower.poll() is None
        follower.send_signal(signal.SIGTERM)
        _, errors = follower.communicate(timeout=60)
        assert follower.returncode == 0, errors
        assert "Traceback" not in errors
        said.append(errors)
    finally:
        follower.kill()
        follower.communicate()


@pytest.mark.parametrize(
    ("kinds", "silent", "word", "behind"),
    [
        (("sqlite", "postgres"), S, b"COMMIT", False),
        (("postgres", "sqlite"), P, b"COMMIT", True),
        (("postgres", "postgres"), S, b"TO STDOUT", True),
    ],
    ids=["before its COMMIT", "with the outcome unknown", "while it is read"],
)
def test_a_server_falls_silent(
    outage: OutageWorld, proxies: dict[Side, SilentProxy], silent: Side, word: bytes, behind: bool
) -> None:
    """SUS-3, QUE-3: a following drain notices, suspends, and goes on; a COMMIT that comes through late does no harm."""
    source = silent.other if word == b"COMMIT" else silent
    said: list[str] = []
    with following(outage, said):
        add(outage, source, "first")
        eventually(lambda: arrived(outage, source.other, "first"), seconds=60)
        proxies[silent].silence_at(word, behind=behind)
        add(outage, source, "second")
        assert proxies[silent].fell_silent.wait(30)
        eventually(lambda: outage.reason(silent.other), seconds=NOTICED)
        proxies[silent].speak()
        eventually(lambda: arrived(outage, source.other, "second"), seconds=20)
    assert said[0].count("; waiting") == 1, said
    check(outage, "before", "first", "second")


@pytest.mark.parametrize("kinds", [("postgres", "sqlite")], ids=["postgres"])
def test_a_session_that_comes_to_nothing(outage: OutageWorld, proxies: dict[Side, SilentProxy]) -> None:
    """SUS-3, QUE-3: the way of one session is dead for ever while the server is well: it ends, with the locks that it held."""
    said: list[str] = []
    with following(outage, said):
        add(outage, S, "first")
        eventually(lambda: arrived(outage, P, "first"), seconds=60)
        proxies[P].silence_at(b"COMMIT", behind=False)
        add(outage, S, "second")
        assert proxies[P].fell_silent.wait(30)
        proxies[P].strand()
        # What holds the lease would otherwise be waited for for half a minute, again and again.
        eventually(lambda: arrived(outage, P, "second"), seconds=20)
        assert outage.reason(S) == ""
    assert "suspended" not in said[0]
    check(outage, "before", "first", "second")


@contextmanager
def frozen(server: LocalServer) -> Iterator[None]:
    """The server's processes stop where they are, until the block ends; its machine goes on taking what is sent."""
    first = server.process
    os.kill(first, signal.SIGSTOP)
    children = [int(child) for child in Path(f"/proc/{first}/task/{first}/children").read_text().split()]
    try:
        for child in children:
            os.kill(child, signal.SIGSTOP)
        yield
    finally:
        for process in (*children, first):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


@pytest.mark.parametrize("kinds", [("postgres", "sqlite")], ids=["postgres"])
def test_a_server_freezes(outage: OutageWorld, servers: dict[Side, LocalServer]) -> None:
    """SUS-3: a following drain notices, suspends, and goes on when the server does; another command ends with one line."""
    outage.world.connect("Account")
    outage.close()
    outage.addresses[P] += QUICK
    said: list[str] = []
    with following(outage, said):
        add(outage, P, "first")
        eventually(lambda: arrived(outage, S, "first"), seconds=60)
        with frozen(servers[P]):
            add(outage, S, "second")
            eventually(lambda: outage.reason(S), seconds=NOTICED)
            away = outage.program("drain", CONNECTION)
            assert away.exit_code == 1
            (line,) = away.stderr.strip().splitlines()
            assert line.startswith("error: acme: the org cannot be reached: "), line
        eventually(lambda: arrived(outage, P, "second"), seconds=20)
    assert said[0].count("; waiting") == 1, said
    check(outage, "first", "second")


@pytest.mark.parametrize("kinds", [("postgres", "sqlite")], ids=["postgres"])
def test_a_command_meets_a_server_that_falls_silent(outage: OutageWorld, proxies: dict[Side, SilentProxy]) -> None:
    """SUS-3: a drain that is at work ends with one line that says what happens; with the server everything goes on."""
    add(outage, S, "second")
    proxies[P].silence_at(b"COMMIT", behind=True)
    away = outage.program("drain", CONNECTION)
    assert away.exit_code == 1, away.output
    (line,) = away.stderr.strip().splitlines()
    assert "resumes by itself once the org is back" in line
    assert outage.reason(S)
    proxies[P].speak()
    back = outage.program("drain", CONNECTION)
    assert back.exit_code == 0, back.output
    assert "resumed by itself" in back.stderr
    check(outage, "before", "second")


def test_a_long_statement_is_waited_for() -> None:
    """SUS-3: a server that is at work is not silent, nor is one that has no room for the session that asks."""
    with local_server(parent=memory(), settings={"max_connections": "5"}) as server, ExitStack() as stack:
        session = connect(parse_address(f"{server.url}?schema=public{QUICK}"), "acme", busy_seconds=30)
        stack.callback(session.close)
        assert session.execute("SELECT 1 FROM pg_sleep(2.5)").fetchone() == (1,)
        with ExitStack() as others:
            for _ in range(4):
                others.enter_context(psycopg.connect(server.url))
            with pytest.raises(psycopg.OperationalError, match="too many"):
                psycopg.connect(server.url)
            assert session.execute("SELECT 1 FROM pg_sleep(2.5)").fetchone() == (1,)


@pytest.mark.parametrize("style", ["ISO, MDY", "German"])
@pytest.mark.parametrize("role", ["", "owner"], ids=["its own rights", "another role's"])
def test_a_login_with_settings_of_its_own(role: str, style: str) -> None:
    """SUS-3: a login that takes another role's rights at once, and one that writes dates otherwise, are waited for too."""
    with local_server(parent=memory()) as server, ExitStack() as stack:
        with psycopg.connect(server.url, autocommit=True) as made:
            made.execute("CREATE ROLE owner")
            made.execute("CREATE ROLE worker LOGIN IN ROLE owner")
            made.execute(f"ALTER ROLE worker SET datestyle = '{style}'")
            if role:
                made.execute(f"ALTER ROLE worker SET role = '{role}'")
        address = parse_address(f"{server.url}?schema=public&user=worker{QUICK}")
        session = connect(address, "acme", busy_seconds=30)
        stack.callback(session.close)
        assert session.execute("SELECT current_user").fetchone() == (role or "worker",)
        assert session.execute("SELECT 1 FROM pg_sleep(2.5)").fetchone() == (1,)
        moment = "CAST('2026-02-01 10:20:30+00' AS timestamptz)::text"
        written = ("2026-02-01", "2026-02-01 10:20:30+00")
        assert session.execute(f"SELECT CAST('2026-02-01' AS date)::text, {moment}").fetchone() == written


def test_a_server_that_falls_silent_while_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """SUS-3: nobody waits for ever for the answer whether there will be an answer."""
    monkeypatch.setattr(silence, "_ANSWER_SECONDS", 0.5)
    with local_server(parent=memory()) as server, silent_proxy(server.port) as proxy:
        address = parse_address(through(f"{server.url}?schema=public", server, proxy))
        session = connect(address, "acme", busy_seconds=30)
        proxy.silence_at(b"pg_stat_activity", behind=False)

        def speak() -> None:
            proxy.fell_silent.wait(20)
            time.sleep(1)
            proxy.speak()

        speaker = threading.Thread(target=speak)
        speaker.start()
        # Once says nothing.
        assert session.execute("SELECT 1 FROM pg_sleep(3)").fetchone() == (1,)
        speaker.join()
        proxy.silence_at(b"pg_stat_activity", behind=False)
        began = time.monotonic()
        with pytest.raises(psycopg.OperationalError, match="no answer for"):
            session.execute("SELECT pg_sleep(30)")
        assert time.monotonic() - began < 15
        assert session.connection.closed


def test_a_server_that_falls_silent_while_rows_are_streamed() -> None:
    """SUS-3: in the middle of what COPY sends."""
    with local_server(parent=memory()) as server, silent_proxy(server.port) as proxy, ExitStack() as stack:
        address = f"{server.url}?schema=public"
        source, target = (
            connect(parse_address(place), "acme", busy_seconds=30)
            for place in (through(address, server, proxy), address)
        )
        stack.callback(target.close)
        target.run("CREATE TABLE many (n int, words text)")
        rows = "SELECT g, repeat('x', 1000) FROM generate_series(1, 5000) AS g"
        failed: list[BaseException] = []

        def copy() -> None:
            try:
                copy_between(source, rows, [], target, "many", {"n": "int", "words": "text"}, empty=True)
            except psycopg.OperationalError as error:
                failed.append(error)

        proxy.silence_at(b"PGCOPY", behind=True)
        runner = threading.Thread(target=copy, daemon=True)
        runner.start()
        runner.join(NOTICED)
        assert proxy.fell_silent.is_set()
        assert "no answer for" in str(failed[0])
        assert target.execute("SELECT count(*) FROM many").fetchone() == (0,)
