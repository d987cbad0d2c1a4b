"""Two connected orgs on a PostgreSQL server, and drains of them that are processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sync_world import custom_object, field
from two_orgs import SCHEMAS, connection, make_on_server, must, publication, server_orgs, write_documents

from orgsync_reconcile.app.workspace import Workspace, open_connection
from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.schema import deploy_objects
from orgsync_reconcile.stores.urls import open_store

#: A record of it cannot be without its contact.
VISIT = custom_object(
    "Visit__c",
    "a02",
    field("Contact__c", FieldType.MASTER_DETAIL, reference_to=("Contact",), required=True, cascade_delete=True),
)


def write_manifests(folder: Path, url: str) -> None:
    write_documents(
        folder,
        server_orgs(url),
        connection("dr"),
        publication("dr", "Account", "Name", "Phone", "Industry", "ParentId"),
        publication("dr", "Contact", "LastName", "AccountId"),
        publication("dr", "Visit__c", "Name", "Contact__c"),
    )


def connect(folder: Path, url: str) -> None:
    """Makes both orgs and connects them."""
    write_manifests(folder, url)
    make_on_server(folder, url)
    for schema in SCHEMAS:
        with open_store(f"{url}?schema={schema}", base=folder) as org:
            deploy_objects(org, [VISIT])
    must(folder, "apply", "--yes")


@dataclass
class World:
    """`folder` has the manifests; `clients` are sessions of any other program, by schema."""

    folder: Path
    clients: dict[str, psycopg.Connection[Any]]

    def run(self, *args: str) -> str:
        return must(self.folder, *args).stdout

    def one(self, schema: str, query: str, *values: object) -> Any:
        row = self.clients[schema].execute(query, values).fetchone()  # type: ignore[call-overload]
        return row[0] if row is not None and len(row) == 1 else row

    @contextmanager
    def pair(self) -> Iterator[Pair]:
        """The pair in sessions of this process."""
        with open_connection(Workspace(directory=self.folder), "dr") as found:
            yield Pair(found.primary, found.secondary, "dr")

    @contextmanager
    def followers(self, *environments: dict[str, str]) -> Iterator[list[subprocess.Popen[str]]]:
        """A `drain --follow` per environment; none is left afterwards."""
        started: list[subprocess.Popen[str]] = []
        try:
            for environment in environments:
                started.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "orgsync_reconcile", "-C", str(self.folder), "drain", "--follow"],
                        env=os.environ | environment,
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE,
                        text=True,
                    )
                )
            yield started
        finally:
            for process in started:
                process.kill()
                process.communicate()

    @contextmanager
    def all_at_once(self, workers: int) -> Iterator[None]:
        """Keeps drains from beginning until the block is done and so many of them wait."""
        with self.pair() as pair, pair.lease():
            yield
            until(lambda: pair.workers() == workers)

    def add(self, accounts: int, *, parts: int = 10) -> None:
        """Accounts in the primary, in several transactions; each but the first has the one before as its parent."""
        client = self.clients["acme"]
        for part in range(parts):
            each = accounts // parts
            client.execute(
                'INSERT INTO "Account" ("Name", "Phone") SELECT %s || g, \'0\' FROM generate_series(1, %s) AS g',
                [f"A{part} ", each],
            )
        client.execute(
            'UPDATE "Account" AS a SET "ParentId" = b."Id" FROM "Account" AS b'
            ' WHERE b.orgsync_row = a.orgsync_row - 1 AND b."Phone" IS NOT NULL'
        )

    def idle(self) -> bool:
        """Whether no drain is at work, for the moment."""
        with self.pair() as pair:
            return pair.workers() == 0

    def settled(self) -> bool:
        """Whether nothing is left to send or to wait for."""
        return all(
            self.one(schema, "SELECT count(*) FROM orgsync_change WHERE origin IS NULL") == 0
            and self.one(schema, "SELECT count(*) FROM orgsync_waiting") == 0
            for schema in SCHEMAS
        )

    def assert_equal(self) -> None:
        """Both orgs agree, no record is there twice, no round is open and nothing was refused."""
        self.run("drain")
        self.run("verify")
        for name, like in (
            ("Account", '"Phone" IS NOT NULL'),
            ("Contact", "\"LastName\" = 'x'"),
            ("Visit__c", "TRUE"),
        ):
            counts = {self.one(schema, f'SELECT count(*) FROM "{name}" WHERE {like}') for schema in SCHEMAS}
            assert len(counts) == 1, (name, counts)
        for schema in SCHEMAS:
            assert self.one(schema, "SELECT count(*) FROM orgsync_round") == 0
            assert self.one(schema, "SELECT count(*) FROM orgsync_round_lane") == 0
            assert self.one(schema, "SELECT count(*) FROM orgsync_held") == 0
            assert self.one(schema, 'SELECT count(*) FROM "PartnerNetworkSyncLog"') == 0


def until(what: Callable[[], bool], seconds: float = 60) -> None:
    """Waits until something is so."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise AssertionError("it did not come about in time")
        time.sleep(0.02)
