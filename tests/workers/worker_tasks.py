"""What the crews of the tests do; processes beside the test import it from here."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from orgsync_reconcile.errors import StoreError, UsageError
from orgsync_reconcile.model.records import ObjectCounts
from orgsync_reconcile.sync.bulk_parts import BulkPart


def double(number: int) -> int:
    return 2 * number


def pid(_part: int) -> int:
    time.sleep(0.05)
    return os.getpid()


def note(path: Path) -> int:
    """Counts the tries of a part in its file."""
    with path.open("a") as file:
        file.write(".")
    return len(path.read_text())


def fail_twice(path: Path) -> int:
    tries = note(path)
    if tries < 3:
        raise StoreError("the store is busy", where="acme", hint="wait")
    return tries


def fail_always(path: Path) -> int:
    raise StoreError(f"try {note(path)}")


def misuse(path: Path) -> int:
    note(path)
    raise UsageError("there is no such thing")


def die_once(path: Path) -> int:
    """Is killed at the first try, as by a machine without memory."""
    tries = note(path)
    if tries == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return tries


def die(_path: Path) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def overlap(folder: Path) -> int:
    """How many parts are under way at this moment."""
    mine = folder / f"{os.getpid()}-{time.monotonic_ns()}"
    mine.touch()
    time.sleep(0.1)
    seen = len(list(folder.iterdir()))
    mine.unlink()
    return seen


def sleep_long(path: Path) -> int:
    path.write_text(str(os.getpid()))
    time.sleep(60)
    return 0


def fail_at(low: int, work: Callable[[BulkPart], ObjectCounts], part: BulkPart) -> ObjectCounts:
    """Copies all ranges but one."""
    if part.low == low:
        raise StoreError("the disk is full")
    return work(part)


def note_paired(store: Path, seen: Path, work: Callable[[BulkPart], ObjectCounts], part: BulkPart) -> ObjectCounts:
    """Copies a range, and writes down how many links by name the file of the target held before."""
    with sqlite3.connect(store) as db, seen.open("a") as notes:
        notes.write(f"{db.execute('SELECT count(*) FROM orgsync_link WHERE status = 3').fetchone()[0]}\n")
    db.close()
    return work(part)
