"""Locks with their holder: one row each, in the primary org of a connection (REC-4).

Beside the row a holder keeps a lock that the system frees with its process. On the same host it alone says whether the
holder lives: numbers of processes repeat, and in containers they are always the same.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from orgsync_reconcile.clock import Clock, iso
from orgsync_reconcile.errors import LockHeldError, StoreBusyError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.org import BUSY_SECONDS, Org

#: How often a waiting run looks again, in seconds.
_PAUSE = 0.1
#: How long a server may keep what a killed process held, in seconds: it may be in the middle of a statement.
_LINGERS = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """A lock that somebody holds. `at` is ISO 8601 text."""

    name: str
    holder: str
    host: str
    pid: int
    at: str

    @property
    def dead(self) -> bool:
        """Whether no process of this host has its number any more; on another host nobody can tell."""
        return self.host == socket.gethostname() and not _alive(self.pid)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def apply_lease(connection: str) -> str:
    """The name of the lock that an apply holds for a connection."""
    return f"apply/{connection}"


def reconcile_lease(connection: str) -> str:
    """The name of the lock that an unattended run holds for a connection (REC-10)."""
    return f"reconcile/{connection}"


def bulk_lease(connection: str, source: Side) -> str:
    """The name of the lock that a bulk sync holds for a connection and the side that it copies from (BLK-4)."""
    return f"bulk-sync/{connection}/{source}"


def leases(org: Org) -> tuple[Lease, ...]:
    """Who holds which lock in this org, by name."""
    with org.translated():
        rows = org.db.execute("SELECT name, holder, host, pid, at FROM orgsync_lease ORDER BY name").fetchall()
    return tuple(Lease(name=row[0], holder=row[1], host=row[2], pid=row[3], at=row[4]) for row in rows)


def _sign(name: str) -> str:
    """The name of what a living holder keeps beside the row."""
    return "held." + name.replace("/", ".")


@contextmanager
def _by_oneself(org: Org) -> Iterator[None]:
    """Rows and signs change together, while nobody else looks at them. Outside of a transaction. Raises StoreBusyError."""
    done = org.hold("leases", BUSY_SECONDS)
    if done is None:
        raise StoreBusyError("another program looks at the locks and does not end", where=org.label, hint="end it")
    try:
        yield
    finally:
        done()


def _is_gone(org: Org, held: Lease) -> bool:
    if held.host != socket.gethostname() or held.name in org.signs:
        return False
    free = org.hold(_sign(held.name), _LINGERS if held.dead else 0)
    if free is not None:
        free()
    return free is not None


def is_abandoned(org: Org, held: Lease) -> bool:
    """Whether a lock's holder is gone for sure."""
    with _by_oneself(org):
        return _is_gone(org, held)


def _try(org: Org, wanted: Lease) -> Lease | None:
    """Takes the lock and returns None, or returns who holds it. A lock whose holder is gone is taken over."""
    with _by_oneself(org):
        held = next((item for item in leases(org) if item.name == wanted.name), None)
        if held is not None and not _is_gone(org, held):
            return held
        with org.transaction() as db:
            db.execute(
                "INSERT INTO orgsync_lease (name, holder, host, pid, at) VALUES (?1, ?2, ?3, ?4, ?5)"
                " ON CONFLICT (name) DO UPDATE SET holder = ?2, host = ?3, pid = ?4, at = ?5",
                [wanted.name, wanted.holder, wanted.host, wanted.pid, wanted.at],
            )
        # None where somebody goes on whose lock was released by force.
        sign = org.hold(_sign(wanted.name), 0)
        if sign is not None:
            org.signs[wanted.name] = sign
    return None


def acquire(org: Org, name: str, holder: str, clock: Clock, wait_seconds: float = 0.0) -> Lease:
    """Takes the lock `name`, waiting for up to `wait_seconds`. Raises LockHeldError, which names its holder (REC-4)."""
    deadline = time.monotonic() + wait_seconds
    while True:
        mine = Lease(name=name, holder=holder, host=socket.gethostname(), pid=os.getpid(), at=iso(clock()))
        held = _try(org, mine)
        if held is None:
            return mine
        if time.monotonic() >= deadline:
            connection = name.split("/")[1] if "/" in name else name
            raise LockHeldError(
                f"{held.holder} holds the lock {name} (host {held.host}, process {held.pid}, since {held.at})",
                where=org.label,
                hint="wait for it with --lock-timeout, or, if that run is gone for good, run:"
                f" orgsync lock release {connection}",
            )
        time.sleep(_PAUSE)


def release(org: Org, name: str, only: Lease | None = None) -> bool:
    """Gives the lock `name` back, whoever holds it, or `only` where it is still that one. Returns whether it was held."""
    with _by_oneself(org):
        held = next((item for item in leases(org) if item.name == name), None)
        found = held is not None and only in (None, held)
        if found:
            with org.transaction() as db:
                db.execute("DELETE FROM orgsync_lease WHERE name = ?", [name])
        if sign := org.signs.pop(name, None):
            sign()
    return found


@contextmanager
def lease(org: Org, name: str, holder: str, clock: Clock, wait_seconds: float = 0.0) -> Iterator[Lease]:
    """Holds the lock `name` for a `with` block. Raises LockHeldError."""
    mine = acquire(org, name, holder, clock, wait_seconds)
    try:
        yield mine
    finally:
        release(org, name, mine)
