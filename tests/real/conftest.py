"""Two orgs in the stores of a test's pairing: new ones, or those of a published project, connected and copied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from real_world import ADMINS, World, make_connected, make_orgs


@pytest.fixture
def new_world(place: Callable[..., dict[str, str]], tmp_path: Path) -> World:
    """A working folder with two new orgs."""
    return World(folder=tmp_path, stores=place(make_orgs, *ADMINS, folder="orgs"))


@pytest.fixture
def connected(place: Callable[..., dict[str, str]], tmp_path: Path) -> Callable[[str], World]:
    """A working folder with two orgs of a project, connected two-way and copied."""

    def make(project: str) -> World:
        stores = place(make_connected(project), *ADMINS, joined=True, folder="orgs")
        world = World(folder=tmp_path, stores=stores)
        published = world.read("acme", "SELECT DISTINCT object FROM orgsync_published_field ORDER BY 1")
        world.connect(name for (name,) in published)
        return world

    return make
