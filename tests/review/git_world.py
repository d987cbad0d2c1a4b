"""A Git repository with manifests and two orgs, its branches, and the program run in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from two_orgs import ORGS, connection

from orgsync_reconcile.cli.main import cli

CONNECTION = connection("link", "direction: two-way\nsync: {metadata: false, users: false}\n")


def publication(name: str, fields: str = "all", more: str = "") -> str:
    """A manifest that publishes an object over the connection."""
    return f"version: 1\nkind: Publication\nconnection: link\nobject: {name}\nfields: {fields}\n{more}"


MANIFESTS = {
    "manifests/orgs.yaml": ORGS,
    "manifests/connection.yaml": CONNECTION,
    "manifests/account.yaml": publication("Account", "{include: [Name, Phone]}"),
    "manifests/case.yaml": publication("Case", "{include: [Subject]}"),
}
#: Git as it is on any machine: no settings of whoever runs the tests.
PLAIN = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@acme.example",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@acme.example",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}


def git(folder: Path, *arguments: str, data: bytes | None = None) -> str:
    """What Git answers."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **PLAIN},
        input=data,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


class Repo:
    """A repository with a working folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def made(cls, folder: Path, files: Mapping[str, str] = MANIFESTS) -> Repo:
        """A new repository whose branch main has these files."""
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "-q", "-b", "main")
        repo = cls(folder)
        repo.commit({**files, ".gitignore": "orgs/\n"})
        return repo

    def git(self, *arguments: str) -> str:
        return git(self.folder, *arguments)

    def commit(self, files: Mapping[str, str | None]) -> str:
        """Writes (None: removes) files and commits them; the commit."""
        for name, text in files.items():
            path = self.folder / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-q", "--allow-empty", "-m", "change")
        return git(self.folder, "rev-parse", "HEAD")

    def branch(self, name: str, files: Mapping[str, str | None]) -> str:
        """A new branch, checked out, with one commit; the commit."""
        git(self.folder, "checkout", "-q", "-b", name)
        return self.commit(files)

    def run(self, *arguments: str) -> Result:
        """Runs the program here; standard output and standard error apart."""
        return CliRunner(env=PLAIN).invoke(cli, ["-C", str(self.folder), *arguments])

    def review(self, *arguments: str) -> dict[str, Any]:
        """The JSON document of a review that succeeds."""
        result = self.run("review", *arguments, "--format", "json")
        assert result.exit_code in (0, 2), result.stderr
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def differences(self, *arguments: str) -> list[tuple[str, str, str]]:
        """(subject, risk, message) of each difference to main, without a plan."""
        found = self.review(*(arguments or ("main",)), "--no-plan")["differences"]
        return [(item["subject"], item["risk"], item["message"]) for item in found]


def with_orgs(template: Path, folder: Path) -> Repo:
    """A copy of a repository with its orgs."""
    return Repo(Path(shutil.copytree(template, folder, symlinks=True)))
