"""The orgs and manifests that the tests of apply work on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from apply_world import World, create_orgs


@pytest.fixture(scope="session")
def new_orgs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two new orgs that are not connected, made once."""
    folder = tmp_path_factory.mktemp("new") / "orgs"
    create_orgs(folder)
    return folder


@pytest.fixture
def pair(tmp_path: Path, new_orgs: Path) -> Iterator[World]:
    """Two new orgs of this test's own, with manifests that connect them."""
    with ExitStack() as stack:
        yield World(tmp_path, stack).copy(new_orgs)
