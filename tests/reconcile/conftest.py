"""Two orgs, connected once with two accounts in both, and copied for every test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mail_world import MANIFESTS, add_user
from two_orgs import must, sql


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's terminal or clock."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "ORGSYNC_NOW"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def connected_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two orgs with a connection, two users and two accounts. Not to be changed."""
    folder = tmp_path_factory.mktemp("reconcile") / "work"
    (folder / "manifests").mkdir(parents=True)
    (folder / "manifests" / "acme.yaml").write_text(MANIFESTS)
    for name, admin in (("acme", "admin@acme.example"), ("acme-dr", "admin@acme.example.dr")):
        must(folder, "org", "create", f"sqlite:orgs/{name}.db", "--name", name, "--admin", admin)
    add_user(folder, "ann@acme.example")
    sql(folder, "acme", "INSERT INTO \"Account\" (\"Name\") VALUES ('One'), ('Two')")
    must(folder, "apply", "--yes")
    must(folder, "bulk-sync")
    must(folder, "drain")
    return folder


@pytest.fixture
def connected(connected_once: Path, tmp_path: Path) -> Path:
    """A folder of the test's own with two connected orgs."""
    return Path(shutil.copytree(connected_once, tmp_path / "work"))
