"""A folder with manifests and two orgs, and commands run in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result
from joined_orgs import Joined
from two_orgs import ORGS, connection, documents

from orgsync_reconcile.app.workspace import Workspace
from orgsync_reconcile.cli.main import cli

MANIFEST = documents(ORGS, connection("dr"))


@dataclass
class World:
    folder: Path
    joined: Joined

    @property
    def workspace(self) -> Workspace:
        return Workspace(directory=self.folder, clock=self.joined.clock)

    def run(self, *args: str) -> Result:
        return CliRunner().invoke(cli, ["-C", str(self.folder), *args])

    def out(self, *args: str) -> str:
        """What a command prints that has to succeed."""
        result = self.run(*args)
        assert result.exit_code == 0, result.output
        return result.stdout
