"""What the store tests share: a new org in each kind of store, a plain client of it, a way to publish.

A test runs on every kind of store, unless it is marked as one that is about files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from org_stores import Client, Templates, client_of
from publishing import publisher

from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.urls import create_store, open_store

NEW = NewOrg(name="acme", features=["salesforce-to-salesforce"])
OPEN = partial(open_store, base=Path(), label="acme")


def make_org(address: Callable[[str], str]) -> None:
    """One new org."""
    create_store(address("acme"), NEW, base=Path()).close()


@pytest.fixture(scope="session")
def new_org(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an org as it is made, to copy: making one takes longer than most tests."""
    path = tmp_path_factory.mktemp("template") / "acme.db"
    make_org(lambda _: f"sqlite:{path}")
    return path


@pytest.fixture
def address(store: str, templates: Templates, tmp_path: Path) -> Iterator[str]:
    """The address of a new org of its own."""
    with templates.copied(store, make_org, ["acme"], tmp_path) as addresses:
        yield addresses["acme"]


@pytest.fixture
def org(address: str) -> Iterator[Org]:
    """A new org of its own."""
    with OPEN(address) as opened:
        yield opened


@pytest.fixture
def other_org(store: str, address: str, tmp_path: Path) -> Iterator[Org]:
    """Another new org, in a store of the same kind."""
    place = address.replace("schema=acme", "schema=partner").replace("acme.db", "partner.db")
    with create_store(place, NewOrg(name="partner"), base=Path()) as made:
        yield made


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    """Any other program: a plain session that knows nothing of us."""
    db = client_of(address)
    yield db
    db.close()


@pytest.fixture
def publish(org: Org) -> Callable[..., None]:
    """Publishes an object with fields over a connection, which is made when it is first named."""
    return publisher(org)
