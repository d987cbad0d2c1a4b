"""What any test may ask for: a PostgreSQL server, and databases on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from postgres_server import Server, server

from orgsync_reconcile.errors import OrgsyncError


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server, started when it is first asked for; tests are skipped where there is none."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(server())
        except OrgsyncError as error:
            pytest.skip(f"no PostgreSQL: {error}")
        yield found
