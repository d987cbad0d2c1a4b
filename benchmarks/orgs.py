"""Connected orgs and generated records for the benchmarks; shapes as in docs/benchmarks.md."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import report

from orgsync_reconcile import catalog
from orgsync_reconcile.clock import iso, system_clock
from orgsync_reconcile.model.connection import ConnectionStatus, Side, SyncOptions
from orgsync_reconcile.model.schema import FieldDef
from orgsync_reconcile.stores.sql import connections, links, publications, subscriptions
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.stores.sqlite.create import create_org
from orgsync_reconcile.stores.sqlite.handle import open_org

CONNECTION = "bench"
OBJECTS = ("Account", "Contact")
#: The twelve Account columns that the generated records fill, about 250 bytes a record.
ACCOUNT_COLUMNS = (
    "Name",
    "Industry",
    "Phone",
    "BillingStreet",
    "BillingCity",
    "BillingState",
    "BillingPostalCode",
    "BillingCountry",
    "Website",
    "Description",
    "AnnualRevenue",
    "NumberOfEmployees",
)


_MANIFEST = """\
version: 1
kind: Org
name: primary
store: {stores[0]}
admin: {admins[0]}
---
version: 1
kind: Org
name: secondary
store: {stores[1]}
admin: {admins[1]}
---
version: 1
kind: Connection
name: {connection}
primary: primary
secondary: secondary
owner: {admins[0]}
contact: {{first_name: Elise, last_name: Medina, email: elise@acme.example, account: Acme}}
direction: two-way
"""


def account_rows(count: int) -> Iterator[tuple[object, ...]]:
    """Rows for ACCOUNT_COLUMNS."""
    for number in range(count):
        yield (
            f"Account {number:08d} Incorporated",
            ("Energy", "Banking", "Media", "Retail")[number % 4],
            f"+1 555 {number % 10_000_000:07d}",
            f"{number} Main Street, Building {number % 97}",
            ("Springfield", "Portland", "Salem")[number % 3],
            "IL",
            f"{number % 99_999:05d}",
            "United States",
            f"https://www.account{number}.example",
            "A description of about fifty characters, like many.",
            number * 1000,
            number % 5000,
        )


def client(path: Path) -> sqlite3.Connection:
    """Any other program that writes the org: a plain SQL client in autocommit mode."""
    db = sqlite3.connect(path, isolation_level=None, timeout=60)
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA cache_size = -65536")
    return db


def load(path: Path, accounts: int, contacts: int) -> None:
    """Fills an org with accounts, and with contacts of the first of them."""
    db = client(path)
    marks = ", ".join("?" for _ in ACCOUNT_COLUMNS)
    db.execute("BEGIN IMMEDIATE")
    db.executemany(f'INSERT INTO "Account" ({", ".join(ACCOUNT_COLUMNS)}) VALUES ({marks})', account_rows(accounts))
    if contacts:
        db.execute(
            'INSERT INTO "Contact" ("FirstName", "LastName", "Email", "Phone", "MailingCity", "Title", "AccountId")'
            " SELECT 'Robin', 'Person ' || orgsync_row, 'p' || orgsync_row || '@mail.example', \"Phone\", \"BillingCity\","
            ' \'Engineer\', "Id" FROM "Account" WHERE orgsync_row <= ?',
            [contacts],
        )
    db.execute("DELETE FROM orgsync_change")
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def link_accounts(folder: Path, accounts: int) -> None:
    """Fills both connected, empty orgs with the same accounts, linked and in step, by two statements an org.

    Only names are filled: for what depends on how many records there are, not on what stands in them.
    """
    with open_org(folder / "primary.db") as primary, open_org(folder / "secondary.db") as secondary:
        for org, partner, arrived in ((primary, secondary, 0), (secondary, primary, 1)):
            _fill_linked(org, partner, accounts, arrived=arrived)
        for org, partner in ((primary, secondary), (secondary, primary)):
            newest = partner.db.execute("SELECT max(number) FROM orgsync_link").fetchone()
            org.db.execute("UPDATE orgsync_outbox SET link = ?", newest)
            org.db.execute("UPDATE orgsync_inbox SET link = (SELECT max(number) FROM orgsync_link)")


def _fill_linked(org: Org, partner: Org, accounts: int, *, arrived: int) -> None:
    """The records of one org and their links; `arrived` says that they came from the partner."""
    number = "WITH RECURSIVE row (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row WHERE n < ?)"
    local, there = (org.db.dialect.mint("001", code, "n") for code in (org.code, partner.code))
    # Nothing is written twice; whoever opens the org next puts both back.
    org.db.execute("PRAGMA journal_mode = OFF")
    org.db.execute("PRAGMA synchronous = OFF")
    with org.transaction() as db:
        connection = connections.get_connection(org, CONNECTION).number
        with links.engine_write(org, connection, "Account"):
            db.execute(
                f'{number} INSERT INTO "Account" (orgsync_row, "Id", "Name", "CreatedById", "LastModifiedById")'
                f" SELECT n, {local}, printf('Account %08d Incorporated', n), ?, ? FROM row",
                [accounts, org.admin_id, org.admin_id],
            )
        db.execute(
            f"{number} INSERT INTO orgsync_link (connection, object, local, partner, made_here, since)"
            f" SELECT ?, ?, {local}, {there}, ?, 0 FROM row",
            [accounts, connection, links.object_number(org, "Account"), arrived],
        )


def _published(org: Org, name: str) -> list[FieldDef]:
    reachable = {*OBJECTS, "User", "Group", "RecordType"}
    return [
        field
        for field in Objects(org)[name].fields.values()
        if catalog.unpublishable_field(field) is None
        and (not field.is_reference or bool(set(field.reference_to) & reachable))
    ]


def connect(org: Org, side: Side, *, partner_org_id: str, partner_name: str) -> None:
    """Makes one end of the connection; the other need not be there."""
    connections.create_connection(
        org,
        CONNECTION,
        side,
        partner_org_id=partner_org_id,
        partner_name=partner_name,
        owner_id=org.admin_id,
        contact_id=None,
        options=SyncOptions(users_primary=False, users_secondary=False),
        status=ConnectionStatus.ACCEPTED,
        actor="bench",
        clock=system_clock,
    )


def _offer(org: Org, side: Side, partner: Org) -> None:
    connect(org, side, partner_org_id=partner.org_id, partner_name=partner.name)
    since = iso(datetime.now(UTC))
    for name in OBJECTS:
        fields = _published(org, name)
        publications.publish_object(
            org, CONNECTION, name, [field.name for field in fields], actor="bench", clock=system_clock
        )
        subscriptions.subscribe_object(
            org,
            CONNECTION,
            name,
            {field.name: field.shape for field in fields},
            since_seq=0,
            since=since,
            actor="bench",
            clock=system_clock,
        )


def connected(folder: Path) -> None:
    """Makes primary.db and secondary.db in the folder, connected two-way over OBJECTS with all their fields."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with (
        create_org(folder / "primary.db", NewOrg(name="primary")) as primary,
        create_org(folder / "secondary.db", NewOrg(name="secondary")) as secondary,
    ):
        join(primary, secondary)


def join(primary: Org, secondary: Org) -> Pair:
    """Connects two new orgs two-way over OBJECTS with all their fields."""
    _offer(primary, Side.PRIMARY, secondary)
    _offer(secondary, Side.SECONDARY, primary)
    for org, partner in ((primary, secondary), (secondary, primary)):
        with org.transaction():
            number = connections.get_connection(org, CONNECTION).number
            links.add_link(org, number, "User", org.admin_id, partner.admin_id, made_here=False, since_ms=0)
    return Pair(primary, secondary, CONNECTION)


def pair(folder: Path) -> Pair:
    """Opens the two orgs of a folder."""
    return Pair(open_org(folder / "primary.db"), open_org(folder / "secondary.db"), CONNECTION)


def write_manifests(folder: Path, pair: Pair, stores: tuple[str, str]) -> None:
    """Writes the manifests that name two connected orgs by their stores, for commands that are run in the folder."""
    admins = [
        org.db.execute('SELECT "Username" FROM "User" WHERE "Id" = ?', [org.admin_id]).fetchone()[0]
        for org in pair.orgs.values()
    ]
    (folder / "manifests").mkdir(exist_ok=True)
    text = _MANIFEST.format(stores=stores, admins=admins, connection=CONNECTION)
    (folder / "manifests" / "connection.yaml").write_text(text)


def copy_org(source: Path, target: Path) -> None:
    """Copies a closed org file, for a second run from the same state."""
    db = sqlite3.connect(source)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    shutil.copyfile(source, target)


def stored_columns(db: sqlite3.Connection, table: str) -> Sequence[str]:
    """The table's real columns: no generated ones."""
    return [row[1] for row in db.execute(f'PRAGMA main.table_xinfo("{table}")') if row[6] == 0]


def plain_insert(source: Path, target: Path, names: Sequence[str]) -> float:
    """Seconds of INSERT … SELECT of these objects' records into the real tables of another org's file."""
    db = client(target)
    db.execute("ATTACH ? AS source", [str(source)])

    def work() -> None:
        db.execute("BEGIN IMMEDIATE")
        for name in names:
            columns = ", ".join(f'"{column}"' for column in stored_columns(db, name))
            db.execute(
                "UPDATE main.orgsync_guard SET connection = 1,"
                " object = (SELECT number FROM main.orgsync_object WHERE name = ?)",
                [name],
            )
            db.execute(f'INSERT INTO main."{name}" ({columns}) SELECT {columns} FROM source."{name}"')
        db.execute("UPDATE main.orgsync_guard SET connection = NULL, object = NULL")
        db.execute("COMMIT")

    seconds = report.timed(work)
    db.close()
    return seconds
