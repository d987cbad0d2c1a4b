"""Bulk sync of 1,000,000 Accounts and 300,000 Contacts against the copy that SQLite itself can do.

The limit is a column-listed INSERT … SELECT of the same records into the same real tables, with their constraints and
triggers and the engine's mark on, in one transaction. The bare copy goes into tables without triggers or constraints.
Peak memory is that of a whole process that syncs 100,000 and 1,000,000 records.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import orgs
import report

from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.sync.bulk import bulk_sync


def bulk(folder: Path) -> float:
    """Seconds of our bulk sync."""
    pair = orgs.pair(folder)
    seconds = report.timed(lambda: bulk_sync(pair, source=Side.PRIMARY, cutoff=None, clock=system_clock))
    for org in pair.orgs.values():
        org.close()
    return seconds


def bare_copy(folder: Path, target: Path) -> float:
    """Seconds of INSERT … SELECT into tables without triggers, constraints and indexes but the Id's."""
    db = orgs.client(target)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("ATTACH ? AS source", [str(folder / "primary.db")])
    columns: dict[str, str] = {}
    for name in orgs.OBJECTS:
        names = [
            row[1]
            for row in db.execute(f'PRAGMA source.table_xinfo("{name}")')
            if row[6] == 0 and row[1] != "orgsync_row"
        ]
        columns[name] = ", ".join(f'"{item}"' for item in names)
        db.execute(f'CREATE TABLE main."{name}" ({columns[name]}, UNIQUE ("Id"))')

    def work() -> None:
        db.execute("BEGIN IMMEDIATE")
        for name, listed in columns.items():
            db.execute(f'INSERT INTO main."{name}" ({listed}) SELECT {listed} FROM source."{name}"')
        db.execute("COMMIT")

    seconds = report.timed(work)
    db.close()
    return seconds


def restore(folder: Path) -> None:
    """Puts both orgs back to where the bulk sync starts, and removes what other runs left."""
    for stale in (*folder.glob("*-wal"), *folder.glob("*-shm"), *folder.glob("limit*"), *folder.glob("bare*")):
        stale.unlink()
    orgs.copy_org(folder / "empty.db", folder / "secondary.db")
    orgs.copy_org(folder / "full.db", folder / "primary.db")


def peak_memory(folder: Path) -> float:
    """Peak memory in MiB of a process that runs the bulk sync of the folder."""
    code = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[2]);"
        "import bench_bulk; bench_bulk.bulk(pathlib.Path(sys.argv[1])); bench_bulk.print_peak()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(Path(__file__).parent)],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def print_peak() -> None:
    """Prints this process's peak memory in MiB."""
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--contacts", type=int, default=300_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    records = options.accounts + options.contacts
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "orgs"
        orgs.connected(folder)
        orgs.load(folder / "primary.db", options.accounts, options.contacts)
        orgs.copy_org(folder / "secondary.db", folder / "empty.db")
        orgs.copy_org(folder / "primary.db", folder / "full.db")
        pairs: list[tuple[float, float]] = []
        bare: list[float] = []
        for _ in range(options.runs):
            restore(folder)
            orgs.copy_org(folder / "empty.db", folder / "limit.db")
            bare.append(bare_copy(folder, folder / "bare.db"))
            pairs.append((orgs.plain_insert(folder / "primary.db", folder / "limit.db", orgs.OBJECTS), bulk(folder)))
        ours = sorted(item[1] for item in pairs)[len(pairs) // 2]
        limit = sorted(item[0] for item in pairs)[len(pairs) // 2]
        ratio = report.median_ratio(pairs)
        report.table(
            f"Bulk sync of {options.accounts:,} Accounts and {options.contacts:,} Contacts",
            ("what", "seconds", "records/s", "ratio", "wanted", ""),
            [
                ("bulk sync with links and lookups", f"{ours:.2f}", f"{records / ours:,.0f}", f"{ratio:.2f}", "≥ 0.5",
                 report.verdict(ratio, 0.5, at_least=True)),
                ("INSERT … SELECT into the real tables", f"{limit:.2f}", f"{records / limit:,.0f}", "1", "", ""),
                ("bare copy", f"{min(bare):.2f}", f"{records / min(bare):,.0f}", f"{limit / min(bare):.2f}", "", ""),
            ],
        )  # fmt: skip
        small = Path(name) / "small"
        orgs.connected(small)
        orgs.load(small / "primary.db", 100_000, 0)
        restore(folder)
        low, high = peak_memory(small), peak_memory(folder)
        report.table(
            "Peak memory of a bulk sync",
            ("records", "MiB", "ratio", "wanted", ""),
            [
                ("100,000", f"{low:.0f}", "1", "", ""),
                (f"{records:,}", f"{high:.0f}", f"{high / low:.2f}", "≤ 1.3",
                 report.verdict(high / low, 1.3, at_least=False)),
            ],
        )  # fmt: skip


if __name__ == "__main__":
    main()
