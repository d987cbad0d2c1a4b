"""Connected orgs on the server of the tests, in a database of each test's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from lane_world import World, connect, write_manifests
from postgres_server import Server, name_of
from two_orgs import SCHEMAS


@pytest.fixture(scope="module")
def template(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database with two connected orgs."""
    url = postgres.database()
    connect(tmp_path_factory.mktemp("template"), url)
    yield url
    postgres.drop(url)


@pytest.fixture
def world(postgres: Server, template: str, tmp_path: Path) -> Iterator[World]:
    """A copy of these orgs with their manifests."""
    url = postgres.database(name_of(template))
    write_manifests(tmp_path, url)
    with ExitStack() as stack:
        clients = {schema: stack.enter_context(psycopg.connect(url, autocommit=True)) for schema in SCHEMAS}
        for schema, client in clients.items():
            client.execute(f"SET search_path TO {schema}")
        yield World(tmp_path, clients)
    postgres.drop(url)
