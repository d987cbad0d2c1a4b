"""Two connected orgs with manifests, changed by hand through plain SQL, as any client would."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from two_orgs import connection

from orgsync_reconcile.app.drift import DriftReport, find_drift
from orgsync_reconcile.app.workspace import Workspace
from orgsync_reconcile.cli.main import cli

CONNECTION = connection("link")


def publication(name: str, fields: str, more: str = "") -> str:
    """A manifest that publishes some fields of an object."""
    return f"version: 1\nkind: Publication\nconnection: link\nobject: {name}\nfields: {{include: [{fields}]}}\n{more}"


class Drifting:
    """A folder with manifests and two org files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def workspace(self) -> Workspace:
        """Where find_drift works."""
        return Workspace(directory=self.folder)

    def write(self, name: str, text: str) -> None:
        (self.folder / "manifests").mkdir(exist_ok=True)
        (self.folder / "manifests" / name).write_text(text, encoding="utf-8")

    def run(self, *args: str, env: Mapping[str, str] | None = None) -> Result:
        """The program in this folder."""
        return CliRunner().invoke(cli, ["-C", str(self.folder), *args], env=dict(env or {}))

    def must(self, *args: str) -> Result:
        result = self.run(*args)
        assert result.exit_code == 0, result.output
        return result

    def apply(self, *args: str) -> None:
        self.must("apply", "--yes", *args)

    def plan(self, *args: str) -> dict[str, Any]:
        result = self.run("plan", "--format", "json", *args)
        assert result.exit_code in (0, 1), result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def reasons(self) -> dict[str, str]:
        """Address -> reason of every planned action."""
        return {action["address"]: action["reason"] for action in self.plan()["actions"]}

    def drift(self) -> DriftReport:
        return find_drift(self.workspace)

    def details(self) -> list[str]:
        """What was changed by hand, one line each."""
        return [item.detail for item in self.drift().drift]

    def sql(self, store: str, *statements: str) -> list[tuple[Any, ...]]:
        """Runs statements in an org's file; the rows of the last one."""
        db = sqlite3.connect(self.folder / "orgs" / f"{store}.db")
        rows: list[tuple[Any, ...]] = []
        try:
            with db:
                for statement in statements:
                    rows = db.execute(statement).fetchall()
        finally:
            db.close()
        return rows
