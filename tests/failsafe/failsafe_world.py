"""Two connected orgs of which one goes away and comes back, and the program run on them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from click.testing import Result
from org_stores import put_away
from sync_program import run_program, start_program, write_manifests
from sync_world import CONNECTION, NAMES, P, S, World

from orgsync_reconcile.model.connection import Side


class FailsafeWorld(World):
    """Two orgs, of which either can be taken away."""

    def __init__(self, folder: Path, stack: ExitStack, *, addresses: Mapping[str, str]) -> None:
        super().__init__(folder, stack, addresses=addresses)
        self._away: dict[Side, Callable[[], None]] = {}

    def close(self) -> None:
        """Ends all sessions, so that an org can go."""
        self._pair = None
        for side in (P, S):
            self.orgs[side].close()
            self.clients[side].close()

    def open(self, *sides: Side) -> None:
        """Opens the orgs again, or those at these ends."""
        for side in sides or (P, S):
            self.orgs[side] = self.opened(side)
            self.clients[side] = self.client(side)

    def files(self, side: Side) -> list[Path]:
        """The org's file and what SQLite keeps beside it."""
        return sorted(self.folder.glob(f"{NAMES[side]}.db*"))

    def take_away(self, side: Side) -> None:
        """Nobody finds the org at its address."""
        self._away[side] = put_away(self.addresses[side])

    def bring_back(self, side: Side) -> None:
        """It is in its place again."""
        self._away.pop(side)()

    def _manifests(self) -> None:
        if not (self.folder / "manifests" / "connection.yaml").exists():
            write_manifests(self.folder, self.addresses)

    def program(self, *args: str, **environment: str) -> Result:
        """Runs the program over the two orgs."""
        self._manifests()
        return run_program(self.folder, *args, **environment)

    def start(self, *args: str, within: Sequence[str] = (), **environment: str) -> subprocess.Popen[str]:
        """The program as a process of its own, or `within` another program; the caller ends it."""
        self._manifests()
        return start_program(self.folder, *args, within=within, **environment)

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
