"""PostgreSQL's own logical replication between the two servers of a benchmark: what ours is measured beside.

It is set up on a table of its own and taken down again: a plain one of the columns that the benchmark fills, with nothing
but a primary key, or one like the org's, with all of its columns, checks and indexes, and none of its triggers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import psycopg
from orgs import ACCOUNT_COLUMNS, account_rows

from orgsync_reconcile.stores.postgres.local_server import LocalServer

#: As a server is when nobody has set anything: commits wait for the disk.
DURABLE = {"fsync": "on", "max_wal_size": "8GB", "shared_buffers": "1GB", "max_logical_replication_workers": "8"}
_NUMBERS = ("AnnualRevenue", "NumberOfEmployees")
_COLUMNS = ", ".join(f'"{name}" {"numeric" if name in _NUMBERS else "text"}' for name in ACCOUNT_COLUMNS)
#: Where the tables lie, beside the org.
SCHEMA = "native"
_TABLE = f"{SCHEMA}.account"


@dataclass(frozen=True, kw_only=True)
class Replica:
    """A table that both servers have with the same rows; `ids` are theirs."""

    servers: Sequence[LocalServer]
    sessions: Sequence[psycopg.Connection]
    ids: Sequence[str]
    table: str = _TABLE


def session(server: LocalServer, database: str = "postgres") -> psycopg.Connection:
    """A session in autocommit mode."""
    return psycopg.connect(server.url.replace("/postgres", f"/{database}"), autocommit=True)


def record(number: int) -> str:
    """The Id of a row of the plain table."""
    return f"001abc{number:09x}AAA"


def fill(db: psycopg.Connection, count: int, *, table: str = _TABLE, ids: bool = True) -> None:
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
def _beside(servers: Sequence[LocalServer]) -> Iterator[list[psycopg.Connection]]:
    """Sessions of each server with an empty schema for the tables, dropped afterwards."""
    with ExitStack() as stack:
        sessions = [stack.enter_context(session(server)) for server in servers]
        for db in sessions:
            db.execute(f"CREATE SCHEMA {SCHEMA}")
            stack.callback(db.execute, f"DROP SCHEMA {SCHEMA} CASCADE")
        yield sessions


@contextmanager
def plain(servers: Sequence[LocalServer], count: int) -> Iterator[Replica]:
    """A plain table with so many rows on each server."""
    with _beside(servers) as sessions:
        for db in sessions:
            db.execute(f'CREATE TABLE {_TABLE} ("Id" text PRIMARY KEY, {_COLUMNS})')
            fill(db, count)
            db.execute(f"VACUUM ANALYZE {_TABLE}")
        yield Replica(servers=servers, sessions=sessions, ids=[record(number) for number in range(count)])


@contextmanager
def alike(servers: Sequence[LocalServer], org_table: str) -> Iterator[Replica]:
    """A table like that of the org, with the rows that it has on the first server, on each of them."""
    with _beside(servers) as sessions:
        first, second = sessions
        for db in sessions:
            copy_shape(db, org_table, _TABLE)
        columns = columns_of(first, org_table)
        first.execute(f"INSERT INTO {_TABLE} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {org_table}")
        pipe(first, second, _TABLE, _TABLE)
        for db in sessions:
            db.execute(f"VACUUM ANALYZE {_TABLE}")
        rows = first.execute(f'SELECT "Id" FROM {_TABLE} ORDER BY "Id"').fetchall()
        yield Replica(servers=servers, sessions=sessions, ids=[row[0] for row in rows])


def copy_shape(db: psycopg.Connection, org_table: str, table: str) -> None:
    """Makes an empty table with the columns, checks and indexes of the org's, that leaves the same room for updates."""
    options = db.execute("SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = %s::regclass", [org_table])
    (found,) = options.fetchone() or ("",)
    db.execute(f"CREATE TABLE {table} (LIKE {org_table} INCLUDING ALL) {f'WITH ({found})' if found else ''}")


def columns_of(db: psycopg.Connection, table: str, form: str = "quote_ident(attname)") -> str:
    """The columns that a table stores as they are given."""
    (found,) = db.execute(
        f"SELECT string_agg({form}, ', ' ORDER BY attnum) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
        [table],
    ).fetchone() or ("",)
    return str(found)


def pipe(source: psycopg.Connection, target: psycopg.Connection, table: str, into: str) -> None:
    """Copies a table from one server to another, in the servers' own form."""
    columns = columns_of(source, table)
    with (
        source.cursor() as reader,
        target.cursor() as writer,
        reader.copy(f"COPY {table} ({columns}) TO STDOUT (FORMAT BINARY)") as rows,
        writer.copy(f"COPY {into} ({columns}) FROM STDIN (FORMAT BINARY)") as sink,
    ):
        for block in rows:
            sink.write(block)


@contextmanager
def published(db: psycopg.Connection, server: LocalServer, *, tables: str = _TABLE) -> Iterator[str]:
    """A publication of the table, or of other ones; yields the words of a subscription to it."""
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
def both_ways(replica: Replica) -> Iterator[None]:
    """Native replication of the table in both directions: each side sends what was written there."""
    with ExitStack() as stack:
        ends = zip(replica.servers, replica.sessions, strict=True)
        found = [stack.enter_context(published(db, server)) for server, db in ends]
        for db, connection in zip(replica.sessions, reversed(found), strict=True):
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
