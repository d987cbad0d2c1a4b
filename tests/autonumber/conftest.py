"""Two new orgs in files with manifests beside them, planned and applied as the program does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from mirror_world import World, create_orgs


@pytest.fixture(scope="session")
def mirror_orgs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two new orgs that are not connected, made once."""
    folder = tmp_path_factory.mktemp("mirrors") / "orgs"
    create_orgs(folder)
    return folder


@pytest.fixture
def world(tmp_path: Path, mirror_orgs: Path) -> Iterator[World]:
    """Two orgs of this test's own, with manifests that declare a mirror of the case number."""
    with ExitStack() as stack:
        yield World(tmp_path, mirror_orgs, stack)
