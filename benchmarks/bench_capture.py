"""What change capture costs a plain SQL client: writes with capture against all other triggers alone."""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

import orgs
import report

Shape = Callable[[sqlite3.Connection, int], None]


def insert_set(db: sqlite3.Connection, count: int) -> None:
    columns = ", ".join(orgs.ACCOUNT_COLUMNS)
    db.execute("BEGIN")
    db.execute(
        f'INSERT INTO "Account" ({columns}) SELECT {columns} FROM "Account" ORDER BY orgsync_row LIMIT ?', [count]
    )
    db.execute("COMMIT")


def insert_many(db: sqlite3.Connection, count: int) -> None:
    marks = ", ".join("?" for _ in orgs.ACCOUNT_COLUMNS)
    db.execute("BEGIN")
    db.executemany(
        f'INSERT INTO "Account" ({", ".join(orgs.ACCOUNT_COLUMNS)}) VALUES ({marks})', orgs.account_rows(count)
    )
    db.execute("COMMIT")


def insert_single(db: sqlite3.Connection, count: int) -> None:
    marks = ", ".join("?" for _ in orgs.ACCOUNT_COLUMNS)
    statement = f'INSERT INTO "Account" ({", ".join(orgs.ACCOUNT_COLUMNS)}) VALUES ({marks})'
    for row in orgs.account_rows(count // 10):
        db.execute(statement, row)


def update_set(db: sqlite3.Connection, count: int) -> None:
    db.execute("BEGIN")
    db.execute(
        'UPDATE "Account" SET "Phone" = "Phone" || \'1\', "Industry" = \'Media!\' WHERE orgsync_row <= ?', [count]
    )
    db.execute("COMMIT")


def update_many(db: sqlite3.Connection, count: int) -> None:
    ids = [row[0] for row in db.execute('SELECT "Id" FROM "Account" ORDER BY orgsync_row LIMIT ?', [count])]
    db.execute("BEGIN")
    db.executemany(
        'UPDATE "Account" SET "Phone" = ?, "Website" = ? WHERE "Id" = ?',
        ((f"m{number}", f"w{number}", record) for number, record in enumerate(ids)),
    )
    db.execute("COMMIT")


def update_single(db: sqlite3.Connection, count: int) -> None:
    ids = [row[0] for row in db.execute('SELECT "Id" FROM "Account" ORDER BY orgsync_row LIMIT ?', [count // 10])]
    for number, record in enumerate(ids):
        db.execute(
            'UPDATE "Account" SET "Phone" = ?, "Website" = ? WHERE "Id" = ?', [f"s{number}", f"t{number}", record]
        )


#: (what, work, wanted ratio)
SHAPES: tuple[tuple[str, Shape, float], ...] = (
    ("insert, set statement", insert_set, 0.6),
    ("insert, executemany", insert_many, 0.4),
    ("insert, single-row transactions", insert_single, 0.5),
    ("update, set statement", update_set, 0.6),
    ("update, executemany", update_many, 0.4),
    ("update, single-row transactions", update_single, 0.5),
)


def run(source: Path, work: Shape, count: int, *, captured: bool) -> float:
    """Seconds of the work on a fresh copy of the org, with capture or without."""
    path = source.with_name("run.db")
    for stale in source.parent.glob("run.db*"):
        stale.unlink()
    orgs.copy_org(source, path)
    db = orgs.client(path)
    if not captured:
        for (name,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'orgsync!_Account!_capture%' ESCAPE '!'"
        ).fetchall():
            db.execute(f'DROP TRIGGER "{name}"')
    db.execute('SELECT count(*), max("Description") FROM "Account"').fetchall()
    seconds = report.timed(lambda: work(db, count))
    db.close()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "orgs"
        orgs.connected(folder)
        orgs.load(folder / "primary.db", options.records, 0)
        for what, work, wanted in SHAPES:
            pairs = [
                (
                    run(folder / "primary.db", work, options.records, captured=False),
                    run(folder / "primary.db", work, options.records, captured=True),
                )
                for _ in range(options.runs)
            ]
            ratio = report.median_ratio(pairs)
            rows.append((what, f"{ratio:.2f}", f"≥ {wanted}", report.verdict(ratio, wanted, at_least=True)))
    report.table(f"Writes with capture on ({options.records:,} records)", ("write", "ratio", "wanted", ""), rows)


if __name__ == "__main__":
    main()
