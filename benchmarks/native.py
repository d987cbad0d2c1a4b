"""PostgreSQL's own logical replication between the two servers of a benchmark: what ours is measured beside.

It is set up on a plain table of the shape that the orgs' records have, and taken down again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

import psycopg
from orgs import ACCOUNT_COLUMNS, account_rows

from orgsync_reconcile.stores.postgres.local_server import LocalServer

#: As a server is when nobody has set anything: commits wait for the disk.
DURABLE = {"fsync": "on", "max_wal_size": "8GB", "shared_buffers": "1GB", "max_logical_replication_workers": "8"}
_NUMBERS = ("AnnualRevenue", "NumberOfEmployees")
_COLUMNS = ", ".join(f'"{name}" {"numeric" if name in _NUMBERS else "text"}' for name in ACCOUNT_COLUMNS)
TABLE = f'CREATE TABLE account ("Id" text PRIMARY KEY, {_COLUMNS})'


def session(server: LocalServer, database: str = "postgres") -> psycopg.Connection:
    """A session in autocommit mode."""
    return psycopg.connect(server.url.replace("/postgres", f"/{database}"), autocommit=True)


def record(number: int) -> str:
    """The Id of a row of the plain table."""
    return f"001abc{number:09x}AAA"


def fill(db: psycopg.Connection, count: int, *, table: str = "account", ids: bool = True) -> None:
    """Fills the plain table, or an org's."""
    names = ", ".join(f'"{name}"' for name in (["Id"] if ids else []) + list(ACCOUNT_COLUMNS))
    with db.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for number, row in enumerate(account_rows(count)):
            copy.write_row((record(number), *row) if ids else row)


def write_singles(db: psycopg.Connection, count: int, change: Callable[[int], str]) -> float:
    """Runs so many one-row transactions as fast as the session takes them; returns the seconds."""
    db.execute("SET synchronous_commit = off")
    started = time.perf_counter()
    for number in range(count):
        db.execute(change(number))
    return time.perf_counter() - started


@contextmanager
def databases(*servers: LocalServer) -> Iterator[list[psycopg.Connection]]:
    """Sessions of a new database `native` with the plain table on each server; dropped afterwards."""
    made: list[LocalServer] = []
    try:
        with ExitStack() as stack:
            found = []
            for server in servers:
                with session(server) as db:
                    db.execute("CREATE DATABASE native")
                made.append(server)
                found.append(stack.enter_context(session(server, "native")))
                found[-1].execute(TABLE)
            yield found
    finally:
        for server in made:
            with session(server) as db:
                db.execute("DROP DATABASE native WITH (FORCE)")


@contextmanager
def published(db: psycopg.Connection, server: LocalServer, *, tables: str = "account") -> Iterator[str]:
    """A publication of the plain table, or of other ones; yields the words of a subscription to it."""
    db.execute(f"CREATE PUBLICATION orgsync_bench FOR TABLE {tables}")
    try:
        yield (
            f"CONNECTION 'host=127.0.0.1 port={server.port} user=orgsync dbname={db.info.dbname}'"
            " PUBLICATION orgsync_bench"
        )
    finally:
        with suppress(psycopg.Error):
            db.execute("DROP PUBLICATION orgsync_bench")


@contextmanager
def subscribed(
    db: psycopg.Connection, connection: str, *, options: str = "copy_data = false", name: str = "orgsync_bench"
) -> Iterator[None]:
    """A subscription to that publication, under way."""
    db.execute(f"CREATE SUBSCRIPTION {name} {connection} WITH ({options})")
    try:
        yield
    finally:
        db.execute(f"DROP SUBSCRIPTION {name}")


@contextmanager
def both_ways(servers: Sequence[LocalServer], sessions: Sequence[psycopg.Connection]) -> Iterator[None]:
    """Native replication of the plain table in both directions: each side sends what was written there."""
    with ExitStack() as stack:
        found = [stack.enter_context(published(db, server)) for server, db in zip(servers, sessions, strict=True)]
        for db, connection in zip(sessions, reversed(found), strict=True):
            stack.enter_context(subscribed(db, connection, options="copy_data = false, origin = none"))
        yield


def wait_for(done: Callable[[], bool], seconds: float = 300.0, *, pause: float = 0.002) -> float:
    """Waits until something is so, asked again after each `pause`; returns the seconds. Raises TimeoutError."""
    started = time.perf_counter()
    while not done():
        if time.perf_counter() - started > seconds:
            raise TimeoutError("the replication did not catch up")
        time.sleep(pause)
    return time.perf_counter() - started
