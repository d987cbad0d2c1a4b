"""A repository with two orgs that a stranger's branch is reviewed in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "review"))

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
def orgs_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two new orgs, not connected. Not to be changed."""
    made = Repo.made(tmp_path_factory.mktemp("trusted") / "repo")
    for name, admin in (("acme", "admin@acme.example"), ("acme-dr", "admin@acme.example.dr")):
        result = made.run("org", "create", f"sqlite:orgs/{name}.db", "--name", name, "--admin", admin)
        assert result.exit_code == 0, result.output
    return made.folder


@pytest.fixture
def trusted(orgs_template: Path, tmp_path: Path) -> Repo:
    """A repository of the test's own with two orgs."""
    return with_orgs(orgs_template, tmp_path / "repo")
