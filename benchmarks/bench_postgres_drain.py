"""Draining a backlog of one-row transactions between two PostgreSQL servers, beside the servers' own replication.

Both move the same number of updates of one column, of records that both sides have, from a backlog that was written
before. Native replication copies rows; ours translates Ids, merges the changes of a record, settles conflicts, sets bad
records apart, and keeps links and a log.
"""

from __future__ import annotations

import argparse
import statistics

import native
import report
import served

from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.postgres.local_server import LocalServer, local_server
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.sync.drain import drain

WANTED = 0.7


def native_backlog(source: LocalServer, target: LocalServer, count: int) -> float:
    """Seconds that native replication takes for a backlog of so many one-row updates."""
    with native.databases(source, target) as (here, there), native.published(here, source) as connection:
        for db in (here, there):
            native.fill(db, count)
            db.execute("VACUUM ANALYZE account")
        with native.subscribed(there, connection):
            there.execute("ALTER SUBSCRIPTION orgsync_bench DISABLE")
            resting = "SELECT NOT bool_or(active) FROM pg_replication_slots"
            native.wait_for(lambda: here.execute(resting).fetchone() == (True,))
            native.write_singles(
                here, count, lambda n: f"UPDATE account SET \"Phone\" = 'x{n}' WHERE \"Id\" = '{native.record(n)}'"
            )
            there.execute("ALTER SUBSCRIPTION orgsync_bench ENABLE")
            last = f"SELECT \"Phone\" = 'x{count - 1}' FROM account WHERE \"Id\" = '{native.record(count - 1)}'"
            return native.wait_for(lambda: there.execute(last).fetchone() == (True,))


def our_backlog(source: LocalServer, pair: Pair, ids: list[str], run: int) -> float:
    """Seconds that one drain takes for a backlog of one update per record."""
    with native.session(source) as client:
        client.execute(f"SET search_path TO {served.SCHEMA}")
        native.write_singles(
            client, len(ids), lambda n: f'UPDATE "Account" SET "Phone" = \'x{run}\' WHERE "Id" = \'{ids[n]}\''
        )
    return report.timed(lambda: drain(pair, sides=(Side.PRIMARY,), clock=system_clock))


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    count = arguments.changes
    pairs: list[tuple[float, float]] = []
    with (
        local_server(settings=native.DURABLE) as source,
        local_server(settings=native.DURABLE) as target,
        served.in_step(source, target, count) as (pair, ids, _),
    ):
        for run in range(arguments.runs):
            theirs = native_backlog(source, target, count)
            pairs.append((theirs, our_backlog(source, pair, ids, run)))
    ratio = report.median_ratio(pairs)
    theirs, ours = (statistics.median(times) for times in zip(*pairs, strict=True))
    report.table(
        f"Draining {count:,} one-row transactions between two PostgreSQL servers, one worker",
        ("what", "transactions/s", "of native", "wanted", ""),
        [
            ("native logical replication", f"{count / theirs:,.0f}", "1.00", "", ""),
            (
                "drain",
                f"{count / ours:,.0f}",
                f"{ratio:.2f}",
                f"≥ {WANTED}",
                report.verdict(ratio, WANTED, at_least=True),
            ),
        ],
    )


if __name__ == "__main__":
    main()
