"""Everything that is written as SARIF can be read by code scanning: structure, places, rules, identities (REC-8, REC-9)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from program import publication
from two_orgs import run_in

SCHEMA = json.loads(Path(__file__).with_name("sarif.schema.json").read_text(encoding="utf-8"))


def sarif(folder: Path, *command: str) -> list[dict[str, Any]]:
    """The results of a command, once the document has been held against the schema and against itself."""
    document = json.loads(run_in(folder, *command, "--format", "sarif").stdout)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    (run,) = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    results: list[dict[str, Any]] = run["results"]
    assert len(set(rules)) == len(rules)
    assert [rules[item["ruleIndex"]] for item in results] == [item["ruleId"] for item in results]
    assert set(rules) == {item["ruleId"] for item in results}
    identities = [json.dumps(item["partialFingerprints"]) for item in results]
    assert len(set(identities)) == len(identities)
    for item in results:
        assert item["locations"][0]["physicalLocation"]["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
    return results


def place(result: dict[str, Any]) -> tuple[str, int]:
    where = result["locations"][0]["physicalLocation"]
    return where["artifactLocation"]["uri"], where["region"]["startLine"]


def test_validate(fresh: Path) -> None:
    """REC-8: errors in files with odd names; nothing to say is a run without results."""
    assert sarif(fresh, "validate") == []
    (fresh / "manifests" / "ä b#1%.yaml").write_text("version: 1\nkind: Publikation\n---\n- x\n---\n- x\n")
    found = sarif(fresh, "validate")
    assert [(item["ruleId"], *place(item)) for item in found] == [
        ("E111", "manifests/%C3%A4%20b%231%25.yaml", 2),
        ("E110", "manifests/%C3%A4%20b%231%25.yaml", 4),
        ("E110", "manifests/%C3%A4%20b%231%25.yaml", 6),
    ]
    assert {item["level"] for item in found} == {"error"}


def test_validate_without_manifests(tmp_path: Path) -> None:
    """REC-8: what has no place in a file stands at the folder: one result without a place would spoil them all."""
    (found,) = sarif(tmp_path, "validate")
    assert (found["ruleId"], *place(found)) == ("E125", "manifests", 1)


def test_lint_and_fmt(fresh: Path) -> None:
    """REC-8: advice, and files that are not canonical or broken; the line may move, the identity stays."""
    path = fresh / "manifests" / "messy.yaml"
    path.write_text("# A messy one\nkind: Publication\nversion: 1\nconnection: acme-link\nobject: Case\n")
    advice = sarif(fresh, "lint")
    assert advice and {item["level"] for item in advice} <= {"warning", "note"}
    (messy,) = [item for item in sarif(fresh, "fmt", "--check") if place(item)[0] == "manifests/messy.yaml"]
    assert (messy["ruleId"], *place(messy)) == ("W210", "manifests/messy.yaml", 2)
    path.write_text("# One line more\n" + path.read_text())
    (moved,) = [item for item in sarif(fresh, "fmt", "--check") if place(item)[0] == "manifests/messy.yaml"]
    assert place(moved) == ("manifests/messy.yaml", 3)
    assert moved["partialFingerprints"] == messy["partialFingerprints"]
    path.write_text("a: [\n")
    assert "error" in {item["level"] for item in sarif(fresh, "fmt", "--check")}


def test_plan(connected: Path) -> None:
    """REC-5, REC-9: a destructive action and the guard that refuses it."""
    (connected / "manifests" / "account.yaml").unlink()
    assert {"destructive", "refused"} <= {item["ruleId"] for item in sarif(connected, "plan")}


def test_review(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """REC-9: a document that went has no line any more, one that came has."""
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, "/dev/null")
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "A")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "a@acme.example")

    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=fresh, check=True, capture_output=True, timeout=60)

    git("init", "-q", "-b", "main")
    git("add", "manifests")
    git("commit", "-q", "-m", "one")
    git("checkout", "-q", "-b", "topic")
    (fresh / "manifests" / "account.yaml").unlink()
    (fresh / "manifests" / "case.yaml").write_text(publication("Case"))
    git("add", "-A", "manifests")
    git("commit", "-q", "-m", "two")
    found = sarif(fresh, "review", "main", "--no-plan")
    assert {(item["ruleId"], *place(item)) for item in found} >= {
        ("R102", "manifests", 1),
        ("R101", "manifests/case.yaml", 1),
    }


@pytest.mark.parametrize("more", [(), ("--diff",), ("--check", "--diff")])
@pytest.mark.parametrize("form", ["github", "sarif"])
def test_annotations_of_fmt_are_for_its_check(fresh: Path, form: str, more: tuple[str, ...]) -> None:
    """REC-8: what rewrites files, or shows them, has nothing to annotate: refused before anything is written."""
    path = fresh / "manifests" / "messy.yaml"
    path.write_text("kind: Org\nversion: 1\n")
    result = run_in(fresh, "fmt", *more, "--format", form)
    assert (result.exit_code, result.stdout) == (64, "")
    assert "is for --check" in result.stderr
    assert path.read_text() == "kind: Org\nversion: 1\n"


def test_fmt_annotates_the_first_line_that_differs(fresh: Path) -> None:
    """REC-8: a workflow command for each file, and exit code 1."""
    run_in(fresh, "fmt")
    (fresh / "manifests" / "messy.yaml").write_text("version: 1\nkind: 'Org'\nname: x\n")
    result = run_in(fresh, "fmt", "--check", "--format", "github")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "::warning file=manifests/messy.yaml,line=2,col=1,title=W210::the file is not in canonical form; run orgsync fmt"
    ]
