"""Two orgs and manifests in a folder, the program as a process that may be killed, and what must hold afterwards."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from orgsync_reconcile.cli.main import cli
from orgsync_reconcile.failpoints import VARIABLE

MANIFESTS = {
    "orgs": """\
version: 1
kind: Org
name: acme
store: sqlite:orgs/acme.db
admin: admin@acme.example
---
version: 1
kind: Org
name: acme-dr
store: sqlite:orgs/acme-dr.db
admin: admin@acme.example.dr
---
version: 1
kind: Connection
name: link
primary: acme
secondary: acme-dr
owner: admin@acme.example
contact: {first_name: Elise, last_name: Medina, email: elise@acme.example, account: Acme}
direction: two-way
""",
    "metadata": "version: 1\nkind: Metadata\nconnection: link\ninclude: [CustomObject, CustomField]\n",
    "account": "version: 1\nkind: Publication\nconnection: link\nobject: Account\nfields: all\n",
    "contact": "version: 1\nkind: Publication\nconnection: link\nobject: Contact\nfields: all\n",
}
STORES = ("acme", "acme-dr")
#: What is compared by plain SQL: every published object with its columns that hold no Ids.
COMPARED = {
    "Account": '"Name", "Phone", "Industry"',
    "Contact": '"LastName", "Phone", "Title"',
}


def connect(folder: Path, store: str) -> sqlite3.Connection:
    """Any other program that uses an org: a plain SQLite client with a busy timeout."""
    db = sqlite3.connect(folder / "orgs" / f"{store}.db", isolation_level=None, timeout=30)
    db.execute("PRAGMA synchronous = OFF")
    return db


def sql(folder: Path, store: str, statement: str, *values: object) -> list[Any]:
    """Runs one statement in an org's file; its rows."""
    db = connect(folder, store)
    try:
        return db.execute(statement, values).fetchall()
    finally:
        db.close()


def here(folder: Path, *args: str, codes: tuple[int, ...] = (0,)) -> str:
    """Runs the program within this process; its standard output."""
    done = CliRunner().invoke(cli, ["-C", str(folder), *args])
    assert done.exit_code in codes, (args, done.exit_code, done.output)
    return done.stdout


def command(folder: Path, *args: str) -> list[str]:
    """The words that start the program as a process of its own."""
    return [sys.executable, "-m", "orgsync_reconcile", "-C", str(folder), *args]


def killed_at(folder: Path, point: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Runs the program as a process with a fail point."""
    return subprocess.run(
        command(folder, *args),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, VARIABLE: point},
        check=False,
    )


def make_orgs(folder: Path) -> None:
    """Two orgs with manifests, users and a custom field in the primary; nothing is applied."""
    (folder / "manifests").mkdir(parents=True)
    for name, text in MANIFESTS.items():
        (folder / "manifests" / f"{name}.yaml").write_text(text)
    here(folder, "org", "create", "sqlite:orgs/acme.db", "--name", "acme")
    here(folder, "org", "create", "sqlite:orgs/acme-dr.db", "--name", "acme-dr", "--admin", "admin@acme.example.dr")
    project = folder / "project" / "objects" / "Account" / "fields"
    project.mkdir(parents=True)
    (project / "Region__c.field-meta.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?><CustomField xmlns="http://soap.sforce.com/2006/04/metadata">'
        "<fullName>Region__c</fullName><label>Region</label><length>40</length><type>Text</type></CustomField>"
    )
    here(folder, "org", "import", "sqlite:orgs/acme.db", str(folder / "project"))
    for name in ("boss", "worker"):
        sql(
            folder,
            "acme",
            'INSERT INTO "User" ("Username", "LastName", "Alias", "Email", "ProfileId", "IsActive")'
            f" SELECT '{name}@acme.example', '{name}', '{name}', '{name}@acme.example', \"ProfileId\", 1 FROM \"User\" LIMIT 1",
        )
    sql(
        folder,
        "acme",
        'UPDATE "User" SET "ManagerId" = (SELECT "Id" FROM "User" WHERE "LastName" = \'boss\') WHERE "LastName" = \'worker\'',
    )


def write_records(folder: Path, store: str, label: str, count: int) -> None:
    """Accounts with a contact each, in one transaction."""
    db = connect(folder, store)
    db.execute("BEGIN IMMEDIATE")
    for number in range(count):
        name = f"{label} {number}"
        db.execute('INSERT INTO "Account" ("Name", "Phone") VALUES (?, ?)', [name, str(number)])
        db.execute(
            'INSERT INTO "Contact" ("LastName", "AccountId") SELECT ?1, "Id" FROM "Account" WHERE "Name" = ?1', [name]
        )
    db.execute("COMMIT")
    db.close()


def edit(folder: Path, stores: Sequence[str] = STORES, label: str = "new") -> None:
    """Inserts in these orgs, and updates and deletes in the primary, all of them to be sent."""
    for store in stores:
        write_records(folder, store, f"{label} of {store}", 2)
    sql(folder, "acme", 'UPDATE "Account" SET "Phone" = \'+1\' WHERE "Name" = \'old 0\'')
    sql(folder, stores[-1], 'UPDATE "Contact" SET "Phone" = \'+2\' WHERE "LastName" = \'old 1\'')
    sql(folder, "acme", 'DELETE FROM "Account" WHERE "Name" = \'old 2\'')


def values(folder: Path, store: str) -> dict[str, list[Any]]:
    """Every live record of what is published, as values without Ids."""
    return {
        name: sorted(sql(folder, store, f'SELECT {columns} FROM "{name}" WHERE "IsDeleted" = 0'), key=repr)
        for name, columns in COMPARED.items()
    }


def assert_equal(folder: Path) -> None:
    """CNF-3, VER-1: both queues are empty, and the orgs agree by `verify` and by plain SQL; nothing is doubled."""
    assert json.loads(here(folder, "--format", "json", "queue", "list"))["items"] == []
    here(folder, "verify", "--detailed-exitcode")
    ours, theirs = (values(folder, store) for store in STORES)
    for name in COMPARED:
        assert ours[name] == theirs[name], (name, ours[name], theirs[name])
    for name, column in (("Account", "Name"), ("Contact", "LastName")):
        for store in STORES:
            assert sql(folder, store, f'SELECT "{column}" FROM "{name}" GROUP BY 1 HAVING count(*) > 1') == []
    links = [
        sorted(sql(folder, store, f"SELECT {columns} FROM orgsync_link WHERE status = 1"))
        for store, columns in zip(STORES, ("local, partner", "partner, local"), strict=True)
    ]
    assert links[0] == links[1]


def positions(folder: Path) -> list[Any]:
    """What changes with every write of a run: revisions, ends of the logs, newest links, records' versions."""
    return [
        sql(
            folder,
            store,
            "SELECT (SELECT revision FROM orgsync_org), (SELECT max(seq) FROM sqlite_sequence WHERE name = 'orgsync_change'),"
            ' (SELECT max(number) FROM orgsync_link), (SELECT max("SystemModstamp") FROM "Account"),'
            " (SELECT count(*) FROM orgsync_history), (SELECT count(*) FROM orgsync_journal)",
        )
        for store in STORES
    ]
