"""A PostgreSQL server for tests: one of our own on loopback, started once per process, or the one that a variable names."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from orgsync_reconcile.stores.postgres.local_server import local_server

#: Names a running server to use instead of one of our own: the URL of a database whose role may make databases.
VARIABLE = "ORGSYNC_TEST_POSTGRES"


_MEMORY = Path("/dev/shm")
#: What a run of all tests needs at most, in bytes.
_ROOM = 4 << 30


@dataclass(frozen=True)
class Server:
    """A server for tests. `url` is that of its first database."""

    url: str
    _numbers: Iterator[int]
    #: How it copies databases: our own takes files as they are, which is quick in memory.
    _copying: str = ""
    #: The databases that it has made and not dropped, by URL.
    _left: set[str] = field(default_factory=set)

    def database(self, template: str = "template1") -> str:
        """Makes a database, as a copy of another one, and returns its URL."""
        name = f"orgsync_test_{os.getpid()}_{next(self._numbers)}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"{self._copying}')
        url = urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))
        self._left.add(url)
        return url

    def drop(self, url: str) -> None:
        """Drops a database that this run has made, whoever is using it."""
        self.run(f'DROP DATABASE IF EXISTS "{name_of(url)}" WITH (FORCE)')
        self._left.discard(url)

    def drop_all(self) -> None:
        """Drops what is left of them."""
        for url in list(self._left):
            self.drop(url)

    def run(self, statement: str) -> None:
        """Runs a statement in the first database."""
        with psycopg.connect(self.url, autocommit=True) as db:
            db.execute(statement)  # type: ignore[call-overload,unused-ignore]


def name_of(url: str) -> str:
    """The name of a URL's database."""
    return urlsplit(url).path.lstrip("/")


@contextmanager
def server() -> Iterator[Server]:
    """A server for as long as the block. Raises OrgsyncError where there is none and none can be started."""
    given = os.environ.get(VARIABLE)
    if given:
        found = Server(given, itertools.count())
        try:
            yield found
        finally:
            found.drop_all()
        return
    with local_server(parent=memory()) as ours:
        yield Server(ours.url, itertools.count(), " STRATEGY file_copy")


def memory() -> Path | None:
    """The folder of the machine's memory, where it has room: a database is a thousand files, and most tests make one."""
    return _MEMORY if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM else None
