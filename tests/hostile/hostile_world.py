"""Two connected orgs whose files are backed up, restored, copied and filled, and the program run on them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from click.testing import Result
from sync_program import run_program, write_manifests
from sync_world import NAMES, P, S, World

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sqlite.handle import open_org
from orgsync_reconcile.sync.resync import Resynced, resync


class HostileWorld(World):
    """Two orgs in a folder; backups stand beside them."""

    def backup(self, side: Side) -> Path:
        """Makes a backup of the org, as SQLite makes them from a live file."""
        path = self.folder / f"{NAMES[side]}.backup"
        path.unlink(missing_ok=True)
        copy = sqlite3.connect(path)
        self.clients[side].backup(copy)
        copy.close()
        return path

    def restore(self, side: Side, backup: Path | None = None) -> None:
        """Puts the backup, or another file, in the org's place; everybody opens the files again."""
        path = self.orgs[side].path
        self.close()
        for rest in self.folder.glob(f"{path.name}-*"):
            rest.unlink()
        path.write_bytes((backup or self.folder / f"{NAMES[side]}.backup").read_bytes())
        self.open()

    def close(self) -> None:
        """Ends all connections."""
        self._pair = None
        for side in (P, S):
            self.orgs[side].close()
            self.clients[side].close()

    def open(self) -> None:
        """Opens both orgs again."""
        for side in (P, S):
            org = self.orgs[side]
            self.orgs[side] = self.stack.enter_context(open_org(org.path, label=org.label, busy_seconds=10))
            self.clients[side] = self.client(side)

    def resync(self, source: Side | None = None) -> Resynced:
        return resync(self.pair, source=source, clock=self.clock)

    def program(self, *args: str) -> Result:
        """Runs the program over the two orgs."""
        write_manifests(self.folder, self.addresses)
        return run_program(self.folder, *args)
