"""Two fresh orgs per test, and a folder with manifests where the program is run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hostile_world import HostileWorld
from sync_world import copy_orgs, create_orgs


@pytest.fixture(scope="session")
def org_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two new orgs."""
    folder = tmp_path_factory.mktemp("orgs")
    create_orgs(folder)
    return folder


@pytest.fixture
def world(org_files: Path, tmp_path: Path) -> Iterator[HostileWorld]:
    """Two orgs that are not connected yet."""
    copy_orgs(org_files, tmp_path)
    with ExitStack() as stack:
        yield HostileWorld(tmp_path, stack)
