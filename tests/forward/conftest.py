"""Two fresh orgs per test, copied from orgs that are made once; one-way, two-way, and with support objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from forward_world import CODE, ForwardWorld
from sync_world import NAMES, custom_object, field, make_orgs, text

from orgsync_reconcile.model.schema import FieldType

PARTS = custom_object(
    "Part__c",
    "a0P",
    text(CODE, 40, external_id=True),
    text("Serial__c", 40, unique=True, external_id=True),
    text("Note__c", 80),
    field("Price__c", FieldType.CURRENCY, precision=16, scale=2),
    field("Account__c", FieldType.LOOKUP, reference_to=["Account"]),
    field("Parent__c", FieldType.LOOKUP, reference_to=["Part__c"]),
)
SUPPORT = (
    "Account",
    "Contact",
    "Case",
    "CaseComment",
    "CaseTeamMember",
    "Attachment",
    "FeedItem",
    "FeedComment",
    "Task",
)


ORGS = tuple(NAMES.values())


def _connected(address: Callable[[str], str], *, one_way: bool) -> None:
    """Two connected orgs that know the object Part__c."""
    make_orgs(address)
    with ExitStack() as stack:
        world = ForwardWorld(Path(), stack, addresses={name: address(name) for name in ORGS})
        world.deploy(PARTS)
        world.connect(*SUPPORT, "Part__c", one_way=one_way)


def make_one_way(address: Callable[[str], str]) -> None:
    """Connected from primary to secondary."""
    _connected(address, one_way=True)


def make_two_way(address: Callable[[str], str]) -> None:
    """Connected both ways."""
    _connected(address, one_way=False)


@pytest.fixture
def one_way(place: Callable[..., dict[str, str]], tmp_path: Path) -> Iterator[ForwardWorld]:
    """Connected from primary to secondary."""
    addresses = place(make_one_way, *ORGS, joined=True)
    with ExitStack() as stack:
        yield ForwardWorld(tmp_path, stack, addresses=addresses)


@pytest.fixture
def two_way(place: Callable[..., dict[str, str]], tmp_path: Path) -> Iterator[ForwardWorld]:
    """Connected both ways."""
    addresses = place(make_two_way, *ORGS, joined=True)
    with ExitStack() as stack:
        yield ForwardWorld(tmp_path, stack, addresses=addresses)
