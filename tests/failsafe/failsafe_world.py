"""Two connected orgs of which one goes away and comes back, and the program run on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from sync_world import CONNECTION, NAMES, P, S, World

from orgsync_reconcile.cli.main import cli
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sqlite.handle import open_org

MANIFEST = f"""\
version: 1
kind: Org
name: acme
store: sqlite:acme.db
admin: admin@acme.example
---
version: 1
kind: Org
name: acme-dr
store: sqlite:acme-dr.db
admin: admin@acme-dr.example
---
version: 1
kind: Connection
name: {CONNECTION}
primary: acme
secondary: acme-dr
owner: admin@acme.example
contact: {{first_name: Elise, last_name: Medina, email: elise@acme.example, account: Acme}}
direction: two-way
"""


class FailsafeWorld(World):
    """Two orgs in a folder, `away` beside them for files that are taken away."""

    def close(self) -> None:
        """Ends all connections, so that a file can go."""
        self._pair = None
        for side in (P, S):
            self.orgs[side].close()
            self.clients[side].close()

    def open(self, *sides: Side) -> None:
        """Opens the orgs again, or those at these ends."""
        for side in sides or (P, S):
            path = self.folder / f"{NAMES[side]}.db"
            self.orgs[side] = self.stack.enter_context(open_org(path, label=NAMES[side], busy_seconds=10))
            self.clients[side] = self.client(side)

    def files(self, side: Side, folder: Path | None = None) -> list[Path]:
        """The org's file and what SQLite keeps beside it."""
        return sorted((folder or self.folder).glob(f"{NAMES[side]}.db*"))

    def take_away(self, side: Side) -> None:
        """The org's file is gone, as from a folder that is no longer mounted."""
        away = self.folder / "away"
        away.mkdir(exist_ok=True)
        for path in self.files(side):
            path.rename(away / path.name)

    def bring_back(self, side: Side) -> None:
        """The same file is in its place again."""
        for path in self.files(side, self.folder / "away"):
            path.rename(self.folder / path.name)

    def _manifests(self) -> None:
        folder = self.folder / "manifests"
        folder.mkdir(exist_ok=True)
        path = folder / "connection.yaml"
        if not path.exists():
            path.write_text(MANIFEST)

    def program(self, *args: str, **environment: str) -> Result:
        """Runs the program over the two orgs."""
        self._manifests()
        return CliRunner().invoke(cli, ["-C", str(self.folder), *args], env=environment)

    def start(self, *args: str, **environment: str) -> subprocess.Popen[str]:
        """The program as a process of its own; the caller ends it."""
        self._manifests()
        return subprocess.Popen(
            [sys.executable, "-m", "orgsync_reconcile", "-C", str(self.folder), *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    def page(self) -> dict[str, Any]:
        """The status document of the connection."""
        result = self.program("status", CONNECTION, "--format", "json")
        assert result.exit_code == 0, result.output
        page: dict[str, Any] = json.loads(result.stdout)["connections"][0]
        return page

    def events(self, number: int = 4) -> list[tuple[str, str]]:
        """(org, event) of the newest rows of both histories, newest first."""
        rows = json.loads(self.program("history", CONNECTION, "--format", "json").stdout)["history"]
        return [(row["org"], row["event"]) for row in rows[:number]]
