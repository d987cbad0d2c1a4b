"""Verifying linked records against a full join comparison of the same columns, and by sums over ranges."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import orgs
import report

from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.flow import Flow, Pair
from orgsync_reconcile.sync.bulk import bulk_sync
from orgsync_reconcile.sync.verify import verify, verify_by_hashes


def full_join(pair: Pair) -> int:
    """How many linked Accounts are equal, by one join of both tables with every reference joined to its link."""
    flow = Flow(pair, Side.PRIMARY)
    path = flow.paths["Account"]
    joins, same = [], []
    for place, column in enumerate(path.columns):
        if column.reference:
            joins.append(
                f' LEFT JOIN main.orgsync_link AS l{place} ON l{place}.partner = s."{column.name}"'
                f" AND l{place}.connection = k.connection"
            )
            same.append(f't."{column.name}" IS l{place}.local')
        else:
            same.append(f's."{column.name}" IS t."{column.name}"')
    row = flow.db.execute(
        f'SELECT sum(s."IsDeleted" = t."IsDeleted" AND {" AND ".join(same)}) FROM main.orgsync_link AS k'
        ' JOIN partner."Account" AS s ON s."Id" = k.partner JOIN main."Account" AS t ON t."Id" = k.local'
        f"{''.join(joins)} WHERE k.connection = {flow.numbers[1]} AND k.status = 1"
    ).fetchone()
    return int(row[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "orgs"
        orgs.connected(folder)
        orgs.load(folder / "primary.db", options.accounts, 0)
        pair = orgs.pair(folder)
        bulk_sync(pair, source=Side.PRIMARY, cutoff=None, clock=system_clock)
        if full_join(pair) != options.accounts or not verify(pair, clock=system_clock).equal:
            raise SystemExit("the orgs differ after a bulk sync")
        pairs, sums = [], []
        for _ in range(options.runs):
            plain = report.timed(lambda: full_join(pair))
            pairs.append((plain, report.timed(lambda: verify(pair, clock=system_clock))))
        sums.append((pairs[-1][0], report.timed(lambda: verify_by_hashes(pair, clock=system_clock))))
    rows = [
        ("join", *report.rates(options.accounts, pairs, 0.8)),
        ("sums over ranges", *report.rates(options.accounts, sums, None)),
    ]
    report.table(
        f"Verifying {options.accounts:,} linked Accounts, every published field",
        ("how", *report.rate_columns("full join comparison")),
        rows,
    )


if __name__ == "__main__":
    main()
