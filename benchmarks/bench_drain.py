"""Draining 100,000 updates from a backlog against a plain UPDATE … FROM of the same records and columns."""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path

import orgs
import report

from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.sync.bulk import bulk_sync
from orgsync_reconcile.sync.drain import drain


def change(path: Path, count: int, salt: int, *, scattered: bool) -> list[str]:
    """Changes `count` accounts: the same two columns of each, or one to three random columns."""
    db = orgs.client(path)
    ids = [row[0] for row in db.execute('SELECT "Id" FROM "Account" ORDER BY "Id" LIMIT ?', [count])]
    chance = random.Random(salt)
    db.execute("BEGIN IMMEDIATE")
    for number, record in enumerate(ids):
        names = chance.sample(orgs.ACCOUNT_COLUMNS, chance.randint(1, 3)) if scattered else ("Phone", "Industry")
        sets = ", ".join(f'"{name}" = ?' for name in names)
        db.execute(f'UPDATE "Account" SET {sets} WHERE "Id" = ?', [*(str(salt * 1000 + number) for _ in names), record])
    db.execute("COMMIT")
    db.close()
    return ids


def plain_update(pair: Pair, count: int, columns: tuple[str, ...]) -> float:
    """Seconds of one UPDATE … FROM through the links, with the engine's mark on and nothing else kept."""
    db = pair.orgs[Side.SECONDARY].db
    db.execute("DROP TABLE IF EXISTS temp.both")
    db.execute(
        "CREATE TEMP TABLE both AS SELECT local, partner FROM main.orgsync_link WHERE partner IN"
        ' (SELECT "Id" FROM partner."Account" ORDER BY "Id" LIMIT ?)',
        [count],
    )
    sets = ", ".join(f'"{name}" = s."{name}"' for name in columns)

    def work() -> None:
        db.execute("BEGIN IMMEDIATE")
        db.execute(
            "UPDATE main.orgsync_guard SET connection = 1,"
            " object = (SELECT number FROM main.orgsync_object WHERE name = 'Account')"
        )
        db.execute(
            f'UPDATE main."Account" AS t SET {sets}, "SystemModstamp" = \'2020-01-01T00:00:00.000Z\''
            ' FROM temp.both AS b CROSS JOIN partner."Account" AS s ON s."Id" = b.partner WHERE t."Id" = b.local'
        )
        db.execute("UPDATE main.orgsync_guard SET connection = NULL, object = NULL")
        db.execute("COMMIT")

    return report.timed(work)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--changes", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "orgs"
        orgs.connected(folder)
        orgs.load(folder / "primary.db", options.accounts, 0)
        pair = orgs.pair(folder)
        bulk_sync(pair, source=Side.PRIMARY, cutoff=None, clock=system_clock)
        for title, scattered in (("the same two columns", False), ("one to three random columns of twelve", True)):
            pairs = []
            for run in range(options.runs):
                change(folder / "primary.db", options.changes, run + 1 + 100 * scattered, scattered=scattered)
                ours = report.timed(lambda: drain(pair, sides=(Side.PRIMARY,), clock=system_clock))
                pairs.append((plain_update(pair, options.changes, ("Phone", "Industry")), ours))
            rows.append((title, *report.rates(options.changes, pairs, 0.5)))
    report.table(
        f"Draining {options.changes:,} updates among {options.accounts:,} linked Accounts",
        ("changes", *report.rate_columns("plain UPDATE … FROM")),
        rows,
    )


if __name__ == "__main__":
    main()
