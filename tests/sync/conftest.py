"""Two fresh orgs per test, in the stores of its pairing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sync_world import NAMES, World, make_orgs


@pytest.fixture
def world(place: Callable[..., dict[str, str]], tmp_path: Path) -> Iterator[World]:
    """Two orgs that are not connected yet."""
    addresses = place(make_orgs, *NAMES.values())
    with ExitStack() as stack:
        yield World(tmp_path, stack, addresses=addresses)
