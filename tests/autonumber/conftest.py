"""Two new orgs with manifests beside them, planned and applied as the program does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from mirror_world import NAMES, World, make_orgs


@pytest.fixture
def world(place: Callable[..., dict[str, str]], tmp_path: Path) -> Iterator[World]:
    """Two orgs of this test's own, with manifests that declare a mirror of the case number."""
    addresses = place(make_orgs, *NAMES.values())
    with ExitStack() as stack:
        yield World(tmp_path, addresses, stack)
