"""Connected orgs on two PostgreSQL servers, one on each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import native
import orgs

from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.postgres.local_server import LocalServer
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.urls import create_store, open_store
from orgsync_reconcile.sync.bulk import bulk_sync

SCHEMA = "acme"
_CONTACTS = (
    'INSERT INTO "Contact" ("FirstName", "LastName", "Email", "Phone", "MailingCity", "Title", "AccountId")'
    " SELECT 'Robin', 'Person ' || orgsync_row, 'p' || orgsync_row || '@mail.example', \"Phone\", \"BillingCity\","
    ' \'Engineer\', "Id" FROM "Account" WHERE orgsync_row <= %s'
)


def address(server: LocalServer, database: str = "postgres") -> str:
    """Where a server's org stands."""
    return f"{server.url.replace('/postgres', f'/{database}')}?schema={SCHEMA}"


@contextmanager
def joined(source: LocalServer, target: LocalServer, accounts: int, contacts: int = 0) -> Iterator[Pair]:
    """New connected orgs, of which the first has so many records and the second none."""
    with ExitStack() as stack:
        here, there = (
            stack.enter_context(create_store(address(server), NewOrg(name=name), base=Path()))
            for server, name in ((source, "primary"), (target, "secondary"))
        )
        with native.session(source) as client:
            client.execute(f"SET search_path TO {SCHEMA}")
            native.fill(client, accounts, table='"Account"', ids=False)
            client.execute(_CONTACTS, [contacts])
            client.execute("VACUUM ANALYZE")
        yield orgs.join(here, there)


@contextmanager
def in_step(source: LocalServer, target: LocalServer, accounts: int) -> Iterator[tuple[Pair, list[str], list[str]]]:
    """New connected orgs with so many accounts, all linked; yields their Ids in both orgs as well."""
    with joined(source, target, accounts) as pair:
        bulk_sync(pair, source=Side.PRIMARY, cutoff=None, clock=system_clock)
        for server in (source, target):
            with native.session(server) as client:
                client.execute("VACUUM ANALYZE")
        rows = pair.orgs[Side.PRIMARY].db.execute("SELECT local, partner FROM orgsync_link WHERE status = 1").fetchall()
        mine = sorted(row for row in rows if row[0].startswith("001"))
        yield pair, [row[0] for row in mine], [row[1] for row in mine]


@contextmanager
def copies(source: LocalServer, target: LocalServer, database: str) -> Iterator[Pair]:
    """The two orgs as they stand, in copies of their databases that are dropped afterwards. Nobody else may be in them."""
    made: list[LocalServer] = []
    try:
        for server in (source, target):
            with native.session(server, "template1") as db:
                db.execute(f"CREATE DATABASE {database} TEMPLATE postgres STRATEGY file_copy")
            made.append(server)
        with (
            open_store(address(source, database), base=Path()) as here,
            open_store(address(target, database), base=Path()) as there,
        ):
            yield Pair(here, there, orgs.CONNECTION)
    finally:
        for server in made:
            with native.session(server, "template1") as db:
                db.execute(f"DROP DATABASE {database} WITH (FORCE)")
