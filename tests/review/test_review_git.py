"""REC-9: revisions are read from the object store, wherever it is, and what is missing is said with its remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from git_world import CONNECTION, MANIFESTS, Repo, git, publication

ONE = "publishes 1 more field: Fax"
MORE_FIELDS = {"manifests/account.yaml": publication("Account", "{include: [Name, Phone, Fax]}")}


def test_nothing_is_checked_out(repo: Repo) -> None:
    """REC-9: with another branch checked out, and files changed and staged, all stays as it is."""
    repo.branch("topic", MORE_FIELDS)
    repo.git("checkout", "-q", "main")
    (repo.folder / "manifests" / "case.yaml").write_text("broken: [")
    before = repo.git("status", "--porcelain=v2", "--branch"), (repo.folder / ".git" / "index").read_bytes()
    assert [item[2] for item in repo.differences("main", "topic")] == [ONE]
    assert before == (repo.git("status", "--porcelain=v2", "--branch"), (repo.folder / ".git" / "index").read_bytes())


def test_the_working_folder(repo: Repo) -> None:
    """REC-9: `-` is what is on disk, committed or not."""
    (repo.folder / "manifests" / "account.yaml").write_text(MORE_FIELDS["manifests/account.yaml"])
    assert [item[2] for item in repo.differences("main", "-")] == [ONE]
    assert repo.differences("main") == []


def test_bare_repositories(repo: Repo, tmp_path: Path) -> None:
    """REC-9: a bare repository has no working folder and needs none."""
    repo.branch("topic", MORE_FIELDS)
    git(tmp_path, "clone", "-q", "--bare", str(repo.folder), "bare.git")
    assert [item[2] for item in Repo(tmp_path / "bare.git").differences("main", "topic")] == [ONE]


def test_a_folder_below_the_root(tmp_path: Path) -> None:
    """REC-9: --dir and --manifests name a folder anywhere in the repository."""
    repo = Repo.made(tmp_path / "repo", {f"infra/{name}": text for name, text in MANIFESTS.items()})
    repo.branch("topic", {f"infra/{name}": text for name, text in MORE_FIELDS.items()})
    inner = Repo(repo.folder / "infra")
    assert [item[2] for item in inner.differences()] == [ONE]
    found = repo.review("main", "--no-plan", "--manifests", "infra/manifests")["differences"]
    assert found[0]["source"]["file"] == "infra/manifests/account.yaml"
    outside = inner.run("review", "main", "-m", "../../elsewhere")
    assert outside.exit_code == 64
    assert "outside the Git repository" in outside.stderr


def test_shallow_clones(repo: Repo, tmp_path: Path) -> None:
    """REC-9: a shallow clone with the common commit works; without it, the command that fetches it is named."""
    for number in range(3):
        repo.commit({"notes.txt": f"{number}\n"})
    repo.branch("topic", MORE_FIELDS)
    repo.git("checkout", "-q", "main")
    repo.commit({"notes.txt": "later\n"})
    url = repo.folder.as_uri()
    git(tmp_path, "clone", "-q", "--depth", "1", "--no-single-branch", url, "flat")
    flat = Repo(tmp_path / "flat")
    result = flat.run("review", "origin/main", "origin/topic")
    assert result.exit_code == 1
    assert "have no common commit here; fetch the history with: git fetch --unshallow" in result.stderr
    flat.git("fetch", "-q", "--unshallow")
    assert [item[2] for item in flat.differences("origin/main", "origin/topic")] == [ONE]


def test_missing_revisions(repo: Repo, tmp_path: Path) -> None:
    """REC-9: one line with the fetch that mends it, exit code 1."""
    git(tmp_path, "clone", "-q", str(repo.folder), "clone")
    clone = Repo(tmp_path / "clone")
    for revision, remedy in (("origin/topic", "git fetch origin topic"), ("v1.0", "git fetch origin v1.0")):
        result = clone.run("review", revision)
        assert result.exit_code == 1
        assert result.stderr == f'error: there is no revision "{revision}" here; fetch it with: {remedy}\n'
        assert result.stdout == ""


def test_no_repository(tmp_path: Path) -> None:
    """REC-9: outside a repository, one line."""
    result = Repo(tmp_path).run("review", "main")
    assert result.exit_code == 1
    assert "there is no Git repository here" in result.stderr


def test_no_common_commit(repo: Repo) -> None:
    """REC-9: histories that have nothing in common are an error and no empty difference."""
    repo.git("checkout", "-q", "--orphan", "other")
    repo.commit({"README": "another beginning"})
    result = repo.run("review", "main")
    assert result.exit_code == 1
    assert "have no common commit here" in result.stderr


def test_a_branch_behind_its_base(repo: Repo) -> None:
    """REC-9: only what the branch changes is shown, that it is behind, and where the base changed the same."""
    repo.branch("topic", MORE_FIELDS)
    repo.git("checkout", "-q", "main")
    repo.commit({"manifests/case.yaml": None})
    repo.commit({"manifests/account.yaml": publication("Account", "{include: [Name]}")})
    found = repo.review("main", "topic", "--no-plan")
    assert [item["message"] for item in found["differences"]] == [ONE]
    assert (found["behind"], found["overlapping"]) == (2, ["link/publication/Account"])
    text = repo.run("review", "main", "topic", "--no-plan").stdout
    assert "topic is 2 commits behind main; shown is only what topic changes, since" in text
    assert "main has changed the same since then: link/publication/Account" in " ".join(text.split())


def test_a_head_with_errors(repo: Repo) -> None:
    """REC-8, REC-9: all errors with their places, exit code 1, in every format; the comment keeps its marker."""
    repo.branch(
        "topic",
        {
            "manifests/account.yaml": publication("Account", "none"),
            "manifests/connection.yaml": CONNECTION + "odd: 1\n",
        },
    )
    result = repo.run("review", "main")
    assert result.exit_code == 1
    assert "manifests/account.yaml:5:9: error" in result.stderr
    assert "manifests/connection.yaml:10:1: error" in result.stderr
    document = repo.run("review", "main", "--format", "json")
    assert document.exit_code == 1
    assert [item["source"]["line"] for item in json.loads(document.stdout)["diagnostics"]] == [5, 10]
    comment = repo.run("review", "main", "--format", "markdown")
    assert comment.exit_code == 1
    assert comment.stdout.startswith("<!-- orgsync:review -->\n")
    assert "`manifests/account.yaml:5:9`" in comment.stdout


def test_a_base_with_errors(repo: Repo) -> None:
    """REC-9: what a broken base meant cannot be told; a branch that mends it is reviewed all the same."""
    repo.commit({"manifests/account.yaml": "version: 1\nkind: Publication\n"})
    repo.branch("topic", MORE_FIELDS)
    found = repo.review("main")
    assert found["differences"] == []
    assert found["base"]["problem"].startswith("manifests/account.yaml:1:1: error E114")
    assert repo.run("review", "main", "--detailed-exitcode").exit_code == 2


def test_the_first_manifests(tmp_path: Path) -> None:
    """REC-9: against a base without manifests everything is new."""
    repo = Repo.made(tmp_path / "repo", {"README": "soon\n"})
    repo.branch("topic", MANIFESTS)
    assert [item[0] for item in repo.differences()] == ["acme", "acme-dr", "connection", "Account", "Case"]


@pytest.mark.parametrize("name", ["feature/x.y", "täg", "-x", "--upload-pack=x"])
def test_odd_branch_names(repo: Repo, name: str) -> None:
    """REC-9: any name that Git takes."""
    commit = repo.branch("topic", MORE_FIELDS)
    repo.git("update-ref", f"refs/heads/{name}", commit)
    found = repo.run("review", "--no-plan", "--", "main", name)
    assert found.exit_code == 0, found.stderr
    assert ONE in found.stdout
