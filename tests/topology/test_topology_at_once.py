"""Several connections drained at once by processes of their own, while clients write in every org (QUE-6, CON-10)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from net_world import Net
from org_stores import assert_intact

#: Drains one connection until its standard input ends.
DRAINER = """
import sys, threading
from pathlib import Path
from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.urls import open_store
from orgsync_reconcile.sync.drain import drain
name, *addresses = sys.argv[1:]
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
pair = Pair(*(open_store(address, base=Path()) for address in addresses), name)
moved = 0
while not stop.is_set():
    moved += sum(item.moved for item in drain(pair, clock=system_clock))
    stop.wait(0.01)
print(moved)
"""
#: Writes in one org: inserts, and edits of records from everywhere.
WRITER = """
import random, sys
address, label, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
if address.startswith("sqlite:"):
    import sqlite3
    mark, db = "?", sqlite3.connect(address.removeprefix("sqlite:"), isolation_level=None, timeout=30)
    db.execute("PRAGMA synchronous = OFF")
else:
    import psycopg
    url, _, schema = address.partition("?schema=")
    mark, db = "%s", psycopg.connect(url, autocommit=True, options=f"-c search_path={schema}")
pick = random.Random(label)
for step in range(steps):
    if step % 3 == 0:
        db.execute(f'INSERT INTO "Thing__c" ("Name", "A__c") VALUES ({mark}, {mark})', [f"{label}{step}", "0"])
    else:
        row = db.execute('SELECT "Id" FROM "Thing__c" WHERE "IsDeleted" = FALSE ORDER BY random() LIMIT 1').fetchone()
        column = pick.choice(("A__c", "B__c"))
        db.execute(f'UPDATE "Thing__c" SET "{column}" = {mark} WHERE "Id" = {mark}', [f"{label}{step}", row[0]])
"""


def start(code: str, *args: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start_drain(net: Net, way: str) -> subprocess.Popen[str]:
    """A process that drains a connection."""
    return start(DRAINER, way, *(net.addresses[org] for org in way))


@pytest.mark.parametrize("ways", [("ab", "bc"), ("ab", "bc", "ca")], ids=["chain", "ring"])
def test_all_connections_at_once(net: Callable[[str], Net], ways: tuple[str, ...]) -> None:
    """QUE-6, CON-10, CNF-3: two drains of each connection, a writer in each org; nobody hears of locks, all end equal."""
    steps = 60
    world = net("abc").connect(*ways)
    drains = [start_drain(world, way) for way in ways for _ in range(2)]
    writers = [start(WRITER, world.addresses[org], org, steps) for org in "abc"]
    try:
        for process in (*writers, *drains):
            _, errors = process.communicate("", timeout=60)
            assert process.returncode == 0, errors
    finally:
        for process in (*writers, *drains):
            process.kill()
            process.wait()
    world.settle()
    world.assert_same()
    assert len(world.values("a")) == 3 * steps // 3
    for org in "abc":
        assert_intact(world.clients[org])
    assert world.round() == 0
