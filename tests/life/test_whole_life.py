"""The whole life of a connection, from an empty folder to a failover drill, as a team lives it with Git."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from git_world import CONNECTION, ORGS, Repo, publication
from two_orgs import sql
from web_world import Receiver, receiver

FAILOVER = """\
version: 1
kind: Failover
connection: link
primary_url: https://login.acme.example
secondary_url: https://dr.acme.example
"""
ALLOWANCE = "allow: [{guard: disconnect, limit: 3, reason: 'Cases move out, CHG-7', until: 2099-12-31}]\n"


def done(repo: Repo, *arguments: str, code: int = 0) -> str:
    """Runs the program, which ends with `code`; its standard output."""
    result = repo.run(*arguments)
    assert result.exit_code == code, f"{arguments}: {result.exit_code}\n{result.output}\n{result.stderr}"
    return result.stdout


@pytest.fixture
def hooks() -> Iterator[Receiver]:
    """A web server on loopback that keeps what is posted to it."""
    with receiver() as found:
        yield found


def test_whole_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hooks: Receiver) -> None:
    """REC-1…REC-11, PUB-10, SUS-4, LOG-3, LOG-4, RTE-2: each step with the state that the one before it left."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "ORGSYNC_NOW", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    # A starter set is written and valid.
    repo = Repo.made(tmp_path / "repo", {"README.md": "Our orgs.\n"})
    done(repo, "init")
    done(repo, "validate")
    told = f"notify: [{{event: drift, webhook: '{hooks.url}'}}, {{event: log_entry, webhook: '{hooks.url}'}}]\n"
    # The team replaces it with its own manifests; two orgs are made, with records in the primary.
    for path in (repo.folder / "manifests").rglob("*.yaml"):
        path.unlink()
    repo.commit(
        {
            "manifests/orgs.yaml": ORGS,
            "manifests/connection.yaml": CONNECTION + told,
            "manifests/account.yaml": publication("Account", "{include: [Name, Phone]}"),
            "manifests/case.yaml": publication("Case", "{include: [Subject]}"),
            "manifests/failover.yaml": FAILOVER,
        }
    )
    done(repo, "org", "create", "sqlite:orgs/acme.db", "--name", "acme", "--admin", "admin@acme.example")
    done(repo, "org", "create", "sqlite:orgs/acme-dr.db", "--name", "acme-dr", "--admin", "admin@acme.example.dr")
    sql(repo.folder, "acme", "INSERT INTO \"Case\" (\"Subject\") VALUES ('a'), ('b'), ('c')")
    # First apply, first bulk sync, and both orgs agree.
    done(repo, "plan", "--detailed-exitcode", code=2)
    done(repo, "apply", "--yes")
    done(repo, "bulk-sync")
    done(repo, "verify", "--detailed-exitcode")
    done(repo, "plan", "--detailed-exitcode")
    before = done(repo, "status", "--format", "json")
    # A pull request adds a field, drops one, and drops an object; its comment says what that costs.
    repo.branch(
        "topic",
        {"manifests/account.yaml": publication("Account", "{include: [Name, Website]}"), "manifests/case.yaml": None},
    )
    repo.git("checkout", "-q", "main")
    comment = done(repo, "review", "main", "topic", "--format", "markdown")
    assert comment.startswith("<!-- orgsync:review -->")
    assert "unpublished; 3 records would be disconnected" in comment
    assert "publishes 1 more field: Website" in comment
    assert "no longer publishes 1 field: Phone" in comment
    # Merged, it is refused by its guard, which changes nothing.
    repo.git("merge", "-q", "topic")
    done(repo, "apply", "--yes", code=3)
    assert done(repo, "status", "--format", "json") == before
    # A second pull request allows it, with a reason and a last day; reviewed and merged, the same apply passes.
    repo.branch("allowed", {"manifests/connection.yaml": CONNECTION + told + ALLOWANCE})
    repo.git("checkout", "-q", "main")
    comment = done(repo, "review", "main", "allowed", "--format", "markdown")
    assert "Cases move out, CHG-7" in comment
    done(repo, "apply", "--yes", code=3)
    repo.git("merge", "-q", "allowed")
    done(repo, "plan", "--out", "plan.json")
    done(repo, "apply", "plan.json", "--yes")
    done(repo, "plan", "--detailed-exitcode")
    done(repo, "review", "main", "topic", "--detailed-exitcode")
    # Records go both ways over what is left.
    sql(repo.folder, "acme", 'INSERT INTO "Account" ("Name", "Website") VALUES (\'One\', \'one.example\')')
    done(repo, "drain")
    assert sql(repo.folder, "acme-dr", 'SELECT "Website" FROM "Account" WHERE "Name" = \'One\'') == [("one.example",)]
    # Somebody suspends by hand: that is drift, told apart from what Git changed, and reported by the unattended run.
    done(repo, "suspend", "link")
    assert "suspended" in done(repo, "drift", "--detailed-exitcode", code=2).lower()
    for _ in range(2):
        done(repo, "reconcile", "--format", "json")
    assert "suspended" in done(repo, "drift").lower()
    # Who is to know has been told, once for both runs.
    assert [(notice["event"], notice["connection"]) for notice in hooks.documents] == [("drift", "link")]
    done(repo, "resume", "link")
    done(repo, "drift", "--detailed-exitcode")
    # A record that the other org refuses in an unattended run is told, once, stands in the log, and in its report.
    sql(repo.folder, "acme-dr", "CREATE TRIGGER no BEFORE INSERT ON \"Account\" WHEN new.\"Name\" = 'Bad' "
        "BEGIN SELECT RAISE(ABORT, 'not here'); END")  # fmt: skip
    sql(repo.folder, "acme", 'INSERT INTO "Account" ("Name") VALUES (\'Bad\')')
    done(repo, "reconcile", code=5)
    done(repo, "reconcile")  # its next try is not due yet
    (notice,) = hooks.documents[1:]
    assert (notice["event"], notice["count"]) == ("log_entry", 1)
    (entry,) = json.loads(done(repo, "log", "list", "--format", "json"))["entries"]
    assert (entry["object"], entry["status"]) == ("Account", "Retrying")
    assert "not here" in entry["description"]
    assert (notice["entries"][0]["number"], notice["entries"][0]["record"]) == (entry["number"], entry["record"])
    assert "Account" in done(repo, "log", "report", "last-24-hours")
    # What would be lost if the primary went away now.
    drill = repo.run("failover", "drill", "--format", "json")
    assert str(entry["record"]) in drill.stdout
    # The cause is mended, the record is tried again, and the nightly run leaves both orgs equal.
    sql(repo.folder, "acme-dr", "DROP TRIGGER no")
    sql(repo.folder, "acme", 'UPDATE "Account" SET "Website" = \'b.example\' WHERE "Name" = \'Bad\'')
    done(repo, "drain")
    done(repo, "reconcile", "--format", "json")
    done(repo, "verify", "--detailed-exitcode")
    assert sql(repo.folder, "acme-dr", 'SELECT "Website" FROM "Account" WHERE "Name" = \'Bad\'') == [("b.example",)]
