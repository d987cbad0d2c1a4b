"""Two fresh orgs per test, in the stores of its pairing, with a folder where the program is run on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hostile_world import HostileWorld
from sync_world import NAMES, make_orgs


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's clock or fail points."""
    for name in ("ORGSYNC_NOW", "ORGSYNC_FAILPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def world(place: Callable[..., dict[str, str]], tmp_path: Path) -> Iterator[HostileWorld]:
    """Two orgs that are not connected yet."""
    addresses = place(make_orgs, *NAMES.values())
    with ExitStack() as stack:
        yield HostileWorld(tmp_path, stack, addresses=addresses)
