"""Two orgs, connected once and copied for every test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from failover_world import MANIFESTS, Door, Postbox, add_user, door, mail_server, set_up
from two_orgs import must, sql


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's terminal or clock."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "ORGSYNC_NOW"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def connected_orgs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two connected orgs with three users and two accounts in both. Not to be changed."""
    folder = tmp_path_factory.mktemp("failover") / "work"
    (folder / "manifests").mkdir(parents=True)
    (folder / "manifests" / "acme.yaml").write_text(MANIFESTS)
    for name, admin in (("acme", "admin@acme.example"), ("acme-dr", "admin@acme.example.dr")):
        must(folder, "org", "create", f"sqlite:orgs/{name}.db", "--name", name, "--admin", admin)
    add_user(folder, "ann@acme.example")
    add_user(folder, "bob@acme.example", "System Administrator")
    sql(folder, "acme", "INSERT INTO \"Account\" (\"Name\") VALUES ('One'), ('Two')")
    must(folder, "apply", "--yes")
    must(folder, "bulk-sync")
    return folder


@pytest.fixture
def work(connected_orgs: Path, tmp_path: Path) -> Path:
    """A folder of the test's own with two connected orgs and a plain Failover document."""
    folder = Path(shutil.copytree(connected_orgs, tmp_path / "work"))
    set_up(folder)
    return folder


@pytest.fixture
def post() -> Iterator[Postbox]:
    """A mail server."""
    with mail_server() as box:
        yield box


@pytest.fixture
def primary_door() -> Iterator[Door]:
    """The primary's front door."""
    with door() as found:
        yield found


@pytest.fixture
def secondary_door() -> Iterator[Door]:
    """The secondary's front door."""
    with door() as found:
        yield found
