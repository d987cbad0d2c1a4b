"""Two orgs, connected once, a mail server and a web server for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mail_world import MANIFESTS, Postbox, add_user, listen
from two_orgs import must, sql
from web_world import Receiver, receiver


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's terminal or clock."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "ORGSYNC_NOW"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def joined_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two orgs with a connection, two users and two accounts. Not to be changed."""
    folder = tmp_path_factory.mktemp("alerts") / "work"
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
def world(joined_once: Path, tmp_path: Path) -> Path:
    """A folder of the test's own with two connected orgs."""
    return Path(shutil.copytree(joined_once, tmp_path / "work"))


@pytest.fixture
def post() -> Iterator[Postbox]:
    """A mail server without encryption; `port` is where it listens."""
    box = Postbox()
    controller = listen(box)
    box.port = controller.port
    yield box
    controller.stop()


@pytest.fixture
def hooks() -> Iterator[Receiver]:
    """A web server that keeps what is posted to it."""
    with receiver() as found:
        yield found
