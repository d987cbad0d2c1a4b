"""Two-way between two PostgreSQL servers, and the lag of single changes, beside native two-way replication.

One writer on each side commits transactions of one row, each of a record of its own, as fast as the server takes them:
the seconds are those until every change is on both sides. Native two-way is a pair of subscriptions with `origin = none`,
once of a plain table, and once of one like the org's, with its columns, checks and indexes.
The lag is what a client of the target sees: from the commit in the source until a query there finds the change, asked
for every few milliseconds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from itertools import count
from multiprocessing import get_context

import native
import psycopg
import report
import served

from orgsync_reconcile.stores.postgres.local_server import local_server

WANTED, LAG_MS = 0.8, 100
#: Seconds until the writers begin together.
_LEAD = 1.0
#: Changes that the observer asks for at once, and its pause, in seconds.
_WINDOW, _LOOK = 256, 0.002
#: A native and an own run have numbers of their own.
_RUNS = count()

#: Where something is written and read: the address, the table, the records.
Place = tuple[str, str, Sequence[str]]
#: What a run finds: the seconds until the writers' last commits, those until all was settled, the lags in seconds.
Found = tuple[float, float, Sequence[float]]


def write(place: Place, phone: str, start: float, rate: float) -> list[float]:
    """Changes each record in a transaction of its own, from `start` on; returns the moments of the commits.

    `rate` is the number of transactions a second; 0 for as many as there can be. Moments are of the monotonic clock.
    """
    url, table, ids = place
    moments = []
    with psycopg.connect(url, autocommit=True) as db:
        for number, record in enumerate(ids):
            wait = start + (number / rate if rate else 0.0) - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            db.execute(f"UPDATE {table} SET \"Phone\" = '{phone}' WHERE \"Id\" = '{record}'")
            moments.append(time.monotonic())
    return moments


def settled(pool: ProcessPoolExecutor, mine: Sequence[Place], theirs: Sequence[Place]) -> tuple[float, float]:
    """Both writers at once: (seconds until their last commit, until all is on both sides).

    `mine` are the places where each writes, `theirs` where that arrives.
    """
    phone = f"w{next(_RUNS)}"
    start = time.monotonic() + _LEAD
    writers = [pool.submit(write, place, phone, start, 0.0) for place in mine]
    for url, table, ids in theirs:
        with psycopg.connect(url, autocommit=True) as db:
            native.wait_for(partial(served.has_all, db, table, ids, phone), seconds=900, pause=0.02)
    end = time.monotonic()
    return max(writer.result()[-1] for writer in writers) - start, end - start


def lags(pool: ProcessPoolExecutor, mine: Place, theirs: Place, rate: float) -> list[float]:
    """Seconds from each commit until a client of the target sees it."""
    phone = f"l{next(_RUNS)}"
    url, table, ids = theirs
    seen: dict[str, float] = {}
    waiting = list(ids)
    with psycopg.connect(url, autocommit=True) as db:
        writer: Future[list[float]] = pool.submit(write, mine, phone, time.monotonic() + _LEAD, rate)
        end = time.monotonic() + _LEAD + len(ids) / rate + 60
        while waiting:
            if time.monotonic() > end:
                raise SystemExit(f"{len(waiting)} changes have not arrived")
            rows = db.execute(
                f'SELECT "Id" FROM {table} WHERE "Id" = ANY(%s) AND "Phone" = %s', [waiting[:_WINDOW], phone]
            ).fetchall()
            now = time.monotonic()
            seen |= {row[0]: now for row in rows}
            waiting = [record for record in waiting if record not in seen] if rows else waiting
            time.sleep(_LOOK)
    return [seen[record] - moment for record, moment in zip(ids, writer.result(), strict=True)]


class Ways:
    """Where a way of replicating has its records: those that each side writes, and where they arrive."""

    def __init__(self, urls: Sequence[str], table: str, ids: Sequence[Sequence[str]], count: int) -> None:
        #: Per side, the place where it writes; then where that arrives.
        self.mine = [(urls[side], table, ids[side][side * count : (side + 1) * count]) for side in range(2)]
        self.theirs = [(urls[1 - side], table, ids[1 - side][side * count : (side + 1) * count]) for side in range(2)]

    def some(self, number: int) -> tuple[Place, Place]:
        """The first so many of what the first side writes."""
        (url, table, ids), (there, _, others) = self.mine[0], self.theirs[0]
        return (url, table, ids[:number]), (there, table, others[:number])


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transactions", type=int, default=50_000, help="of each writer")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rate", type=float, default=500.0, help="transactions a second while the lag is measured")
    parser.add_argument("--lag-seconds", type=float, default=20.0)
    parser.add_argument("--workers", type=int, default=1, help="following drains")
    options = parser.parse_args()
    number = options.transactions
    changes = min(int(options.rate * options.lag_seconds), number)
    #: Per run, for each way in turn: the seconds of the writers, those until all was settled, the lags.
    runs: list[list[Found]] = []
    with (
        local_server(settings=native.DURABLE) as first,
        local_server(settings=native.DURABLE) as second,
        ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool,
        served.in_step(first, second, 2 * number) as (_, *ids),
        served.folder_of(first, second) as folder,
    ):
        servers = (first, second)
        ours = Ways([server.url for server in servers], served.ACCOUNT, ids, number)
        for _ in range(options.runs):
            found = []
            for kind in (native.plain(servers, 2 * number), native.alike(servers, served.ACCOUNT)):
                with kind as replica, native.both_ways(replica):
                    urls = [server.url for server in servers]
                    ways = Ways(urls, replica.table, [replica.ids, replica.ids], number)
                    found.append(_measure(pool, ways, changes, options.rate))
            with served.followers(folder, options.workers):
                found.append(_measure(pool, ours, changes, options.rate))
            runs.append(found)
    _print(number, options.rate, options.workers, runs)


def _measure(pool: ProcessPoolExecutor, ways: Ways, changes: int, rate: float) -> Found:
    return (*settled(pool, ways.mine, ways.theirs), lags(pool, *ways.some(changes), rate))


def _print(number: int, rate: float, workers: int, runs: Sequence[Sequence[Found]]) -> None:
    names = (
        "native, origin = none, a plain table",
        "native, origin = none, a table like the org's",
        f"drain --follow, {workers} worker{'s' if workers > 1 else ''}",
    )
    rows: list[Sequence[object]] = []
    lag_rows: list[Sequence[object]] = []
    took = [[seconds for _, seconds, _ in run] for run in runs]
    for place, name in enumerate(names):
        ours = place == len(names) - 1
        written, seconds = (statistics.median(run[place][part] for run in runs) for part in range(2))
        beside = report.beside(took, place, WANTED if ours else 0.0)
        rows.append((name, f"{written:.2f}", f"{seconds:.2f}", f"{2 * number / seconds:,.0f}", *beside))
        lag = [seconds for run in runs for seconds in run[place][2]]
        cuts = [cut * 1000 for cut in statistics.quantiles(lag, n=100)]
        wanted = (f"p99 < {LAG_MS}", report.verdict(cuts[98], LAG_MS, at_least=False)) if ours else ("", "")
        lag_rows.append((name, f"{cuts[49]:,.1f}", f"{cuts[98]:,.1f}", *wanted))
    report.table(
        f"2 × {number:,} single-row transactions, one writer in each of two PostgreSQL servers, all applied in both",
        ("what", "writers, s", "settled, s", "transactions/s", *report.BESIDE),
        rows,
    )
    report.table(
        f"Lag at {rate:,.0f} single-row transactions a second, as a client of the target sees it",
        ("what", "p50, ms", "p99, ms", "wanted", ""),
        lag_rows,
    )


if __name__ == "__main__":
    main()
