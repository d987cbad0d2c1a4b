"""Draining a backlog of one-row transactions between two PostgreSQL servers, beside the servers' own replication.

Both move the same number of updates of one column, of records that both sides have, from a backlog that was written
before. Native replication copies rows; ours translates Ids, merges the changes of a record, settles conflicts, sets bad
records apart, and keeps links and a log. Native replication moves them twice: in a plain table of thirteen columns, and in
one like the org's, which has as many columns, checks and indexes as the table that ours writes.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from functools import partial

import native
import report
import served

from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.postgres.local_server import LocalServer, local_server
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.sync.drain import drain

#: What is measured, and how much of native replication it is to reach.
WAYS = (
    ("native logical replication, a plain table", 0.0),
    ("native logical replication, a table like the org's", 0.0),
    ("drain, one worker", 0.7),
    ("drain --follow, two workers", 1.0),
)


def native_backlog(replica: native.Replica, run: int) -> float:
    """Seconds that native replication takes for a backlog of one update per row."""
    here, there = replica.sessions
    table, ids = replica.table, replica.ids
    with native.published(here, replica.servers[0]) as connection, native.subscribed(there, connection):
        there.execute("ALTER SUBSCRIPTION orgsync_bench DISABLE")
        resting = "SELECT NOT bool_or(active) FROM pg_replication_slots"
        native.wait_for(lambda: here.execute(resting).fetchone() == (True,))
        native.write_singles(
            here, len(ids), lambda n: f"UPDATE {table} SET \"Phone\" = 'x{run}' WHERE \"Id\" = '{ids[n]}'"
        )
        there.execute("ALTER SUBSCRIPTION orgsync_bench ENABLE")
        last = f"SELECT \"Phone\" = 'x{run}' FROM {table} WHERE \"Id\" = '{ids[-1]}'"
        return native.wait_for(lambda: there.execute(last).fetchone() == (True,))


def our_backlog(source: LocalServer, pair: Pair, ids: list[str], run: int) -> float:
    """Seconds that one drain takes for a backlog of one update per record."""
    _write(source, ids, f"x{run}")
    return report.timed(lambda: drain(pair, sides=(Side.PRIMARY,), clock=system_clock))


def shared_backlog(source: LocalServer, target: LocalServer, ids: tuple[list[str], list[str]], run: int) -> float:
    """Seconds that two following drains take for the same; they sleep while it is written. `ids` are those of each org."""
    with (
        served.folder_of(source, target) as folder,
        served.followers(folder, 2) as programs,
        native.session(target) as client,
    ):
        with served.asleep(programs):
            _write(source, ids[0], f"y{run}")
        return native.wait_for(partial(served.has_all, client, served.ACCOUNT, ids[1], f"y{run}"), pause=0.02)


def _write(source: LocalServer, ids: list[str], phone: str) -> None:
    with native.session(source) as client:
        native.write_singles(
            client, len(ids), lambda n: f"UPDATE {served.ACCOUNT} SET \"Phone\" = '{phone}' WHERE \"Id\" = '{ids[n]}'"
        )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    count = arguments.changes
    runs: list[tuple[float, ...]] = []
    with (
        local_server(settings=native.DURABLE) as source,
        local_server(settings=native.DURABLE) as target,
        served.in_step(source, target, count) as (pair, here, there),
    ):
        servers = (source, target)
        for run in range(arguments.runs):
            with native.plain(servers, count) as replica:
                plain = native_backlog(replica, run)
            with native.alike(servers, served.ACCOUNT) as replica:
                alike = native_backlog(replica, run)
            one = our_backlog(source, pair, here, run)
            runs.append((plain, alike, one, shared_backlog(source, target, (here, there), run)))
    rows: list[Sequence[object]] = []
    for place, (name, wanted) in enumerate(WAYS):
        seconds = statistics.median(run[place] for run in runs)
        rows.append((name, f"{count / seconds:,.0f}", *report.beside(runs, place, wanted)))
    report.table(
        f"Draining {count:,} one-row transactions between two PostgreSQL servers",
        ("what", "transactions/s", *report.BESIDE),
        rows,
    )


if __name__ == "__main__":
    main()
