"""A repository with two connected orgs, and the ready-made pipelines."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "review"))

from git_world import Repo, with_orgs


@pytest.fixture(scope="session")
def orgs_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two new orgs, not connected, and a bare repository that they are cloned from. Not to be changed."""
    made = Repo.made(tmp_path_factory.mktemp("pipelines") / "repo")
    for name, admin in (("acme", "admin@acme.example"), ("acme-dr", "admin@acme.example.dr")):
        result = made.run("org", "create", f"sqlite:orgs/{name}.db", "--name", name, "--admin", admin)
        assert result.exit_code == 0, result.output
    return made.folder


@pytest.fixture
def repo(orgs_template: Path, tmp_path: Path) -> Repo:
    """A repository of the test's own with two orgs."""
    return with_orgs(orgs_template, tmp_path / "repo")
