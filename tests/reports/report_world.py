"""Two connected orgs with sync logs that any SQL client could have written, and what the reports make of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import two_orgs
from click.testing import Result
from two_orgs import ORGS, client_in, connection, documents, sql

NOW = "2026-03-10T12:00:00Z"
MANIFESTS = documents(ORGS, connection("acme-link", ""))


def run_in(folder: Path, *args: str, **environment: str) -> Result:
    """Runs the program at the moment of these tests."""
    return two_orgs.run_in(folder, *args, **{"ORGSYNC_NOW": NOW, **environment})


def must(folder: Path, *args: str, **environment: str) -> Result:
    """Runs it, which ends well."""
    return two_orgs.must(folder, *args, **{"ORGSYNC_NOW": NOW, **environment})


def report(folder: Path, *args: str, **environment: str) -> str:
    return must(folder, "log", "report", *args, **environment).stdout


def insert(folder: Path, store: str, table: str, **values: Any) -> str:
    """Inserts one record as any client would; its Id."""
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" for _ in values)
    sql(folder, store, f'INSERT INTO "{table}" ({names}) VALUES ({marks})', values=tuple(values.values()))
    return str(sql(folder, store, f'SELECT "Id" FROM "{table}" ORDER BY orgsync_row DESC LIMIT 1')[0][0])


def log(folder: Path, store: str, entries: Iterable[dict[str, Any]]) -> None:
    """Adds entries to an org's log. Each has `at`; the rest has a value of its own where it is left out."""
    db = client_in(folder, store)
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
    db.close()
