"""Bulk sync of 1,000,000 Accounts and 300,000 Contacts between two PostgreSQL servers, beside what the servers can do.

The limit is a psycopg COPY pipe of the same rows into plain tables with the same primary key and the same index on the
parent: nothing is minted, translated, checked or linked. Native logical replication makes its own first copy of the
same tables into the same plain tables; it copies two tables at a time.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import native
import orgs
import psycopg
import report
import served

from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.postgres.local_server import LocalServer, local_server
from orgsync_reconcile.sync.bulk import bulk_sync

WANTED = 0.35
TABLES = tuple(f'{served.SCHEMA}."{name}"' for name in orgs.OBJECTS)
_COLUMNS = (
    "SELECT string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)"
    " FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"
)


@contextmanager
def plain(source: psycopg.Connection, target: LocalServer) -> Iterator[psycopg.Connection]:
    """A session of a new database `native` with plain tables for the org's rows; dropped afterwards."""
    with native.session(target) as db:
        db.execute("CREATE DATABASE native")
    try:
        with native.session(target, "native") as db:
            db.execute(f"CREATE SCHEMA {served.SCHEMA}")
            for table in TABLES:
                (columns,) = source.execute(_COLUMNS, [table]).fetchone() or ("",)
                db.execute(f'CREATE TABLE {table} ({columns}, PRIMARY KEY ("Id"))')
            db.execute(f'CREATE INDEX ON {TABLES[1]} ("AccountId")')
            yield db
    finally:
        with native.session(target) as db:
            db.execute("DROP DATABASE native WITH (FORCE)")


def pipe(source: psycopg.Connection, target: psycopg.Connection) -> None:
    """Copies the tables one after the other, in the server's own form."""
    for table in TABLES:
        with (
            source.cursor() as reader,
            target.cursor() as writer,
            reader.copy(f"COPY {table} TO STDOUT (FORMAT BINARY)") as rows,
            writer.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as sink,
        ):
            for block in rows:
                sink.write(block)


def piped(source: LocalServer, target: LocalServer) -> float:
    """Seconds of the COPY pipe."""
    with native.session(source) as here, plain(here, target) as there:
        return report.timed(lambda: pipe(here, there))


def first_copy(source: LocalServer, target: LocalServer) -> float:
    """Seconds from subscribing until native replication has made its first copy."""
    ready = "SELECT count(*) = 2 FROM pg_subscription_rel WHERE srsubstate IN ('s', 'r')"
    with (
        native.session(source) as here,
        plain(here, target) as there,
        native.published(here, source, tables=", ".join(TABLES)) as connection,
    ):
        started = time.perf_counter()
        with native.subscribed(there, connection, options="copy_data = true"):
            native.wait_for(lambda: there.execute(ready).fetchone() == (True,), seconds=900)
            return time.perf_counter() - started


def ours(source: LocalServer, target: LocalServer, *, workers: int = 0) -> float:
    """Seconds of our bulk sync, in this process or by the command with workers. Raises SystemExit where not all arrived."""
    with (
        served.copied(source, target, "run"),
        served.folder_of(source, target, "run") as folder,
        served.opened(source, target, "run") as pair,
    ):
        if workers:
            command = served.command(folder, "bulk-sync", orgs.CONNECTION, "--workers", str(workers))
            seconds = report.timed(lambda: subprocess.run(command, check=True, capture_output=True))
        else:
            seconds = report.timed(lambda: bulk_sync(pair, source=Side.PRIMARY, cutoff=None, clock=system_clock))
        for table in TABLES:
            counts = {org.db.execute(f"SELECT count(*) FROM {table}").fetchone() for org in pair.orgs.values()}
            if len(counts) != 1:
                raise SystemExit(f"not all of {table} arrived: {counts}")
    return seconds


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--contacts", type=int, default=300_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    records = options.accounts + options.contacts
    ways: Sequence[tuple[str, Callable[[LocalServer, LocalServer], float]]] = (
        ("COPY pipe", piped),
        ("native replication's first copy", first_copy),
        ("bulk sync with links and lookups", ours),
        ("the same by two workers, with their start", partial(ours, workers=2)),
    )
    runs: list[list[float]] = []
    with local_server(settings=native.DURABLE) as source, local_server(settings=native.DURABLE) as target:
        with served.joined(source, target, options.accounts, options.contacts):
            pass
        for _ in range(options.runs):
            runs.append([way(source, target) for _, way in ways])
    rows: list[Sequence[object]] = []
    for place, (name, _) in enumerate(ways):
        seconds = statistics.median(run[place] for run in runs)
        ratio = report.median_ratio([(run[0], run[place]) for run in runs])
        wanted = (f"≥ {WANTED}", report.verdict(ratio, WANTED, at_least=True)) if place >= 2 else ("", "")
        rows.append((name, f"{seconds:.2f}", f"{records / seconds:,.0f}", f"{ratio:.2f}", *wanted))
    report.table(
        f"Bulk sync of {options.accounts:,} Accounts and {options.contacts:,} Contacts between two PostgreSQL servers",
        ("what", "seconds", "records/s", "ratio", "wanted", ""),
        rows,
    )


if __name__ == "__main__":
    main()
