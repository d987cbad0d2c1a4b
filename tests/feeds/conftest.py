"""Two new orgs with feed tracking, copied from files that are made once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from feed_world import Feeds, create_orgs


@pytest.fixture(scope="session")
def feed_orgs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two new orgs that track feeds."""
    folder = tmp_path_factory.mktemp("feeds")
    create_orgs(folder)
    return folder


@pytest.fixture
def feeds(feed_orgs: Path, tmp_path: Path) -> Iterator[Feeds]:
    """Two orgs that are not connected yet."""
    with ExitStack() as stack:
        yield Feeds(feed_orgs, tmp_path, stack)
