"""Running the program in a folder, and plain SQL in its orgs."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from orgsync_reconcile.cli.main import cli

CONNECTION = """\
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
direction: two-way
"""


def publication(object_name: str) -> str:
    """A manifest that publishes an object."""
    return f"version: 1\nkind: Publication\nconnection: acme-link\nobject: {object_name}\nfields: all\n"


def run_in(folder: Path, *args: str) -> Result:
    """Runs the program in `folder`; with its exit code, standard output and standard error."""
    return CliRunner().invoke(cli, ["-C", str(folder), *args])


def sql(folder: Path, store: str, *statements: str) -> list[tuple[object, ...]]:
    """Runs statements in an org's file, as any client would; the rows of the last one."""
    db = sqlite3.connect(folder / "orgs" / f"{store}.db")
    rows: list[tuple[object, ...]] = []
    for statement in statements:
        rows = db.execute(statement).fetchall()
    db.commit()
    db.close()
    return rows


def process(folder: Path, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the program as a process of its own, without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "orgsync_reconcile", "-C", str(folder), *args],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env={
            **{key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")},
            **environment,
        },
        check=False,
    )
