"""Two connected orgs with sync logs that any SQL client could have written, and what the reports make of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from orgsync_reconcile.cli.main import cli

NOW = "2026-03-10T12:00:00Z"
MANIFESTS = """\
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
name: acme-link
primary: acme
secondary: acme-dr
owner: admin@acme.example
contact: {first_name: Elise, last_name: Medina, email: elise@acme.example, account: Acme}
"""


def run_in(folder: Path, *args: str, **environment: str) -> Result:
    return CliRunner().invoke(cli, ["-C", str(folder), *args], env={"ORGSYNC_NOW": NOW, **environment})


def must(folder: Path, *args: str, **environment: str) -> Result:
    result = run_in(folder, *args, **environment)
    assert result.exit_code == 0, result.output
    return result


def report(folder: Path, *args: str, **environment: str) -> str:
    return must(folder, "log", "report", *args, **environment).stdout


def sql(folder: Path, store: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    db = sqlite3.connect(folder / "orgs" / f"{store}.db")
    rows = db.execute(statement, values).fetchall()
    db.commit()
    db.close()
    return rows


def insert(folder: Path, store: str, table: str, **values: Any) -> str:
    """Inserts one record as any client would; its Id."""
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" for _ in values)
    sql(folder, store, f'INSERT INTO "{table}" ({names}) VALUES ({marks})', *values.values())
    return str(sql(folder, store, f'SELECT "Id" FROM "{table}" ORDER BY orgsync_row DESC LIMIT 1')[0][0])


def log(folder: Path, store: str, entries: Iterable[dict[str, Any]]) -> None:
    """Adds entries to an org's log. Each has `at`; the rest has a value of its own where it is left out."""
    db = sqlite3.connect(folder / "orgs" / f"{store}.db")
    (connection,) = db.execute("SELECT id FROM orgsync_connection").fetchone()
    for entry in entries:
        db.execute(
            'INSERT INTO "PartnerNetworkSyncLog" ("ConnectionId", "EntityType", "LocalRecord", "ConnectionEvent",'
            ' "Status", "Error", "FieldName", "FieldType", "Description", "CreatedDate")'
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                connection,
                entry.get("object", "Account"),
                entry.get("record", "001xx0000000001AAA"),
                entry.get("event", "Generic Update"),
                entry.get("status", "Failed"),
                entry.get("error_code", "STRING_TOO_LONG"),
                entry.get("field", "Name"),
                entry.get("field_type", "text"),
                entry.get("description", "too long"),
                entry["at"],
            ],
        )
    db.commit()
    db.close()
