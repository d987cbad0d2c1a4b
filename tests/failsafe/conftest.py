"""Two fresh orgs per test, and a folder with manifests where the program is run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from failsafe_world import FailsafeWorld
from sync_world import copy_orgs, create_orgs


@pytest.fixture(scope="session")
def failsafe_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two new orgs."""
    folder = tmp_path_factory.mktemp("orgs")
    create_orgs(folder)
    return folder


@pytest.fixture
def world(failsafe_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FailsafeWorld]:
    """Two orgs that are not connected yet."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "ORGSYNC_NOW"):
        monkeypatch.delenv(name, raising=False)
    copy_orgs(failsafe_files, tmp_path)
    with ExitStack() as stack:
        yield FailsafeWorld(tmp_path, stack)
