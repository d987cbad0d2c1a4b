"""Two fresh orgs per test, copied from files that are made once; one-way, two-way, and with support objects."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from forward_world import CODE, ForwardWorld
from sync_world import copy_orgs, create_orgs, custom_object, field, text

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


@pytest.fixture(scope="session")
def org_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two new orgs that know the object Part__c; in folders below it, the same connected."""
    folder = tmp_path_factory.mktemp("orgs")
    create_orgs(folder)
    with ExitStack() as stack:
        ForwardWorld(folder, stack).deploy(PARTS)
    for name, one_way in (("one-way", True), ("two-way", False)):
        (folder / name).mkdir()
        copy_orgs(folder, folder / name)
        with ExitStack() as stack:
            ForwardWorld(folder / name, stack).connect(*SUPPORT, "Part__c", one_way=one_way)
    return folder


def _world(files: Path, folder: Path) -> Iterator[ForwardWorld]:
    for path in files.glob("*.db"):
        shutil.copyfile(path, folder / path.name)
    with ExitStack() as stack:
        yield ForwardWorld(folder, stack)


@pytest.fixture
def one_way(org_files: Path, tmp_path: Path) -> Iterator[ForwardWorld]:
    """Connected from primary to secondary."""
    yield from _world(org_files / "one-way", tmp_path)


@pytest.fixture
def two_way(org_files: Path, tmp_path: Path) -> Iterator[ForwardWorld]:
    """Connected both ways."""
    yield from _world(org_files / "two-way", tmp_path)
