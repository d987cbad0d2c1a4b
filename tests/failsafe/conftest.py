"""Two fresh orgs per test, and a folder with manifests where the program is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from failsafe_world import FailsafeWorld
from sync_world import NAMES, make_orgs


@pytest.fixture
def world(
    place: Callable[..., dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FailsafeWorld]:
    """Two orgs that are not connected yet."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "ORGSYNC_NOW"):
        monkeypatch.delenv(name, raising=False)
    addresses = place(make_orgs, *NAMES.values())
    with ExitStack() as stack:
        yield FailsafeWorld(tmp_path, stack, addresses=addresses)
