"""Unconnected orgs, made once and copied, in the stores of a test's pairing in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from net_world import EIGHT, FOUR, Net, make_eight, make_four


@pytest.fixture
def net(place: Callable[..., dict[str, str]], tmp_path: Path) -> Iterator[Callable[[str], Net]]:
    """Makes a net of the orgs a, b, c, …, as many as are asked for."""
    with ExitStack() as stack:

        def make(names: str) -> Net:
            addresses = place(make_eight, *EIGHT) if len(names) > len(FOUR) else place(make_four, *FOUR)
            return Net(tmp_path, names, stack, addresses)

        yield make
