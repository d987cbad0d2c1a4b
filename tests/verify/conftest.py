"""Two fresh orgs per test, copied from files that are made once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from joined_orgs import Joined, create_orgs


@pytest.fixture(scope="session")
def made_orgs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two new orgs."""
    folder = tmp_path_factory.mktemp("joined")
    create_orgs(folder)
    return folder


@pytest.fixture
def joined(made_orgs: Path, tmp_path: Path) -> Iterator[Joined]:
    """Two orgs that are not connected yet."""
    folder = tmp_path / "orgs"
    shutil.copytree(made_orgs, folder)
    with ExitStack() as stack:
        yield Joined(folder, stack)
