"""REC-11: a stranger's branch opens no store, reads no file and learns no secret that its base does not name."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from git_world import CONNECTION, ORGS, Repo

MAIL = "version: 1\nkind: Mail\nhost: mail.acme.example\nfrom: org@acme.example\nuser: org\n"


def refused(repo: Repo, code: str, place: str) -> str:
    """Both commands refuse, at the place; what the plan says."""
    planned = repo.run("plan", "--trust-base", "main")
    assert planned.exit_code == 1, planned.output
    assert planned.stdout == ""
    assert f"{place}: error {code}: " in planned.stderr
    found = repo.review("main")
    assert found["plan"] is None
    assert code in [item["code"] for item in found["untrusted"]]
    assert code in repo.run("review", "main", "--format", "markdown").stdout
    return planned.stderr


def test_what_the_base_declares_is_planned(trusted: Repo) -> None:
    """REC-11: an honest branch gets its plan, from both commands."""
    trusted.branch("topic", {"manifests/case.yaml": None})
    assert trusted.run("plan", "--trust-base", "main").exit_code == 0
    assert trusted.review("main")["plan"] is not None


def test_another_store(trusted: Repo, tmp_path: Path) -> None:
    """REC-11: another file, in the repository or outside; --trust-head opens it when told to."""
    shutil.copy(trusted.folder / "orgs" / "acme.db", tmp_path / "other.db")
    trusted.branch("topic", {"manifests/orgs.yaml": ORGS.replace("orgs/acme.db", "../other.db")})
    said = refused(trusted, "E401", "manifests/orgs.yaml:4:8")
    assert "the store of the org acme is sqlite:../other.db, but main has the store sqlite:orgs/acme.db" in said
    assert trusted.review("main", "--trust-head")["plan"] is not None


@pytest.mark.parametrize(
    "odd", ["orgs/acme.db?mode=rwc", "orgs/acme.db?vfs=unix-none", "file:orgs/acme.db?mode=memory"]
)
def test_odd_parameters(trusted: Repo, odd: str) -> None:
    """REC-11: SQLite's parameters are part of the path and change nothing about how a file is opened."""
    trusted.branch("topic", {"manifests/orgs.yaml": ORGS.replace("sqlite:orgs/acme.db", f'"sqlite:{odd}"')})
    refused(trusted, "E401", "manifests/orgs.yaml:4:8")
    before = sorted(path.name for path in trusted.folder.rglob("*.db*"))
    opened = trusted.run("plan")
    assert opened.exit_code == 1
    assert "there is no org at" in opened.stderr
    assert sorted(path.name for path in trusted.folder.rglob("*.db*")) == before


def test_a_statement_in_a_path(trusted: Repo, tmp_path: Path) -> None:
    """REC-11: a path that attaches a database attaches none."""
    attach = f"orgs/acme.db' ; ATTACH '{tmp_path}/made.db' AS x; --"
    trusted.branch("topic", {"manifests/orgs.yaml": ORGS.replace("sqlite:orgs/acme.db", f'"sqlite:{attach}"')})
    assert trusted.run("plan").exit_code == 1
    assert not (tmp_path / "made.db").exists()


def test_a_store_that_is_a_link(trusted: Repo, tmp_path: Path) -> None:
    """REC-11: the branch puts a link where its base has the store, to read somebody else's org."""
    elsewhere = tmp_path / "elsewhere"
    shutil.move(trusted.folder / "orgs", elsewhere)
    trusted.git("checkout", "-q", "-b", "topic")
    (trusted.folder / "orgs").symlink_to(elsewhere)
    trusted.commit({".gitignore": ""})
    said = refused(trusted, "E404", "manifests/orgs.yaml:4:8")
    assert "the store of the org acme goes through orgs, which main does not have like this" in said


def test_a_link_that_is_only_staged(trusted: Repo, tmp_path: Path) -> None:
    """REC-11: a pipeline that lays the branch's files over its base is not fooled either."""
    elsewhere = tmp_path / "elsewhere"
    shutil.move(trusted.folder / "orgs", elsewhere)
    (trusted.folder / "orgs").symlink_to(elsewhere)
    trusted.git("add", "-f", "orgs")
    assert "error E404" in trusted.run("plan", "--trust-base", "main").stderr


def test_a_store_of_its_own(trusted: Repo) -> None:
    """REC-11: the branch brings a database file to where the base has its store."""
    trusted.branch("topic", {".gitignore": "*-wal\n*-shm\n"})
    refused(trusted, "E404", "manifests/orgs.yaml:4:8")


def test_a_link_of_the_operators_own(trusted: Repo, tmp_path: Path) -> None:
    """REC-11: a link that no branch carries is the operator's, and is followed."""
    elsewhere = tmp_path / "elsewhere"
    shutil.move(trusted.folder / "orgs", elsewhere)
    (trusted.folder / "orgs").symlink_to(elsewhere)
    trusted.commit({".gitignore": "orgs\n"})
    assert trusted.run("plan", "--trust-base", "main").exit_code == 0


def test_a_secret_of_the_environment(trusted: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """REC-11: a variable named as a store is neither looked up nor printed; unasked-for content is not repeated."""
    monkeypatch.setenv("CLOUD_KEY", "hunter2:top-secret")
    trusted.branch("topic", {"manifests/orgs.yaml": ORGS.replace("sqlite:orgs/acme.db", "{env: CLOUD_KEY}")})
    said = refused(trusted, "E401", "manifests/orgs.yaml:4:1")
    assert "hunter2" not in said
    opened = trusted.run("plan")
    assert opened.exit_code == 64
    assert "the environment variable CLOUD_KEY does not hold the address of a store for acme" in opened.stderr
    assert "hunter2" not in opened.output + opened.stderr


@pytest.mark.parametrize("path", ["/etc/passwd", "../../../../etc/passwd", "/dev/zero", "pipe"])
def test_a_secret_file(trusted: Repo, path: str) -> None:
    """REC-11: files outside, devices and pipes: refused by trust; read without it, they neither hang nor leak."""
    if path == "pipe":
        os.mkfifo(trusted.folder / "pipe")
    trusted.branch("topic", {"manifests/orgs.yaml": ORGS.replace("sqlite:orgs/acme.db", f"{{file: {path}}}")})
    refused(trusted, "E401", "manifests/orgs.yaml:4:1")
    opened = trusted.run("plan")
    assert opened.exit_code == 64
    assert "root:" not in opened.output + opened.stderr


def test_the_content_of_a_secret_file(trusted: Repo, tmp_path: Path) -> None:
    """REC-11: the base names a file; the branch brings another content for it."""
    trusted.commit(
        {
            "manifests/orgs.yaml": ORGS.replace("sqlite:orgs/acme.db", "{file: store.txt}"),
            ".gitignore": "orgs/\nstore.txt\n",
        }
    )
    (trusted.folder / "store.txt").write_text("sqlite:orgs/acme.db\n")
    assert trusted.run("plan", "--trust-base", "main").exit_code == 0
    shutil.copy(trusted.folder / "orgs" / "acme.db", tmp_path / "other.db")
    trusted.branch("topic", {".gitignore": "orgs/\n", "store.txt": f"sqlite:{tmp_path}/other.db\n"})
    assert "the secret of the org acme goes through store.txt" in refused(trusted, "E404", "manifests/orgs.yaml:4:1")


def test_secrets_of_other_documents(trusted: Repo) -> None:
    """REC-11: a password or web address that becomes a reference to another secret is refused at its place."""
    trusted.commit({"manifests/mail.yaml": MAIL + "password: {env: MAIL_PASSWORD}\n"})
    trusted.branch(
        "topic",
        {
            "manifests/mail.yaml": MAIL + "password: {env: CLOUD_KEY}\n",
            "manifests/connection.yaml": CONNECTION + "notify:\n- {event: suspended, webhook: {env: CLOUD_KEY}}\n",
        },
    )
    said = refused(trusted, "E402", "manifests/mail.yaml:6:1")
    assert "main has no secret reference {env: CLOUD_KEY} at password of mail" in said
    assert "manifests/connection.yaml:10:1: error E402" in said


def test_another_administrator(trusted: Repo) -> None:
    """REC-11: who acts in an org is the base's business."""
    trusted.branch("topic", {"manifests/orgs.yaml": ORGS.replace("admin@acme.example\n", "root@acme.example\n")})
    refused(trusted, "E403", "manifests/orgs.yaml:5:8")


def test_a_value_that_moves_a_store(trusted: Repo) -> None:
    """REC-11: what counts is what an expression yields, whichever file changed it."""
    templated = ORGS.replace("sqlite:orgs/acme.db", '"sqlite:orgs/{{ values.org }}.db"')
    trusted.commit({"manifests/orgs.yaml": templated, "manifests/values.yaml": "org: acme\n"})
    assert trusted.run("plan", "--trust-base", "main").exit_code == 0
    trusted.branch("topic", {"manifests/values.yaml": "org: ../../other\n"})
    refused(trusted, "E401", "manifests/orgs.yaml:4:8")


def test_a_revision_that_is_an_option(trusted: Repo, tmp_path: Path) -> None:
    """REC-11: names of revisions never become options of Git."""
    marker = tmp_path / "ran"
    for name in (f"--upload-pack=touch {marker}", f"--output={marker}", "-h", "--exec-path", f"@{{-1}};touch {marker}"):
        for words in (("review", "--", name), ("review", "--", "main", name), ("plan", f"--trust-base={name}")):
            result = trusted.run(*words)
            assert result.exit_code == 1, (words, result.output)
            assert "there is no revision" in result.stderr
    assert not marker.exists()
