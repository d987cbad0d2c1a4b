"""What records, workers and changes cost on PostgreSQL: the figures that docs/scale.md reckons with.

Records a second of bulk sync, verify and drain, by how many records there are and how many workers; and the bytes of a
record, a link and a change: on disk with their indexes, in the servers' write-ahead logs, and on their way.
"""

from __future__ import annotations

import argparse
import os
import resource
from collections.abc import Sequence

import native
import psycopg
import report
import served
from bench_workers import Curve, commanded, drained, spent

from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.postgres.local_server import LocalServer, local_server
from orgsync_reconcile.sync.bulk import bulk_sync
from orgsync_reconcile.sync.drain import drain

JOBS = ("bulk-sync", "verify", "drain")


def curves(accounts: int, workers: Sequence[int]) -> dict[str, Curve]:
    """Job -> its curve over the workers, of so many records."""
    with local_server(settings=native.DURABLE) as source, local_server(settings=native.DURABLE) as target:
        servers = (source, target)
        found = {name: Curve(servers, accounts) for name in JOBS[:2]}
        commanded(found, servers, workers, accounts)
    with local_server(settings=native.DURABLE) as source, local_server(settings=native.DURABLE) as target:
        found["drain"] = Curve((source, target), accounts)
        drained(found["drain"], (source, target), workers, accounts)
    return found


def speeds(curve: Curve) -> dict[str, object]:
    """Workers -> records a second."""
    return {str(row[0]): row[2] for row in curve.rows}


def costs(curve: Curve, accounts: int) -> list[str]:
    """Microseconds of processor time for a record with one worker: source, target, worker."""
    (row,) = (row for row in curve.rows if row[0] == "1")
    return [f"{float(str(busy)) * float(str(row[1])) / accounts * 1e6:,.0f}" for busy in row[4:]]


class Footprint:
    """Bytes for each of so many records or changes."""

    def __init__(self, servers: Sequence[LocalServer], count: int) -> None:
        self._servers = servers
        self._count = count
        self.rows: list[tuple[object, ...]] = []

    def note(self, what: str, numbers: Sequence[int]) -> None:
        """Adds a row: of the source's server, and of the target's."""
        self.rows.append((what, *(f"{number / self._count:,.0f}" for number in numbers)))

    def tables(self, what: str, table: str) -> None:
        """Adds the rows of a table and of its indexes."""
        sizes = [_asked(server, f"pg_table_size('{table}'), pg_indexes_size('{table}')") for server in self._servers]
        self.note(what, [size[0] for size in sizes])
        self.note(f"{what}: indexes", [size[1] for size in sizes])

    def written(self) -> list[int]:
        """How much each server has written ahead since it began."""
        return [int(_asked(server, "pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")[0]) for server in self._servers]

    def since(self, what: str, before: Sequence[int]) -> None:
        """Adds a row of what the servers have written ahead since then."""
        self.note(what, [late - early for early, late in zip(before, self.written(), strict=True)])


def _asked(server: LocalServer, expressions: str) -> tuple[int, ...]:
    with native.session(server) as db:
        row = db.execute(f"SELECT {expressions}").fetchone()  # type: ignore[call-overload,unused-ignore]
        assert row is not None
        return tuple(row)


def footprint(count: int) -> tuple[list[tuple[object, ...]], float, float]:
    """(rows of bytes for each record or change, the peak memory of this process in MiB, what a change costs the source).

    The cost is in microseconds of processor time for a transaction of one row, with its capture.
    """
    with (
        local_server(settings=native.DURABLE) as source,
        local_server(settings=native.DURABLE) as target,
        served.joined(source, target, count) as pair,
    ):
        found = Footprint((source, target), count)
        with native.session(source) as db:
            before = found.written()
            bulk_sync(pair, source=Side.PRIMARY, cutoff=None, clock=system_clock)
            found.since("written ahead for a record of a bulk sync", before)
            for server in (source, target):
                with native.session(server) as client:
                    client.execute("VACUUM ANALYZE")
            found.tables("a record", served.ACCOUNT)
            found.tables("a link", f"{served.SCHEMA}.orgsync_link")
            found.note("a record on its way, all columns", [_as_sent(db), 0])
            ids = [row[0] for row in db.execute(f'SELECT "Id" FROM {served.ACCOUNT} ORDER BY orgsync_row')]
            before, busy = found.written(), spent(source.process)
            native.write_singles(
                db, count, lambda n: f"UPDATE {served.ACCOUNT} SET \"Phone\" = 'x' WHERE \"Id\" = '{ids[n]}'"
            )
            change = (spent(source.process) - busy) / count * 1e6
            found.since("written ahead for a change, with its capture", before)
            found.tables("a change in the log", f"{served.SCHEMA}.orgsync_change")
            before = found.written()
            drain(pair, sides=(Side.PRIMARY,), clock=system_clock)
            found.since("written ahead for a change that is drained", before)
    return found.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, change


def _as_sent(db: psycopg.Connection) -> int:
    """The bytes of all accounts as COPY sends them."""
    total = 0
    with db.cursor() as cursor, cursor.copy(f"COPY {served.ACCOUNT} TO STDOUT (FORMAT BINARY)") as copy:
        for block in copy:
            total += len(block)
    return total


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=[25_000, 100_000], help="sizes of the curves")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4], help="one of them must be 1")
    parser.add_argument("--footprint", type=int, default=50_000, help="records and changes whose bytes are counted")
    options = parser.parse_args()
    rows, memory, change = footprint(options.footprint)
    report.table(
        f"Bytes for each of {options.footprint:,} records or changes (peak memory of the process {memory:.0f} MiB)",
        ("what", "source", "target"),
        rows,
    )
    names = ["none", *map(str, options.workers)]
    by_workers: list[tuple[object, ...]] = []
    by_record: list[tuple[object, ...]] = [
        ("a transaction of one row, by a client", f"{options.footprint:,}", f"{change:,.0f}", "", "")
    ]
    for accounts in options.records:
        found = curves(accounts, options.workers)
        for job, curve in found.items():
            by_workers.append((job, f"{accounts:,}", *(speeds(curve).get(name, "") for name in names)))
            by_record.append((job, f"{accounts:,}", *costs(curve, accounts)))
    report.table(
        f"Records a second between two servers on this machine, {os.cpu_count()} cores",
        ("job", "records", "this process alone", *(f"{count} workers" for count in options.workers)),
        by_workers,
    )
    report.table(
        "Microseconds of processor time for a record, with one worker",
        ("job", "records", "source", "target", "worker"),
        by_record,
    )


if __name__ == "__main__":
    main()
