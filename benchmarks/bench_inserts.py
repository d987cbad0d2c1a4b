"""Draining 100,000 inserts with their links against a plain INSERT … SELECT of the same records into the same tables.

Accounts come first, then Contacts that look up to those Accounts. The limit writes the real tables of a copy of the
secondary, with their constraints, triggers and indexes and the engine's mark on, in one transaction; it makes no links
and translates nothing.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import orgs
import report

from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.sync.drain import drain


def insert(path: Path, name: str, count: int) -> None:
    """Inserts records as any client would, so that they are captured."""
    db = orgs.client(path)
    db.execute("BEGIN IMMEDIATE")
    if name == "Account":
        marks = ", ".join("?" for _ in orgs.ACCOUNT_COLUMNS)
        db.executemany(
            f'INSERT INTO "Account" ({", ".join(orgs.ACCOUNT_COLUMNS)}) VALUES ({marks})', orgs.account_rows(count)
        )
    else:
        db.execute(
            'INSERT INTO "Contact" ("FirstName", "LastName", "Email", "Phone", "MailingCity", "Title", "AccountId")'
            " SELECT 'Robin', 'Person ' || orgsync_row, 'p' || orgsync_row || '@mail.example', \"Phone\","
            ' "BillingCity", \'Engineer\', "Id" FROM "Account" ORDER BY orgsync_row LIMIT ?',
            [count],
        )
    db.execute("COMMIT")
    db.close()


def plain_insert(folder: Path, name: str) -> float:
    """Seconds of INSERT … SELECT of one object into a copy of the secondary."""
    target = folder / "limit.db"
    for stale in folder.glob("limit.db*"):
        stale.unlink()
    orgs.copy_org(folder / "secondary.db", target)
    return orgs.plain_insert(folder / "primary.db", target, [name])


def drained(folder: Path, count: int) -> float:
    """Seconds of our drain of what was inserted. Raises SystemExit where not all of it arrived."""
    pair = orgs.pair(folder)
    moved = []
    seconds = report.timed(lambda: moved.extend(drain(pair, sides=(Side.PRIMARY,), clock=system_clock)))
    for org in pair.orgs.values():
        org.close()
    if sum(item.copied for item in moved) != count:
        raise SystemExit(f"not all of {count:,} records arrived: {moved}")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in orgs.OBJECTS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "orgs"
        for _ in range(options.runs):
            orgs.connected(folder)
            for name in orgs.OBJECTS:
                insert(folder / "primary.db", name, options.records)
                plain = plain_insert(folder, name)
                measured[name].append((plain, drained(folder, options.records)))
    rows = []
    for name, pairs in measured.items():
        title = name if name == "Account" else f"{name}, each with a lookup"
        rows.append((title, *report.rates(options.records, pairs, 0.3)))
    report.table(
        f"Draining {options.records:,} inserts with their links",
        ("records", *report.rate_columns("plain INSERT … SELECT")),
        rows,
    )


if __name__ == "__main__":
    main()
