"""Fresh orgs for each test, with or without manifests beside them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from ailing_orgs import Ailing, create_orgs


@pytest.fixture(scope="session")
def healthy_orgs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two new orgs."""
    folder = tmp_path_factory.mktemp("ailing")
    create_orgs(folder / "orgs")
    return folder


@pytest.fixture
def ailing(healthy_orgs: Path, tmp_path: Path) -> Iterator[Ailing]:
    """Two orgs that are not connected yet."""
    shutil.copytree(healthy_orgs / "orgs", tmp_path / "orgs")
    with ExitStack() as stack:
        yield Ailing(tmp_path, stack)
