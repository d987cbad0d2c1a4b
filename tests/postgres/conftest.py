"""What the tests of orgs on PostgreSQL share: an org in a database of its own, a plain client, a way to publish."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from postgres_server import Server, name_of
from publishing import publisher

from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.urls import create_store, open_store

BASE = Path()
NOW = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def template(postgres: Server) -> Iterator[str]:
    """The URL of a database with a new org, to copy."""
    url = postgres.database()
    create_store(f"{url}?schema=acme", NewOrg(name="acme", features=["salesforce-to-salesforce"]), base=BASE).close()
    yield url
    postgres.drop(url)


@pytest.fixture
def url(postgres: Server, template: str) -> Iterator[str]:
    """The URL of a database with an org of its own in the schema acme."""
    made = postgres.database(name_of(template))
    yield f"{made}?schema=acme"
    postgres.drop(made)


@pytest.fixture
def org(url: str) -> Iterator[Org]:
    """That org."""
    with open_store(url, base=BASE, label="acme") as opened:
        yield opened


@pytest.fixture
def client(url: str) -> Iterator[psycopg.Connection]:
    """Any other program: a plain session that knows nothing of us."""
    with psycopg.connect(url.partition("?")[0], autocommit=True) as db:
        db.execute("SET search_path TO acme")
        yield db


@pytest.fixture
def publish(org: Org) -> Callable[..., None]:
    """Publishes an object with fields over a connection, which is made when it is first named."""
    return publisher(org)
