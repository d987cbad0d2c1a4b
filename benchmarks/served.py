"""Connected orgs on two PostgreSQL servers, one on each."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import native
import orgs
import psycopg

from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.postgres.local_server import LocalServer
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.urls import create_store, open_store
from orgsync_reconcile.sync.bulk import bulk_sync

SCHEMA = "acme"
ACCOUNT = f'{SCHEMA}."Account"'
#: Until a following drain has come to rest, in seconds.
_SETTLED = 1.0
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
def copied(source: LocalServer, target: LocalServer, database: str) -> Iterator[None]:
    """The two orgs as they stand, in copies of their databases that are dropped afterwards. Nobody may be in the first."""
    made: list[LocalServer] = []
    try:
        for server in (source, target):
            with native.session(server, "template1") as db:
                db.execute(f"CREATE DATABASE {database} TEMPLATE postgres STRATEGY file_copy")
            made.append(server)
        yield
    finally:
        for server in made:
            with native.session(server, "template1") as db:
                db.execute(f"DROP DATABASE {database} WITH (FORCE)")


@contextmanager
def opened(source: LocalServer, target: LocalServer, database: str = "postgres") -> Iterator[Pair]:
    """The two orgs in a database of that name."""
    with (
        open_store(address(source, database), base=Path()) as here,
        open_store(address(target, database), base=Path()) as there,
    ):
        yield Pair(here, there, orgs.CONNECTION)


@contextmanager
def folder_of(source: LocalServer, target: LocalServer, database: str = "postgres") -> Iterator[Path]:
    """A folder whose manifests name the two orgs."""
    with tempfile.TemporaryDirectory(prefix="orgsync-bench-") as name, opened(source, target, database) as pair:
        stores = (address(source, database), address(target, database))
        orgs.write_manifests(Path(name), pair, stores)
        yield Path(name)


def command(folder: Path, *words: str) -> list[str]:
    """The words of a command in the folder."""
    return [sys.executable, "-m", "orgsync_reconcile", "-C", str(folder), *words]


@contextmanager
def followers(folder: Path, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """So many processes that drain the connection as changes come; ended afterwards."""
    with ExitStack() as stack:
        started = []
        for _ in range(count):
            program = subprocess.Popen(
                command(folder, "drain", orgs.CONNECTION, "--follow"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.callback(_end, program)
            started.append(program)
        for program in started:
            assert program.stderr is not None
            program.stderr.readline()  # It says that it follows.
        time.sleep(_SETTLED)
        yield started
        for program in started:
            if program.poll() is not None:
                raise SystemExit(f"a follower has ended: {program.communicate()[1].strip()[-300:]}")


def _end(program: subprocess.Popen[str]) -> None:
    program.send_signal(signal.SIGCONT)
    program.terminate()
    program.communicate()


@contextmanager
def asleep(programs: Sequence[subprocess.Popen[str]]) -> Iterator[None]:
    """Nothing of these processes runs meanwhile."""
    for program in programs:
        program.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for program in programs:
            program.send_signal(signal.SIGCONT)


def has_all(db: psycopg.Connection, table: str, ids: Sequence[str], phone: str) -> bool:
    """Whether all these records have that number; asks for a few of them first."""
    for some in (ids[:: max(len(ids) // 50, 1)], ids):
        row = db.execute(
            f'SELECT count(*) FROM {table} WHERE "Id" = ANY(%s) AND "Phone" = %s', [list(some), phone]
        ).fetchone()
        if row != (len(some),):
            return False
    return True
