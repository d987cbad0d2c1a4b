"""REC-9, REC-10: the ready-made pipelines are well-formed, and their steps do what they say on a real repository."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from git_world import PLAIN, Repo, publication

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
#: A stand-in for GitHub's own program: it keeps comments in a file, and says what it was asked.
GH = """#!/bin/sh
echo "$@" >> gh.log
case "$*" in
  *--jq*) test -f comment.md && echo 7 ;;
  *body=@review.md*) cp review.md comment.md ;;
esac
exit 0
"""


def data(name: str) -> Any:
    return yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))


def shell(repo: Repo, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a step as a runner does: `bash -e`, with the program on the path."""
    tools = repo.folder.parent / "tools"
    tools.mkdir(exist_ok=True)
    program = tools / "orgsync"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m orgsync_reconcile "$@"\n')
    (tools / "gh").write_text(GH)
    for path in tools.iterdir():
        path.chmod(0o755)
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=repo.folder,
        env={**os.environ, **PLAIN, "PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def step(workflow: str, job: str, name: str) -> str:
    """The script of one step."""
    found: str = next(item["run"] for item in data(workflow)["jobs"][job]["steps"] if item.get("name") == name)
    return found


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        (("vendor.github-workflows",), sorted((EXAMPLES / "github").glob("*.yml"))),
        (("vendor.gitlab-ci", "--data-transform", "gitlab-ci"), [EXAMPLES / "gitlab" / ".gitlab-ci.yml"]),
    ],
    ids=["github", "gitlab"],
)
def test_schemas(schema: tuple[str, ...], files: list[Path]) -> None:
    """REC-9: what the platforms' own schemas say."""
    assert files
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *schema, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_workflows_take_few_rights() -> None:
    """REC-11: read-only unless a comment is written, no `pull_request_target`, nothing of a stranger inside a script."""
    for path in sorted((EXAMPLES / "github").glob("*.yml")):
        workflow = data(f"github/{path.name}")
        rights = {"contents": "read"} | ({"pull-requests": "write"} if "review" in path.name else {})
        assert workflow["permissions"] == rights
        assert "pull_request_target" not in workflow[True]
        for job in workflow["jobs"].values():
            for item in job["steps"]:
                assert "${{" not in item.get("run", ""), path.name
                assert item.get("uses", "actions/").startswith("actions/")


def test_every_command_exists() -> None:
    """REC-9: each `orgsync …` of the examples is a command of the program, with its options."""
    from click.testing import CliRunner

    from orgsync_reconcile.cli.main import cli

    texts = [path.read_text(encoding="utf-8") for path in EXAMPLES.rglob("*") if path.is_file()]
    texts.append((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    found = {
        match
        for text in texts
        for match in re.findall(r"orgsync ((?:review|plan|apply|drain|reconcile|fmt|validate)\b[^\n|>&;]*)", text)
    }
    assert len(found) > 8
    for words in sorted(found):
        command, *rest = words.split()
        help_text = CliRunner().invoke(cli, [command, "--help"]).stdout
        for option in (word for word in rest if re.fullmatch(r"--[a-z][a-z-]+", word)):
            assert option in help_text, words


def test_the_review_comment_is_updated_in_place(repo: Repo) -> None:
    """REC-9: the first run writes a comment, the second one changes it; an invalid branch fails and says why there."""
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    head = repo.branch("topic", {"manifests/case.yaml": None})
    world = {
        "BASE": "origin/main",
        "HEAD": head,
        "NUMBER": "12",
        "GITHUB_REPOSITORY": "acme/sync",
        "GITHUB_STEP_SUMMARY": str(repo.folder / "summary.md"),
    }
    review, comment = (step("github/orgsync-review.yml", "review", name) for name in ("Review", "Comment"))
    done = shell(repo, review, **world)
    assert done.returncode == 0, done.stderr
    assert "::warning title=R102::link: Case: unpublished" in done.stdout
    assert "**Review: 1 difference, 1 destructive.**" in (repo.folder / "summary.md").read_text()
    assert shell(repo, comment, **world).returncode == 0
    world["HEAD"] = repo.commit({"manifests/account.yaml": publication("Account", "none")})
    failed = shell(repo, review, **world)
    assert failed.returncode == 1
    assert "::error file=manifests/account.yaml,line=5,col=9" in failed.stdout
    assert shell(repo, comment, **world).returncode == 0
    calls = [line for line in (repo.folder / "gh.log").read_text().splitlines() if "--jq" not in line]
    assert calls == [
        "api --method POST repos/acme/sync/issues/12/comments -F body=@review.md",
        "api --method PATCH repos/acme/sync/issues/comments/7 -F body=@review.md",
    ]
    assert (repo.folder / "comment.md").read_text().startswith("<!-- orgsync:review -->\n")


def test_the_merged_plan_is_applied_and_reconciled(repo: Repo) -> None:
    """REC-2, REC-10: the saved plan is applied, planning again finds nothing, and the nightly run makes its report."""
    world = {"GITHUB_STEP_SUMMARY": str(repo.folder / "summary.md"), "GITHUB_OUTPUT": str(repo.folder / "output")}
    workflow = "github/orgsync-apply.yml"
    planned = shell(repo, step(workflow, "plan", "Plan"), **world)
    assert planned.returncode == 0, planned.stderr
    assert (repo.folder / "output").read_text() == "changes=true\n"
    for name in ("Apply", "Send what is queued"):
        done = shell(repo, step(workflow, "apply", name))
        assert done.returncode == 0, done.stderr
    assert shell(repo, step(workflow, "plan", "Plan"), **world).returncode == 0
    assert (repo.folder / "output").read_text() == "changes=true\nchanges=false\n"
    nightly = shell(repo, step("github/orgsync-reconcile.yml", "reconcile", "Reconcile"))
    assert nightly.returncode == 0, nightly.stderr
    assert json.loads((repo.folder / "report.json").read_text())


def test_the_gitlab_jobs(repo: Repo) -> None:
    """REC-9: the review job fetches its base and keeps the comment; plan and apply do the rest."""
    jobs = data("gitlab/.gitlab-ci.yml")
    origin = repo.folder.parent / "origin.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(repo.folder), str(origin)], check=True, timeout=60)
    repo.git("remote", "add", "origin", str(origin))
    head = repo.branch("topic", {"manifests/case.yaml": None})
    world = {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_COMMIT_SHA": head}
    done = shell(repo, "\n".join(jobs["review"]["script"]), **world)
    assert done.returncode == 0, done.stderr
    assert (repo.folder / "review.md").read_text().startswith("<!-- orgsync:review -->\n")
    for job in ("plan", "apply", "reconcile"):
        done = shell(repo, "\n".join(jobs[job]["script"]))
        assert done.returncode == 0, done.stderr


def test_the_hook_of_git(repo: Repo) -> None:
    """REC-8: broken manifests are not committed; good ones are, and what they change is shown."""
    subprocess.run(["sh", "-n", str(EXAMPLES / "pre-commit" / "pre-commit")], check=True, timeout=10)
    shutil.copy(EXAMPLES / "pre-commit" / "pre-commit", repo.folder / ".git" / "hooks" / "pre-commit")
    path = repo.folder / "manifests" / "account.yaml"
    path.write_text("broken: [")
    refused = shell(repo, "git commit -qam broken")
    assert refused.returncode == 1
    assert "manifests/account.yaml:2:1: error E101" in refused.stderr
    path.write_text(publication("Account", "{include: [Name, Phone, Fax]}"))
    done = shell(repo, "git commit -qam fax")
    assert done.returncode == 0, done.stderr
    assert "publishes 1 more field: Fax" in done.stdout + done.stderr


def test_hooks_of_the_framework() -> None:
    """REC-8: the repository offers the hooks that the example names."""
    offered = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    used = data("pre-commit/.pre-commit-config.yaml")["repos"][0]["hooks"]
    keys = ("id", "name", "entry", "files", "pass_filenames")
    assert [[item[key] for key in keys] for item in offered] == [[item[key] for key in keys] for item in used]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not there")
def test_the_units() -> None:
    """REC-10: systemd has nothing to say against the service and its timer."""
    files = [str(EXAMPLES / "systemd" / name) for name in ("orgsync.service", "orgsync.timer")]
    done = subprocess.run(
        ["systemd-analyze", "verify", *files], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "orgsync" not in done.stderr


def test_the_table_of_cron(repo: Repo) -> None:
    """REC-10: each line is a schedule, a user and a command that runs."""
    from croniter import croniter

    lines = [line for line in (EXAMPLES / "cron" / "orgsync").read_text().splitlines() if re.match(r"[*\d]", line)]
    assert len(lines) == 2
    assert shell(repo, "orgsync apply --yes").returncode == 0
    for line in lines:
        *schedule, user, script = line.split(maxsplit=6)
        assert croniter.is_valid(" ".join(schedule))
        assert user == "orgsync"
        done = shell(repo, script.replace("/srv/orgsync", str(repo.folder)))
        assert done.returncode == 0, done.stderr


def test_the_image() -> None:
    """REC-10: it does not run as root, and its build sees the manifests and nothing else."""
    lines = (EXAMPLES / "docker" / "Dockerfile").read_text().splitlines()
    words = [line.split()[0] for line in lines if line and not line.startswith((" ", "#"))]
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert (EXAMPLES / "docker" / ".dockerignore").read_text() == "*\n!manifests\n"
