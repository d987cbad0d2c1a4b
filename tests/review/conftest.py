"""Repositories to review: a small one, and one with two connected orgs that were synced once."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from git_world import Repo, with_orgs


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's terminal, clock or Git."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "ORGSYNC_NOW", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository without orgs."""
    return Repo.made(tmp_path / "repo")


@pytest.fixture(scope="session")
def synced_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed."""
    repo = Repo.made(tmp_path_factory.mktemp("synced") / "repo")
    for name, admin in (("acme", "admin@acme.example"), ("acme-dr", "admin@acme.example.dr")):
        made = repo.run("org", "create", f"sqlite:orgs/{name}.db", "--name", name, "--admin", admin)
        assert made.exit_code == 0, made.output
    db = sqlite3.connect(repo.folder / "orgs" / "acme.db")
    db.executemany('INSERT INTO "Case" ("Subject") VALUES (?)', [(f"Case {number}",) for number in range(1204)])
    db.commit()
    db.close()
    for step in (("apply", "--yes"), ("bulk-sync",)):
        result = repo.run(*step)
        assert result.exit_code == 0, result.output
    return repo.folder


@pytest.fixture
def synced(synced_template: Path, tmp_path: Path) -> Repo:
    """A repository of the test's own with two connected orgs: 1,204 linked cases, one linked account."""
    return with_orgs(synced_template, tmp_path / "repo")
