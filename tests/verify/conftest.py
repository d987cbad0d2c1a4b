"""Two fresh orgs per test, copied from orgs that are made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from joined_orgs import FILES, Joined, make_orgs


@pytest.fixture
def joined(place: Callable[..., dict[str, str]], tmp_path: Path) -> Iterator[Joined]:
    """Two orgs that are not connected yet, in the folder `orgs` where they lie in files."""
    addresses = place(make_orgs, *FILES.values(), folder="orgs")
    with ExitStack() as stack:
        yield Joined(tmp_path / "orgs", stack, addresses)
