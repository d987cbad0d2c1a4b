"""Two fresh orgs per test, with a folder where the program is run on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hostile_world import HostileWorld
from sync_world import copy_orgs, create_orgs


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's clock or fail points."""
    for name in ("ORGSYNC_NOW", "ORGSYNC_FAILPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def event_orgs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two new orgs."""
    folder = tmp_path_factory.mktemp("event-orgs")
    create_orgs(folder)
    return folder


@pytest.fixture
def world(event_orgs: Path, tmp_path: Path) -> Iterator[HostileWorld]:
    """Two orgs that are not connected yet."""
    copy_orgs(event_orgs, tmp_path)
    with ExitStack() as stack:
        yield HostileWorld(tmp_path, stack)
