"""Four unconnected orgs, made once and copied."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from net_world import Net, make_orgs

ALL = "abcdefgh"


@pytest.fixture(scope="session")
def org_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("net")
    make_orgs(folder, ALL)
    return folder


@pytest.fixture
def net(org_files: Path, tmp_path: Path) -> Iterator[Callable[[str], Net]]:
    """Makes a net of the orgs a, b, c, …, as many as are asked for."""
    with ExitStack() as stack:

        def make(names: str) -> Net:
            for name in names:
                shutil.copyfile(org_files / f"{name}.db", tmp_path / f"{name}.db")
            return Net(tmp_path, names, stack)

        yield make
