"""REC-9: differences as workflow commands and as SARIF, at their places in the head."""

from __future__ import annotations

import json

from git_world import Repo, publication


def test_annotations(repo: Repo) -> None:
    """REC-9: what came stands at its line; what went has no line in the head, so it says where it was."""
    repo.branch(
        "topic",
        {
            "manifests/account.yaml": publication("Account", "{include: [Name, Phone, Fax]}"),
            "manifests/case.yaml": None,
        },
    )
    lines = repo.run("review", "main", "--no-plan", "--format", "github").stdout.splitlines()
    assert lines == [
        "::warning title=R102::link: Case: unpublished (it stood at manifests/case.yaml:1:1); destructive once it is applied",
        "::notice file=manifests/account.yaml,line=5,col=33,title=R103::link: Account: publishes 1 more field: Fax",
    ]
    found = json.loads(repo.run("review", "main", "--no-plan", "--format", "sarif").stdout)["runs"][0]
    assert [(item["ruleId"], item["level"]) for item in found["results"]] == [("R102", "warning"), ("R103", "note")]
    region = found["results"][1]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 5, "startColumn": 33}
    rules = {item["id"]: item["shortDescription"]["text"] for item in found["tool"]["driver"]["rules"]}
    assert rules["R103"] == "The revision publishes more fields of an object."


def test_errors_as_annotations(repo: Repo) -> None:
    """REC-8, REC-9: a head with errors is annotated at them, exit code 1."""
    repo.branch("topic", {"manifests/account.yaml": publication("Account", "none")})
    result = repo.run("review", "main", "--format", "github")
    assert result.exit_code == 1
    assert result.stdout.startswith("::error file=manifests/account.yaml,line=5,col=9,title=E")
