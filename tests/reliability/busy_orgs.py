"""Writers in both orgs and runs of the program, all in processes of their own, that may be killed at any moment."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from joined_world import STORES, command

#: A client that inserts, updates, moves and deletes until its standard input ends, and then prints what it wrote.
WRITER = """
import random, sqlite3, sys, threading, time
path, label, seed, pause = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
db = sqlite3.connect(path, isolation_level=None, timeout=30)
db.execute("PRAGMA synchronous = OFF")
pick = random.Random(seed)
made = changed = deleted = 0
worst = 0.0
while not stop.is_set():
    began = time.monotonic()
    what = pick.random()
    if made < 5 or what < 0.4:
        made += 1
        db.execute('INSERT INTO "Account" ("Name", "Phone") VALUES (?, ?)', [f"{label} {made}", "0"])
        row = db.execute('SELECT "Id" FROM "Account" WHERE "Name" = ?', [f"{label} {made}"]).fetchone()
        db.execute('INSERT INTO "Contact" ("LastName", "AccountId") VALUES (?, ?)', [f"{label} {made}", row[0]])
    else:
        row = db.execute('SELECT "Id" FROM "Account" WHERE "IsDeleted" = 0 ORDER BY random() LIMIT 1').fetchone()
        if what < 0.9:
            column = pick.choice(("Phone", "Industry", "Website"))
            db.execute(f'UPDATE "Account" SET "{column}" = ? WHERE "Id" = ?', [f"{label}{pick.randrange(1000)}", row[0]])
            changed += 1
        else:
            db.execute('DELETE FROM "Account" WHERE "Id" = ? AND "IsDeleted" = 0', [row[0]])
            deleted += 1
    worst = max(worst, time.monotonic() - began)
    stop.wait(pause)
print(made, changed, deleted, worst)
"""


@dataclass(kw_only=True)
class Written:
    """What the writers did, and the longest that one of their steps took, in seconds."""

    made: int = 0
    changed: int = 0
    deleted: int = 0
    longest: float = 0.0


@contextlib.contextmanager
def writing(folder: Path, label: str, *, pause: float) -> Iterator[Written]:
    """Clients that write in both orgs while the block runs; none of them may meet an error."""
    total = Written()
    clients = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                WRITER,
                str(folder / "orgs" / f"{store}.db"),
                f"{label} {store}",
                str(seed),
                str(pause),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed, store in enumerate(STORES)
    ]
    try:
        yield total
        for client in clients:
            out, errors = client.communicate("", timeout=60)
            assert client.returncode == 0, errors
            made, changed, deleted, longest = out.split()
            total.made += int(made)
            total.changed += int(changed)
            total.deleted += int(deleted)
            total.longest = max(total.longest, float(longest))
    finally:
        for client in clients:
            client.kill()
            client.wait()


def start(folder: Path, *args: str) -> subprocess.Popen[str]:
    """The program as a process of its own."""
    return subprocess.Popen(
        command(folder, *args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process: subprocess.Popen[str], codes: tuple[int, ...] = (0,), seconds: float = 60) -> str:
    """Waits for a run; it ends in time with one of these codes, and no word of locks. Its standard output."""
    out, errors = process.communicate(timeout=seconds)
    assert process.returncode in codes, (process.args, process.returncode, out, errors)
    assert "locked" not in errors and "Traceback" not in errors, errors
    return out


def kill(process: subprocess.Popen[str], after: float) -> bool:
    """Kills a run after so many seconds, unless it has ended by then; whether it was killed."""
    try:
        out, errors = process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        process.kill()
        out, errors = process.communicate()
    assert process.returncode in (0, 5, 6, -signal.SIGKILL), (process.args, process.returncode, out, errors)
    return process.returncode == -signal.SIGKILL


def assert_whole(folder: Path) -> None:
    """ORG-2: SQLite itself finds nothing wrong with either file."""
    for store in STORES:
        with contextlib.closing(sqlite3.connect(folder / "orgs" / f"{store}.db")) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
