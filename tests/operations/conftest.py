"""A mail server for each test, and two orgs, connected once and copied for every test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mail_world import MANIFESTS, Postbox, add_user, listen, set_up_mail
from two_orgs import must, sql


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's terminal or clock."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "ORGSYNC_NOW"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def new_orgs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two orgs that are not connected, with manifests that publish Account."""
    folder = tmp_path_factory.mktemp("new_orgs")
    (folder / "manifests").mkdir()
    (folder / "manifests" / "acme.yaml").write_text(MANIFESTS)
    for name, admin in (("acme", "admin@acme.example"), ("acme-dr", "admin@acme.example.dr")):
        must(folder, "org", "create", f"sqlite:orgs/{name}.db", "--name", name, "--admin", admin)
    return folder


@pytest.fixture(scope="session")
def joined_orgs(new_orgs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, connected, with two users and two accounts in both."""
    folder = tmp_path_factory.mktemp("joined") / "work"
    shutil.copytree(new_orgs, folder)
    add_user(folder, "ann@acme.example")
    add_user(folder, "bob@acme.example", "bob@home.example")
    sql(folder, "acme", "INSERT INTO \"Account\" (\"Name\") VALUES ('One'), ('Two')")
    must(folder, "apply", "--yes", ORGSYNC_NOW="2026-03-01T08:00:00Z")
    must(folder, "bulk-sync")
    return folder


@pytest.fixture
def post() -> Iterator[Postbox]:
    """A mail server without encryption; `port` is where it listens."""
    box = Postbox()
    controller = listen(box)
    box.port = controller.port
    yield box
    controller.stop()


@pytest.fixture
def apart(new_orgs: Path, tmp_path: Path, post: Postbox) -> Path:
    """A folder of the test's own with two orgs that are not connected, and mail."""
    folder = Path(shutil.copytree(new_orgs, tmp_path / "work"))
    set_up_mail(folder, post.port)
    return folder


@pytest.fixture
def joined(joined_orgs: Path, tmp_path: Path, post: Postbox) -> Path:
    """A folder of the test's own with two connected orgs, and mail."""
    folder = Path(shutil.copytree(joined_orgs, tmp_path / "work"))
    set_up_mail(folder, post.port)
    return folder
