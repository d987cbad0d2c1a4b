"""Fresh orgs for each test, with or without manifests beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from ailing_orgs import FILES, Ailing, make_orgs


@pytest.fixture
def ailing(place: Callable[..., dict[str, str]], tmp_path: Path) -> Iterator[Ailing]:
    """Two orgs that are not connected yet, in the folder `orgs` where they lie in files."""
    addresses = place(make_orgs, *FILES.values(), folder="orgs")
    with ExitStack() as stack:
        yield Ailing(tmp_path, addresses, stack)
