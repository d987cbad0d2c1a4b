"""The orgs that the tests of user sync and of the connection's life work on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from people_world import ADMINS, People, make_orgs


@pytest.fixture
def apart(place: Callable[..., dict[str, str]]) -> Iterator[People]:
    """Two orgs that are not connected yet."""
    addresses = place(make_orgs, *ADMINS)
    with ExitStack() as stack:
        yield People(addresses, stack)


@pytest.fixture
def people(apart: People) -> People:
    """Two connected orgs, with user sync on both ways."""
    return apart.connect()
