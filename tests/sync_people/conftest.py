"""The orgs that the tests of user sync and of the connection's life work on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from people_world import People, create_orgs


@pytest.fixture(scope="session")
def new_people_orgs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two new orgs that are not connected, made once."""
    folder = tmp_path_factory.mktemp("people") / "orgs"
    create_orgs(folder)
    return folder


@pytest.fixture
def apart(tmp_path: Path, new_people_orgs: Path) -> Iterator[People]:
    """Two orgs that are not connected yet."""
    with ExitStack() as stack:
        yield People(tmp_path, new_people_orgs, stack)


@pytest.fixture
def people(apart: People) -> People:
    """Two connected orgs, with user sync on both ways."""
    return apart.connect()
