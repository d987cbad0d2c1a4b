"""Two connected orgs, made once and copied for every test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from drifting_orgs import CONNECTION, Drifting, publication
from two_orgs import ORGS


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's terminal or clock."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "ORGSYNC_NOW"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def applied_orgs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose manifests are applied. Not to be changed."""
    world = Drifting(tmp_path_factory.mktemp("drifting"))
    world.write("orgs.yaml", ORGS)
    world.write("connection.yaml", CONNECTION)
    world.write("account.yaml", publication("Account", "Name, Phone, Fax"))
    world.write("contact.yaml", publication("Contact", "LastName, AccountId"))
    world.must("org", "create", "sqlite:orgs/acme.db", "--name", "acme")
    world.must("org", "create", "sqlite:orgs/acme-dr.db", "--name", "acme-dr", "--admin", "admin@acme.example.dr")
    world.sql("acme", *(f'INSERT INTO "Account" ("Name") VALUES (\'A{number}\')' for number in range(4)))
    world.apply()
    world.must("bulk-sync")
    assert world.plan()["actions"] == [] and world.plan()["drift"] == []
    return world.folder


@pytest.fixture
def pair(applied_orgs: Path, tmp_path: Path) -> Drifting:
    """Two connected orgs of the test's own."""
    return Drifting(Path(shutil.copytree(applied_orgs, tmp_path / "work")))
