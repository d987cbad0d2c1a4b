"""Two connected orgs of which at least one lies on a server that these tests stop, copy and replace."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import psycopg
from click.testing import Result
from sync_program import run_program, start_program, write_manifests
from sync_world import CONNECTION, NAMES, World

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.postgres.local_server import LocalServer
from orgsync_reconcile.stores.sql.connections import get_connection
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.urls import create_store, open_store


def eventually(what: Callable[[], object], seconds: float = 30) -> None:
    """Waits until it is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def new_org(server: LocalServer, side: Side, database: str) -> str:
    """Makes a database with an org of its own; the org's address."""
    with psycopg.connect(server.url, autocommit=True) as db:
        db.execute(f'CREATE DATABASE "{database}"')
    address = address_at(server, side, database)
    create_store(address, NewOrg(name=NAMES[side], admin=f"admin@{NAMES[side]}.example"), base=Path()).close()
    return address


def address_at(server: LocalServer, side: Side, database: str) -> str:
    """Where an org lies on a server."""
    return f"{server.url.removesuffix('/postgres')}/{database}?schema={NAMES[side].replace('-', '_')}"


def count_transactions(server: LocalServer, number: int) -> None:
    """Lets the server count so many transactions."""
    with psycopg.connect(server.url, autocommit=True) as db:
        db.execute(f"DO $$ BEGIN FOR i IN 1..{number} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$")


class OutageWorld:
    """Two orgs at `addresses`. `world` has sessions of them while it is open."""

    def __init__(self, addresses: Mapping[Side, str], folder: Path) -> None:
        self.addresses = dict(addresses)
        self.folder = folder
        self.stack = ExitStack()
        self.world = self.open()

    def open(self) -> World:
        """Opens both orgs anew, where they lie now."""
        self.stack.close()
        addresses = {NAMES[side]: address for side, address in self.addresses.items()}
        self.world = World(self.folder, self.stack, addresses=addresses)
        return self.world

    def close(self) -> None:
        """Ends all sessions."""
        self.stack.close()

    def program(self, *args: str, **environment: str) -> Result:
        """Runs the program over the two orgs, where they lie now."""
        write_manifests(self.folder, self.addresses)
        return run_program(self.folder, *args, **environment)

    def start(self, *args: str) -> subprocess.Popen[str]:
        """The program as a process of its own; the caller ends it."""
        write_manifests(self.folder, self.addresses)
        return start_program(self.folder, *args)

    def reason(self, side: Side) -> str:
        """Why the end has suspended itself; empty where it has not."""
        with open_store(self.addresses[side], base=self.folder, label=NAMES[side]) as org:
            return get_connection(org, CONNECTION).suspended_reason
