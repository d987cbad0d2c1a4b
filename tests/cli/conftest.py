"""A folder with two orgs and manifests, applied once and copied for every test that changes it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from program import CONNECTION, publication
from two_orgs import run_in, sql


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's terminal or clock."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "ORGSYNC_NOW"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def two_orgs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two empty orgs and manifests for Account and Contact; nothing is applied. Not to be changed."""
    folder = tmp_path_factory.mktemp("two_orgs")
    manifests = folder / "manifests"
    manifests.mkdir()
    (manifests / "connection.yaml").write_text(CONNECTION)
    (manifests / "account.yaml").write_text(publication("Account"))
    (manifests / "contact.yaml").write_text(publication("Contact"))
    steps: Sequence[Sequence[str]] = (
        ("org", "create", "sqlite:orgs/acme.db", "--name", "acme"),
        ("org", "create", "sqlite:orgs/acme-dr.db", "--name", "acme-dr", "--admin", "admin@acme.example.dr"),
    )
    for step in steps:
        result = run_in(folder, *step)
        assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="session")
def connected_orgs(two_orgs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, applied, with three accounts copied. Not to be changed."""
    folder = tmp_path_factory.mktemp("connected") / "work"
    shutil.copytree(two_orgs, folder)
    sql(folder, "acme", "INSERT INTO \"Account\" (\"Name\") VALUES ('One'), ('Two'), ('Three')")
    for step in (("apply", "--yes"), ("bulk-sync",)):
        result = run_in(folder, *step)
        assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def fresh(two_orgs: Path, tmp_path: Path) -> Path:
    """A folder of the test's own with two orgs that are not connected."""
    return Path(shutil.copytree(two_orgs, tmp_path / "work"))


@pytest.fixture
def connected(connected_orgs: Path, tmp_path: Path) -> Path:
    """A folder of the test's own with two connected orgs."""
    return Path(shutil.copytree(connected_orgs, tmp_path / "work"))
