"""Servers of these tests' own, one for each end, and worlds on them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from outage_world import OutageWorld, new_org
from postgres_server import memory
from sync_world import P, S, create_orgs

from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.postgres.local_server import LocalServer, local_server

_numbers = itertools.count()


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[Side, LocalServer]]:
    """A server for each end; whoever stops one starts it again."""
    try:
        with local_server(parent=memory()) as one, local_server(parent=memory()) as other:
            yield {P: one, S: other}
    except OrgsyncError as error:
        pytest.skip(f"no PostgreSQL: {error}")


@pytest.fixture(params=["postgres-postgres", "postgres-sqlite", "sqlite-postgres"])
def kinds(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The stores of the primary and of the secondary."""
    return tuple(request.param.split("-"))


@pytest.fixture
def outage(kinds: tuple[str, ...], servers: dict[Side, LocalServer], tmp_path: Path) -> Iterator[OutageWorld]:
    """Two orgs, not connected yet, each on its own server or in a file."""
    create_orgs(tmp_path)
    files = {P: "acme", S: "acme-dr"}
    made = OutageWorld(
        {
            side: new_org(servers[side], side, f"outage_{next(_numbers)}")
            if kind == "postgres"
            else f"sqlite:{tmp_path / files[side]}.db"
            for side, kind in zip((P, S), kinds, strict=True)
        },
        tmp_path,
    )
    yield made
    made.close()


@pytest.fixture
def side(kinds: tuple[str, ...]) -> Side:
    """An end on a server."""
    return P if kinds[0] == "postgres" else S
