"""Two fresh orgs per test, in the stores of its pairing, and a folder with manifests where the program is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hostile_world import HostileWorld
from sync_world import NAMES, make_orgs


@pytest.fixture
def world(place: Callable[..., dict[str, str]], tmp_path: Path) -> Iterator[HostileWorld]:
    """Two orgs that are not connected yet."""
    addresses = place(make_orgs, *NAMES.values())
    with ExitStack() as stack:
        yield HostileWorld(tmp_path, stack, addresses=addresses)
