"""Findings for pull requests and code scanning: GitHub's workflow commands and SARIF (REC-8, REC-9)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from program import publication
from two_orgs import run_in

from orgsync_reconcile.cli.annotations import github, rules
from orgsync_reconcile.cli.rules import rules_text
from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.model.origin import Origin

ROOT = Path(__file__).resolve().parents[2]


def test_workflow_commands_cannot_be_broken_out_of() -> None:
    """REC-8, REC-11: a file name or a message holds no further command, property or line."""
    item = Diagnostic(
        severity=Severity.ERROR,
        code="E113",
        message="bad\n::set-env name=X::100%",
        hint="a\rb",
        origin=Origin(file="odd,name:1\n.yaml", line=3, column=7),
    )
    assert github([item]) == (
        "::error file=odd%2Cname%3A1%0A.yaml,line=3,col=7,title=E113::bad%0A::set-env name=X::100%25; a%0Db"
    )
    nowhere = Diagnostic(severity=Severity.INFO, code="I304", message="next")
    assert github([nowhere]) == "::notice title=I304::next"


def test_validate_annotates(two_orgs: Path, tmp_path: Path) -> None:
    """REC-8: every error at its place, on standard output, with the exit code of an error."""
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "a b.yaml").write_text(publication("Account").replace("fields", "filds"))
    result = run_in(tmp_path, "validate", "--format", "github")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0].startswith("::error file=manifests/a b.yaml,line=3,col=13,title=E133::unknown connection")
    assert lines[1].startswith("::error file=manifests/a b.yaml,line=5,col=1,title=E113::unknown key")
    assert run_in(two_orgs, "validate", "--format", "github").stdout == ""
    document = json.loads(run_in(tmp_path, "validate", "--format", "sarif").stdout)
    assert document["version"] == "2.1.0"
    assert [item["id"] for item in document["runs"][0]["tool"]["driver"]["rules"]] == ["E113", "E133"]
    first = document["runs"][0]["results"][0]
    assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("E133", 1, "error")
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "manifests/a%20b.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3, "startColumn": 13},
    }
    assert json.loads(run_in(two_orgs, "validate", "--format", "sarif").stdout)["runs"][0]["results"] == []


def test_lint_annotates(two_orgs: Path) -> None:
    """REC-8: advice is a warning at its line."""
    lines = run_in(two_orgs, "lint", "--format", "github").stdout.splitlines()
    assert any(line.startswith("::warning file=manifests/account.yaml,line=5,col=9,title=W202::") for line in lines)
    document = json.loads(run_in(two_orgs, "lint", "--format", "sarif").stdout)
    texts = [rule["help"]["text"] for rule in document["runs"][0]["tool"]["driver"]["rules"]]
    assert "Exclude what the secondary does not need." in texts


@pytest.mark.parametrize("form", ["github", "sarif"])
def test_plan_annotates_what_a_reviewer_must_see(connected: Path, form: str) -> None:
    """REC-9, PUB-10: a destructive action and the guard that refuses it are findings."""
    (connected / "manifests" / "account.yaml").unlink()
    result = run_in(connected, "plan", "--format", form)
    assert "unpublish-object at acme-link/publication/Account is destructive (disconnected 4)" in result.stdout
    assert "the guard disconnect refuses this plan" in result.stdout
    assert ("::error title=refused::" in result.stdout) == (form == "github")


def test_plan_annotates_broken_manifests(fresh: Path) -> None:
    """REC-8: manifests that do not load are annotated by the plan as well."""
    (fresh / "manifests" / "contact.yaml").write_text("version: 1\nkind: Publikation\n")
    result = run_in(fresh, "plan", "--format", "github")
    assert (result.exit_code, result.stdout.count("::error file=manifests/contact.yaml,line=2")) == (1, 1)


def test_every_rule_has_help() -> None:
    """REC-8: what ships with the program is what docs/diagnostics.md says; `make docs` writes it."""
    page = (ROOT / "docs" / "diagnostics.md").read_text(encoding="utf-8")
    written = (ROOT / "orgsync_reconcile" / "cli" / "rules.json").read_text(encoding="utf-8")
    assert written == rules_text(page), "run make docs"
    assert len(rules()) > 80
    assert all(item["meaning"] for item in rules().values())
