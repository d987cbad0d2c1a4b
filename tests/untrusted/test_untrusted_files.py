"""REC-11: links, devices, sizes, numbers, bombs and programs in a stranger's tree."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest
from git_world import CONNECTION, ORGS, Repo, git, publication

LEADS_OUTSIDE = "error E109: a link that leads outside the manifest folder"


def both(repo: Repo) -> list[str]:
    """What the folder on disk and the committed tree are told."""
    disk, tree = repo.run("validate"), repo.run("review", "main", "HEAD", "--no-plan")
    assert (disk.exit_code, tree.exit_code) == (1, 1), disk.output + tree.output
    return [disk.stderr, tree.stderr]


@pytest.mark.parametrize("target", ["/etc/passwd", "../../secret.yaml", "../secret.yaml", "a.yaml"])
def test_links_that_lead_outside(repo: Repo, tmp_path: Path, target: str) -> None:
    """REC-11: a committed link to a file outside (or to itself) is not read, on disk or in the tree."""
    for secret in (tmp_path / "secret.yaml", repo.folder / "secret.yaml"):
        secret.write_text("hunter2: {")
    repo.git("checkout", "-q", "-b", "topic")
    (repo.folder / "manifests" / "a.yaml").symlink_to(target)
    repo.commit({})
    for said in both(repo):
        assert "manifests/a.yaml:1:1: error E109" in said
        assert "hunter2" not in said
        assert "root:" not in said


def test_a_linked_folder(repo: Repo, tmp_path: Path) -> None:
    """REC-11: a folder outside is not entered."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.yaml").write_text("hunter2: {")
    repo.git("checkout", "-q", "-b", "topic")
    (repo.folder / "manifests" / "more").symlink_to(tmp_path / "outside")
    repo.commit({})
    for said in both(repo):
        assert LEADS_OUTSIDE in said
        assert "hunter2" not in said


def test_a_link_inside(repo: Repo) -> None:
    """REC-11: a link to a file of the folder is read, by the same rule in both."""
    repo.git("checkout", "-q", "-b", "topic")
    (repo.folder / "manifests" / "contact.txt").write_text(publication("Contact"))
    (repo.folder / "manifests" / "contact.yaml").symlink_to("contact.txt")
    repo.commit({})
    assert [item[0] for item in repo.differences()] == ["Contact"]
    assert repo.differences("main", "-") == repo.differences()


def test_submodules_and_special_files(repo: Repo) -> None:
    """REC-11: a submodule in the tree and a pipe on disk are refused at once."""
    commit = repo.git("rev-parse", "HEAD")
    repo.git("checkout", "-q", "-b", "topic")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{commit},manifests/module")
    repo.git("commit", "-q", "-m", "module")
    said = repo.run("review", "main", "--no-plan").stderr
    assert "manifests/module:1:1: error E109: a submodule" in said
    os.mkfifo(repo.folder / "manifests" / "pipe.yaml")
    assert "manifests/pipe.yaml:1:1: error E109: not a regular file" in repo.run("review", "main", "-").stderr


def test_large_files_and_deep_folders(repo: Repo) -> None:
    """REC-11: sizes are looked at before anything is read; folders have an end."""
    deep = "/".join(["manifests", *"d" * 40, "x.yaml"])
    repo.branch("topic", {"manifests/big.yaml": "x: " + "y" * 1024 * 1024, deep: "x"})
    for said in both(repo):
        assert "manifests/big.yaml:1:1: error E103" in said
        assert "error E104: more than 32 folders deep" in said


def test_many_files(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """REC-11: the number of files has a limit."""
    monkeypatch.setattr("orgsync_reconcile.manifest.files.COUNT_LIMIT", 10)
    monkeypatch.setattr("orgsync_reconcile.manifest.revisions.COUNT_LIMIT", 10)
    repo.branch("topic", {f"manifests/n{number}.yaml": "x" for number in range(10)})
    for said in both(repo):
        assert "error E103: more than 10 manifest files" in said


_BOMB = "a: &a [x, x]\n" + "\n".join(
    f"{name}: &{name} [*{old}, *{old}]" for old, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (_BOMB, "E105"),
        ("x: " + "[" * 100_000, "E104"),
        ("!!python/object/apply:os.system [touch ran]", "E106"),
        (CONNECTION.replace("two-way", "\"{{ 'x' * 300000000 }}\""), "E120"),
        (CONNECTION.replace("two-way", '"{{ 10 ** 5000000 }}"'), "E120"),
        (CONNECTION.replace("two-way", '"{{ values.__class__.__mro__ }}"'), "E121"),
        (CONNECTION.replace("two-way", "\"{{ cycler.__init__.__globals__.os.popen('touch ran') }}\""), "E120"),
        (CONNECTION.replace("two-way", "\"{% include '/etc/passwd' %}\""), "E120"),
        (CONNECTION + "limits: {feed_file_bytes: " + "9" * 100_000 + "}\n", "E115"),
        (ORGS.replace("sqlite:orgs/acme.db", '"postgresql://' + ":" * 200_000 + '"'), "E117"),
        (ORGS.replace("admin@acme.example\n", "a@" + "a." * 200_000 + "\n"), "E117"),
        ("version: 1\nkind: Metadata\nconnection: link\ninclude: ['Layout" + ":*a" * 100_000 + "b\\n']\n", ""),
    ],
    ids=[
        "aliases",
        "depth",
        "tag",
        "jinja-text",
        "jinja-power",
        "jinja-class",
        "jinja-call",
        "include",
        "number",
        "store",
        "username",
        "pattern",
    ],
)
def test_bombs(repo: Repo, text: str, code: str) -> None:
    """REC-11: what is small to write and large to work out is refused within two seconds, and runs nothing."""
    repo.branch("topic", {"manifests/bomb.yaml": text})
    started = time.process_time()
    result = repo.run("review", "main", "--no-plan")
    assert time.process_time() - started < 2
    if code:
        assert result.exit_code == 1
        assert f"error {code}: " in result.stderr, result.stderr[:500]
    assert not list(repo.folder.rglob("ran"))
    assert "root:" not in result.output


def _program(folder: Path, name: str, marker: Path) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\ntouch {marker}\ncat\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_git_runs_nothing_of_the_branch(repo: Repo, tmp_path: Path) -> None:
    """REC-11: filters, text conversions, monitors, hooks, diff and merge drivers stay unused, even if set up here."""
    marker = tmp_path / "ran"
    program = _program(repo.folder, "evil.sh", marker)
    hook = _program(repo.folder / ".git" / "hooks", "post-checkout", marker)
    attributes = "*.yaml filter=evil diff=evil merge=evil\n"
    repo.branch("topic", {"manifests/account.yaml": publication("Account"), "manifests/.gitattributes": attributes})
    for setting in (
        "filter.evil.smudge", "filter.evil.clean", "filter.evil.process", "diff.evil.textconv", "diff.evil.command",
        "merge.evil.driver", "core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "alias.rev-parse",
        "diff.external", "credential.helper", "core.askPass",
    ):  # fmt: skip
        repo.git("config", setting, str(program))
    repo.git("config", "core.hooksPath", str(hook.parent))
    marker.unlink(missing_ok=True)
    assert repo.differences("main", "topic") != []
    assert repo.run("review", "main", "-", "--no-plan").exit_code == 0
    assert not marker.exists()


def test_a_bare_repository_in_the_tree(repo: Repo, tmp_path: Path) -> None:
    """REC-11: a folder of the branch that looks like a repository of its own, and its settings, start no program."""
    marker = tmp_path / "ran"
    program = _program(tmp_path, "evil.sh", marker)
    inner = repo.folder / "manifests"
    git(tmp_path, "init", "-q", "--bare", str(inner))
    (inner / "config").write_text(
        "[core]\nrepositoryformatversion = 1\nbare = true\n"
        f"fsmonitor = {program}\nsshCommand = {program}\npager = {program}\n"
        "[extensions]\npartialClone = origin\n"
        f'[remote "origin"]\nurl = {tmp_path}\npromisor = true\nuploadpack = {program}\n'
    )
    result = Repo(inner).run("review", "main", "0" * 40)
    assert result.exit_code == 1
    assert not marker.exists()


def test_missing_objects_are_not_fetched(repo: Repo, tmp_path: Path) -> None:
    """REC-11: a partial clone is told to fetch; nothing is fetched behind its back."""
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.branch("topic", {"manifests/account.yaml": publication("Account")})
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=blob:none", repo.folder.as_uri(), "partial")
    result = Repo(tmp_path / "partial").run("review", "origin/main", "origin/topic", "--no-plan")
    assert result.exit_code == 1
    assert "git" in result.stderr
    assert "Traceback" not in result.stderr
