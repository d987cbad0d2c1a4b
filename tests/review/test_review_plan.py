"""REC-9: where the orgs can be read, the plan stands below the difference, and the counts come from them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from git_world import CONNECTION, ORGS, Repo, publication

NO_CASES = {"manifests/case.yaml": None}


def test_counts_and_plan(synced: Repo) -> None:
    """PUB-10, REC-9: an object that goes disconnects so many records; the plan says what refuses it."""
    synced.branch("topic", NO_CASES)
    text = synced.run("review", "main").stdout
    assert "unpublished; 1,204 records would be disconnected  destructive  was at manifests/case.yaml:1:1" in text
    assert "disconnect: refused, 99.9%" in text
    assert text.rstrip().endswith("Review: 1 difference, 1 destructive.")
    found = synced.review("main")
    assert found["differences"][0]["effects"] == {"disconnected": 1204}
    assert found["plan"]["summary"]["delete"] == 4
    assert found["plan"] == json.loads(synced.run("plan", "--format", "json").stdout)


def test_a_connection_that_goes(synced: Repo) -> None:
    """CON-9, REC-9: all its linked records are counted."""
    synced.branch("topic", {"manifests/connection.yaml": None, "manifests/account.yaml": None, **NO_CASES})
    found = synced.review("main")["differences"]
    assert (found[0]["address"], found[0]["effects"]) == ("link/connection", {"disconnected": 1205})


def test_unreachable_orgs(repo: Repo) -> None:
    """REC-9: without the orgs the difference stands alone, and it is said why."""
    repo.branch("topic", NO_CASES)
    found = repo.review("main")
    assert found["plan"] is None
    assert found["plan_absent"].startswith("the orgs cannot be read here: acme, acme-dr: there is no org at")
    assert found["differences"][0]["effects"] == {}
    assert "Note: No plan: the orgs cannot be read here" in repo.run("review", "main").stdout


def test_the_plan_of_a_branch_that_is_behind(synced: Repo) -> None:
    """REC-9: what the base got meanwhile is not planned to be undone."""
    synced.branch("topic", {"manifests/contact.yaml": publication("Contact", "{include: [LastName]}")})
    synced.git("checkout", "-q", "main")
    synced.commit({"manifests/account.yaml": publication("Account", "{include: [Name, Phone, Fax]}")})
    assert synced.run("apply", "--yes").exit_code == 0
    found = synced.review("main", "topic")
    assert found["plan_merged"]
    objects = {action["address"].split("/")[2] for action in found["plan"]["actions"]}
    assert "Contact" in objects
    assert "Account" not in objects
    assert "together with what main got meanwhile" in synced.run("review", "main", "topic").stdout


def test_no_plan_of_two_that_changed_one_file(synced: Repo) -> None:
    """REC-9: a plan that would undo the base's change is not shown."""
    synced.branch("topic", {"manifests/account.yaml": publication("Account", "{include: [Name]}")})
    synced.git("checkout", "-q", "main")
    synced.commit({"manifests/account.yaml": publication("Account", "{include: [Name, Phone, Fax]}")})
    found = synced.review("main", "topic")
    assert found["plan"] is None
    assert found["plan_absent"] == "main and topic both changed account.yaml; merge main into the branch"


def test_a_review_changes_nothing(synced: Repo) -> None:
    """REC-1: neither the orgs nor the repository."""
    synced.branch("topic", NO_CASES)

    def content() -> dict[Path, bytes]:
        # SQLite's own shared memory tells who reads.
        paths = (path for path in synced.folder.rglob("*") if path.is_file())
        return {path: path.read_bytes() for path in paths if not path.name.endswith(("-shm", "-wal"))}

    before = content()
    assert synced.run("review", "main").exit_code == 0
    assert content() == before


def test_what_an_allowance_lets_pass_is_in_the_comment(synced: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """REC-5, REC-9: the plan's part says by which allowance a guard passes, why, and to which day."""
    monkeypatch.setenv("ORGSYNC_NOW", "2026-11-01T00:00:00Z")
    allowance = '{guard: disconnect, limit: 100%, reason: "Cases move, CHG-1234", until: 2026-12-01}'
    synced.branch("topic", {**NO_CASES, "manifests/connection.yaml": CONNECTION + f"allow: [{allowance}]\n"})
    for form in ("text", "markdown"):
        shown = synced.run("review", "main", "--format", form).stdout.replace("\\", "")
        plain = " ".join(shown.split())
        assert "allowed by manifests/connection.yaml:10 until 2026-12-01: Cases move, CHG-1234" in plain, shown
    assert shown.index("### Let pass by name (1)") < shown.index("### Destructive actions")


def test_the_comment_is_never_too_long(synced: Repo) -> None:
    """REC-9: below 65,536 bytes whatever differs, with marker and summary first, destructive first, and what is left out."""
    documents = [ORGS.replace("acme", f"org{number}") for number in range(400)]
    links = [
        CONNECTION.replace("link", f"{'l' * 60}{number}").replace("acme-dr", "org0-dr").replace(": acme\n", ": org0\n")
        for number in range(400)
    ]
    synced.branch("topic", {"manifests/more.yaml": "---\n".join([*documents, *links]), **NO_CASES})
    comment = synced.run("review", "main", "--format", "markdown", "--trust-head").stdout
    assert len(comment.encode()) < 65_536
    lines = comment.splitlines()
    assert lines[0] == "<!-- orgsync:review -->"
    assert lines[4].startswith("**Review: 1,201 differences, 1 destructive")
    assert comment.index("### Destructive (1)") < comment.index("### Differences (1200)")
    assert "more: run `orgsync review`" in comment
