"""Two new orgs with feed tracking, copied from orgs that are made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from feed_world import Feeds, make_orgs

from orgsync_reconcile.model.connection import Side


@pytest.fixture
def feeds(place: Callable[..., dict[str, str]]) -> Iterator[Feeds]:
    """Two orgs that are not connected yet."""
    addresses = place(make_orgs, *(side.value for side in Side))
    with ExitStack() as stack:
        yield Feeds(addresses, stack)
