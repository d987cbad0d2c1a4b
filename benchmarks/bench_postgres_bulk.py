"""Bulk sync of 1,000,000 Accounts and 300,000 Contacts between two PostgreSQL servers, beside what the servers can do.

The limit is a psycopg COPY pipe of the same rows, once into plain tables with the same primary key and the same index on
the parent, once into tables with the columns, checks and indexes of the org's: nothing is minted, translated or linked.
Native logical replication makes its own first copy of the same tables into both; it copies two tables at a time.
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
_ASIDE = "aside"
TABLES = tuple(f'{served.SCHEMA}."{name}"' for name in orgs.OBJECTS)
#: Makes the empty tables of the org's names in a session of the target, as the session of the source has them.
Maker = Callable[[psycopg.Connection, psycopg.Connection], None]


def plain(source: psycopg.Connection, target: psycopg.Connection) -> None:
    """Tables of the same columns with a primary key, and an index on the parent."""
    for table in TABLES:
        columns = native.columns_of(source, table, "quote_ident(attname) || ' ' || format_type(atttypid, atttypmod)")
        target.execute(f'CREATE TABLE {table} ({columns}, PRIMARY KEY ("Id"))')
    target.execute(f'CREATE INDEX ON {TABLES[1]} ("AccountId")')


def alike(_: psycopg.Connection, target: psycopg.Connection) -> None:
    """Tables with the columns, checks and indexes of the target's own, which lie under another name meanwhile."""
    for table, name in zip(TABLES, orgs.OBJECTS, strict=True):
        native.copy_shape(target, f'{_ASIDE}."{name}"', table)


@contextmanager
def tables(
    source: LocalServer, target: LocalServer, make: Maker
) -> Iterator[tuple[psycopg.Connection, psycopg.Connection]]:
    """Sessions of the source and of a copy of the target that has empty tables in the place of its org; dropped afterwards."""
    with (
        served.copied(source, target, "native"),
        native.session(source, "native") as here,
        native.session(target, "native") as there,
    ):
        there.execute(f"ALTER SCHEMA {served.SCHEMA} RENAME TO {_ASIDE}")
        there.execute(f"CREATE SCHEMA {served.SCHEMA}")
        make(here, there)
        yield here, there


def piped(make: Maker, source: LocalServer, target: LocalServer) -> float:
    """Seconds of the COPY pipe, one table after the other."""
    with tables(source, target, make) as (here, there):
        return report.timed(lambda: [native.pipe(here, there, table, table) for table in TABLES])


def first_copy(make: Maker, source: LocalServer, target: LocalServer) -> float:
    """Seconds from subscribing until native replication has made its first copy."""
    ready = "SELECT count(*) = 2 FROM pg_subscription_rel WHERE srsubstate IN ('s', 'r')"
    with (
        tables(source, target, make) as (here, there),
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
        ("COPY pipe into plain tables", partial(piped, plain)),
        ("COPY pipe into tables like the org's", partial(piped, alike)),
        ("native replication's first copy, plain tables", partial(first_copy, plain)),
        ("native replication's first copy, tables like the org's", partial(first_copy, alike)),
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
        beside = report.beside(runs, place, WANTED if place >= len(ways) - 2 else 0.0)
        rows.append((name, f"{seconds:.2f}", f"{records / seconds:,.0f}", *beside))
    report.table(
        f"Bulk sync of {options.accounts:,} Accounts and {options.contacts:,} Contacts between two PostgreSQL servers",
        ("what", "seconds", "records/s", *report.BESIDE),
        rows,
    )


if __name__ == "__main__":
    main()
