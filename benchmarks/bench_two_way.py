"""A mixed load of single-row transactions in both orgs at once while `drain --follow` runs in its own process.

Settled is when both orgs have all of each other's log; the limit is the time that the writers of the same run take
until their last commit. For comparison the writers also run alone, on copies of the same files. The
lag of a change is the time from its commit until the other org's committed watermark has passed it, both as a third
process sees them.
"""

from __future__ import annotations

import argparse
import bisect
import multiprocessing
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orgs
import report

from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.sync.bulk import bulk_sync
from orgsync_reconcile.sync.verify import verify

NAMES = ("primary", "secondary")
#: Seconds between two looks at both orgs.
LOOK = 0.01
#: Longer than any sound run settles, in seconds.
PATIENCE = 600


def write(path: Path, count: int, seed: int) -> None:
    """`count` transactions: seven in ten update one to three columns of a random record, the others insert one."""
    db = orgs.client(path)
    chance = random.Random(seed)
    ids = [row[0] for row in db.execute('SELECT "Id" FROM "Account" ORDER BY "Id"')]
    rows = orgs.account_rows(count)
    marks = ", ".join("?" for _ in orgs.ACCOUNT_COLUMNS)
    insert = f'INSERT INTO "Account" ({", ".join(orgs.ACCOUNT_COLUMNS)}) VALUES ({marks})'
    for number in range(count):
        if chance.random() < 0.3:
            db.execute(insert, next(rows))
            continue
        names = chance.sample(orgs.ACCOUNT_COLUMNS[:10], chance.randint(1, 3))
        sets = ", ".join(f'"{name}" = ?' for name in names)
        db.execute(
            f'UPDATE "Account" SET {sets} WHERE "Id" = ?', [*(f"{seed}{number}" for _ in names), chance.choice(ids)]
        )
    db.close()


def writers(folder: Path, count: int, seed: int) -> list[multiprocessing.Process]:
    """One writing process per org, started."""
    started = [
        multiprocessing.Process(target=write, args=(folder / f"{name}.db", count, seed + place))
        for place, name in enumerate(NAMES)
    ]
    for process in started:
        process.start()
    return started


class Watch:
    """The two logs as a third process sees them: how far each is written, and how far the other org has it."""

    def __init__(self, folder: Path) -> None:
        self.orgs = [
            sqlite3.connect(f"{(folder / f'{name}.db').as_uri()}?mode=ro", uri=True, timeout=60) for name in NAMES
        ]
        #: Per direction, (moment, position) whenever a position has moved.
        self.written: list[list[tuple[float, int]]] = [[], []]
        self.arrived: list[list[tuple[float, int]]] = [[], []]

    def look(self) -> bool:
        """Notes the positions; whether each org has all of the other's log."""
        level = True
        for place, org in enumerate(self.orgs):
            (arrived,) = self.orgs[1 - place].execute("SELECT seq FROM orgsync_inbox").fetchone()
            row = org.execute("SELECT seq FROM sqlite_sequence WHERE name = 'orgsync_change'").fetchone()
            written = row[0] if row else 0
            level = level and arrived >= written
            for seen, position in ((self.written[place], written), (self.arrived[place], arrived)):
                if not seen or seen[-1][1] < position:
                    seen.append((time.monotonic(), position))
        return level

    def lags(self) -> list[float]:
        """Seconds from write to arrival, of a thousand changes of each direction."""
        found = []
        for written, arrived in zip(self.written, self.arrived, strict=True):
            low, high = written[0][1], written[-1][1]
            for position in range(low + 1, high + 1, max((high - low) // 1000, 1)):
                moments = [
                    seen[bisect.bisect_left(seen, position, key=lambda item: item[1])][0] for seen in (written, arrived)
                ]
                found.append(max(moments[1] - moments[0], 0.0))
        return found

    def close(self) -> None:
        """Ends both connections."""
        for org in self.orgs:
            org.close()


def followed(folder: Path, count: int, seed: int) -> tuple[float, float, list[float]]:
    """(seconds until the writers end, until all has settled, lags) with the drain following. Raises SystemExit where it never settles."""
    program = subprocess.Popen(
        [sys.executable, "-m", "orgsync_reconcile", "-C", str(folder), "drain", orgs.CONNECTION, "--follow"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stderr is not None
    program.stderr.readline()  # It says that it follows.
    watch = Watch(folder)
    start = time.monotonic()
    running = writers(folder, count, seed)
    written = 0.0
    try:
        while not watch.look() or not written:
            if not written and not any(process.is_alive() for process in running):
                written = time.monotonic() - start
            if program.poll() is not None or time.monotonic() - start > PATIENCE:
                raise SystemExit(f"it does not settle: {program.stderr.read() if program.poll() is not None else ''}")
            time.sleep(LOOK)
        seconds = time.monotonic() - start
    finally:
        program.terminate()
        program.communicate()
        for process in running:
            process.join()
        watch.close()
    return written, seconds, watch.lags()


def alone(folder: Path, count: int, seed: int) -> float:
    """Seconds of the writers without anybody else."""
    start = time.monotonic()
    for process in writers(folder, count, seed):
        process.join()
    return time.monotonic() - start


def prepare(folder: Path, accounts: int) -> None:
    """Two connected orgs with linked accounts, and the manifests that name them."""
    orgs.connected(folder)
    orgs.load(folder / "primary.db", accounts, 0)
    pair = orgs.pair(folder)
    bulk_sync(pair, source=Side.PRIMARY, cutoff=None, clock=system_clock)
    orgs.write_manifests(folder, pair, ("sqlite:primary.db", "sqlite:secondary.db"))
    for org in pair.orgs.values():
        org.close()
    for name in NAMES:
        orgs.copy_org(folder / f"{name}.db", folder / f"{name}-start.db")


def restore(folder: Path) -> None:
    """Both orgs as they were before the writers."""
    for name in NAMES:
        for stale in folder.glob(f"{name}.db*"):
            stale.unlink()
        orgs.copy_org(folder / f"{name}-start.db", folder / f"{name}.db")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--transactions", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    runs: list[tuple[float, float, float]] = []
    lags: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "orgs"
        prepare(folder, options.accounts)
        for run in range(options.runs):
            restore(folder)
            single = alone(folder, options.transactions, run * 10)
            restore(folder)
            written, settled, found = followed(folder, options.transactions, run * 10)
            runs.append((single, written, settled))
            lags.extend(found)
        pair = orgs.pair(folder)
        if not verify(pair, clock=system_clock).equal:
            raise SystemExit("the orgs differ after they settled")
        for org in pair.orgs.values():
            org.close()
    ratio = statistics.median(settled / written for _, written, settled in runs)
    beside = statistics.median(settled / single for single, _, settled in runs)
    single, written, settled = (statistics.median(item[place] for item in runs) for place in range(3))
    cuts = statistics.quantiles(lags, n=100)
    report.table(
        f"2 × {options.transactions:,} single-row transactions in both orgs while a drain follows",
        ("writers, s", "settled, s", "ratio", "wanted", "", "writers alone, s", "to that", "lag p50, ms", "lag p99, ms"),
        [
            (f"{written:.2f}", f"{settled:.2f}", f"{ratio:.2f}", "≤ 1.2", report.verdict(ratio, 1.2, at_least=False),
             f"{single:.2f}", f"{beside:.2f}", f"{cuts[49] * 1000:,.0f}", f"{cuts[98] * 1000:,.0f}")
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()
