"""Two fresh orgs per test, copied from files that are made once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sync_world import World, copy_orgs, create_orgs


@pytest.fixture(scope="session")
def org_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two new orgs."""
    folder = tmp_path_factory.mktemp("orgs")
    create_orgs(folder)
    return folder


@pytest.fixture
def world(org_files: Path, tmp_path: Path) -> Iterator[World]:
    """Two orgs that are not connected yet."""
    copy_orgs(org_files, tmp_path)
    with ExitStack() as stack:
        yield World(tmp_path, stack)
