"""Workers, sessions and servers that are killed at random, while clients write in both orgs: nothing is lost or doubled."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from outage_world import OutageWorld, eventually, new_org
from sync_world import CONNECTION, P, S

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.postgres.local_server import LocalServer, local_server

#: How many kills the long run has.
KILLS = int(os.environ.get("ORGSYNC_SOAK_KILLS", "300"))
#: Processes that drain at the same time.
WORKERS = 3
#: What a client writes at once now and then: enough for the workers to share.
MANY = 2500
DURABLE = {"fsync": "on", "full_page_writes": "on"}


@dataclass
class Client(threading.Thread):
    """Writes in one org until it is told to stop, and knows what was committed.

    `values` are the phones that each of its accounts may have by what it was told; None: the account may be gone.
    """

    url: str
    schema: str
    label: str
    seed: int
    stop: threading.Event = field(default_factory=threading.Event)
    values: dict[str, set[str | None]] = field(default_factory=dict)
    many: list[str] = field(default_factory=list)
    commits: int = 0
    lost_answers: int = 0

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        pick = random.Random(self.seed)
        while not self.stop.is_set():
            with (
                suppress(psycopg.OperationalError),
                psycopg.connect(self.url, autocommit=True, options=f"-c search_path={self.schema}") as db,
            ):
                while not db.closed and not self.stop.wait(0.01):
                    self._write(db, pick)
            self.stop.wait(0.1)

    def _write(self, db: psycopg.Connection, pick: random.Random) -> None:
        what = pick.random()
        sure = [name for name, known in self.values.items() if len(known) == 1 and None not in known]
        if what < 0.01:
            label = f"{self.label} many {len(self.many)}"
            sql = 'INSERT INTO "Account" ("Name") SELECT %s || \' \' || g FROM generate_series(1, %s) AS g'
            if self._commit(db, sql, [label, MANY]):
                self.many.append(label)
            return
        if what < 0.4 or not sure:
            name = f"{self.label} {len(self.values)}"
            self.values[name] = {None}
            told = self._commit(db, 'INSERT INTO "Account" ("Name", "Phone") VALUES (%s, \'0\')', [name])
            self._note(name, "0", told=told)
            return
        name = pick.choice(sure)
        if what < 0.9:
            phone = str(pick.randrange(1_000_000))
            told = self._commit(db, 'UPDATE "Account" SET "Phone" = %s WHERE "Name" = %s', [phone, name])
            self._note(name, phone, told=told)
        else:
            told = self._commit(db, 'DELETE FROM "Account" WHERE "Name" = %s', [name])
            self._note(name, None, told=told)

    def _note(self, name: str, value: str | None, *, told: bool) -> None:
        self.values[name] = {value} if told else {*self.values[name], value}

    def _commit(self, db: psycopg.Connection, sql: str, values: Sequence[object]) -> bool:
        """Whether the server said that it stands. Raises OperationalError where the session is gone."""
        try:
            db.execute(sql, values)  # type: ignore[call-overload,unused-ignore]
        except psycopg.errors.DeadlockDetected:
            return False
        except psycopg.OperationalError:
            self.lost_answers += 1
            return False
        self.commits += 1
        return True


class Chaos:
    """Kills one thing after the other. `ends` are the servers with the databases of the two orgs."""

    def __init__(self, world: OutageWorld, servers: dict[Side, LocalServer], pick: random.Random) -> None:
        self.world = world
        self.servers = servers
        self.pick = pick
        self.workers = [world.start("drain", CONNECTION, "--follow") for _ in range(WORKERS)]
        self.done = {"workers": 0, "sessions": 0, "servers": 0}

    def strike(self) -> None:
        """One kill, and what was killed is started again."""
        self.require_alive()
        what = self.pick.random()
        if what < 0.45:
            place = self.pick.randrange(WORKERS)
            self.workers[place].kill()
            self.workers[place].communicate()
            self.workers[place] = self.world.start("drain", CONNECTION, "--follow")
            self.done["workers"] += 1
        elif what < 0.9:
            eventually(self._cut_a_session)
            self.done["sessions"] += 1
        else:
            server = self.servers[self.pick.choice((P, S))]
            server.stop(immediately=True)
            time.sleep(self.pick.uniform(0, 1))
            server.start()
            self.done["servers"] += 1

    def _cut_a_session(self) -> bool:
        """Ends a worker's session with either server, where there is one."""
        with psycopg.connect(self.servers[self.pick.choice((P, S))].url, autocommit=True) as db:
            rows = db.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'orgsync'").fetchall()
            return bool(rows) and db.execute("SELECT pg_terminate_backend(%s)", self.pick.choice(rows)).fetchone() == (
                True,
            )

    def require_alive(self) -> None:
        """No worker ends by itself, whatever happens around it."""
        for worker in self.workers:
            if worker.poll() is not None:
                raise AssertionError((worker.returncode, *worker.communicate()))

    def end(self) -> None:
        """Ends the workers, which must obey."""
        for worker in self.workers:
            worker.send_signal(signal.SIGTERM)
        for worker in self.workers:
            try:
                _, errors = worker.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                worker.kill()
                raise
            # One that has hardly begun knows of no signals yet.
            assert worker.returncode in (0, -signal.SIGTERM), errors
            assert "Traceback" not in errors, errors


@pytest.fixture
def durable() -> Iterator[dict[Side, LocalServer]]:
    """Two servers that keep what they have committed."""
    with local_server(settings=DURABLE) as one, local_server(settings=DURABLE) as other:
        yield {P: one, S: other}


@pytest.mark.parametrize("kills", [5, pytest.param(KILLS, marks=pytest.mark.soak)])
def test_killed_at_random(durable: dict[Side, LocalServer], tmp_path: Path, kills: int) -> None:
    """QUE-3, SUS-3, VER-1: both orgs end equal, with all that the clients were told is there, each record once."""
    world = OutageWorld({side: new_org(server, side, "soak") for side, server in durable.items()}, tmp_path)
    world.world.connect("Account")
    world.close()
    clients = [
        Client(url=url, schema=schema, label=str(side), seed=seed)
        for seed, side in enumerate((P, S))
        for url, _, schema in [world.addresses[side].partition("?schema=")]
    ]
    chaos = Chaos(world, durable, random.Random(20261123))
    began = time.monotonic()
    try:
        for client in clients:
            client.start()
        for _ in range(kills):
            time.sleep(chaos.pick.uniform(0.3, 1.5))
            chaos.strike()
        for client in clients:
            client.stop.set()
            client.join(60)
            assert not client.is_alive()
        chaos.require_alive()
    finally:
        for client in clients:
            client.stop.set()
        if all(worker.poll() is None for worker in chaos.workers):
            chaos.end()
        for worker in chaos.workers:
            worker.kill()
            worker.communicate()
    seconds = time.monotonic() - began

    def drained() -> bool:
        result = world.program("drain", CONNECTION)
        assert result.exit_code in (0, 5), result.output
        return '"items": []' in world.program("--format", "json", "queue", "list").stdout

    eventually(drained, seconds=120)
    verified = world.program("verify", CONNECTION, "--detailed-exitcode")
    assert verified.exit_code == 0, verified.output
    check(world, clients)
    written = sum(client.commits for client in clients)
    unknown = sum(client.lost_answers for client in clients)
    print(f"kills: {chaos.done}, commits of clients: {written}, lost answers: {unknown}, seconds: {seconds:.0f}; equal")


def check(world: OutageWorld, clients: Sequence[Client]) -> None:
    """What the clients know, in both orgs."""
    for client_of in clients:
        for side in (P, S):
            url, _, schema = world.addresses[side].partition("?schema=")
            with psycopg.connect(url, options=f"-c search_path={schema}") as db:
                rows = db.execute('SELECT "Name", "Phone" FROM "Account" WHERE NOT "IsDeleted"').fetchall()
            assert len(dict(rows)) == len(rows), f"doubled in {side}"
            found = dict(rows)
            for name, may in client_of.values.items():
                assert found.get(name) in may, (str(side), name, found.get(name), may)
            for label in client_of.many:
                missing = [number for number in range(1, MANY + 1) if f"{label} {number}" not in found]
                assert not missing, (str(side), label, len(missing))
