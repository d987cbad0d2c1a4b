"""What the store tests share: a new org in each kind of store, a plain client of it, a way to publish.

A test runs on every kind of store, unless it is marked as one that is about files.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from shutil import copyfile

import pytest
from postgres_server import Server, name_of
from publishing import publisher
from store_helpers import Client

from orgsync_reconcile.stores.address import parse_address
from orgsync_reconcile.stores.postgres.handle import connect
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.urls import create_store, open_store

NEW = NewOrg(name="acme", features=["salesforce-to-salesforce"])
OPEN = partial(open_store, base=Path(), label="acme")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests of an org run once for each kind of store."""
    if "store" in metafunc.fixturenames:
        files_only = metafunc.definition.get_closest_marker("files_only") is not None
        metafunc.parametrize("store", ["sqlite"] if files_only else ["sqlite", "postgres"])


@pytest.fixture(scope="session")
def new_org(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an org as it is made, to copy: making one takes longer than most tests."""
    path = tmp_path_factory.mktemp("template") / "acme.db"
    create_store(f"sqlite:{path}", NEW, base=Path()).close()
    return path


@pytest.fixture(scope="session")
def new_database(postgres: Server) -> str:
    """The URL of a database with an org as it is made, to copy."""
    url = postgres.database()
    create_store(f"{url}?schema=acme", NEW, base=Path()).close()
    return url


@pytest.fixture
def address(store: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a new org of its own."""
    if store == "sqlite":
        template: Path = request.getfixturevalue("new_org")
        yield f"sqlite:{copyfile(template, tmp_path / 'acme.db')}"
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.database(name_of(request.getfixturevalue("new_database")))
    yield f"{url}?schema=acme"
    server.drop(url)


@pytest.fixture
def org(address: str) -> Iterator[Org]:
    """A new org of its own."""
    with OPEN(address) as opened:
        yield opened


@pytest.fixture
def other_org(store: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Org]:
    """Another new org, in a store of the same kind."""
    if store == "sqlite":
        place = f"sqlite:{tmp_path / 'partner.db'}"
    else:
        place = f"{request.getfixturevalue('address').partition('?')[0]}?schema=partner"
    with create_store(place, NewOrg(name="partner"), base=Path()) as made:
        yield made


@pytest.fixture
def client(org: Org, address: str) -> Iterator[Client]:
    """Any other program: a plain session that knows nothing of us."""
    db: Client
    if address.startswith("sqlite:"):
        db = sqlite3.connect(org.place, isolation_level=None)
    else:
        db = connect(parse_address(address), "client", busy_seconds=30)
    yield db
    db.close()


@pytest.fixture
def publish(org: Org) -> Callable[..., None]:
    """Publishes an object with fields over a connection, which is made when it is first named."""
    return publisher(org)
