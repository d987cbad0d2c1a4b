"""REC-11: what a stranger writes is shown as it is: it moves no cursor, mentions nobody, and gives no order."""

from __future__ import annotations

import re

import pytest
from git_world import CONNECTION, Repo

NASTY = {
    "mention": "@acme/everyone @admin",
    "marker": "<!-- orgsync:review --> <!-- orgsync:plan -->",
    "html": "<img src=x onerror=alert(1)> <details open>",
    "link": "[click](https://evil.example) https://evil.example www.evil.example",
    "fence": "``` `` ` ~~~",
    "reference": "#1 GH-1",
    "command": "::add-mask::x ##[add-mask]x",
    "heading": "# heading",
}


def with_contact(text: str) -> str:
    """A connection whose contact has that name."""
    quoted = text.replace("'", "''")
    return CONNECTION.replace("last_name: Medina", f"last_name: '{quoted}'")


@pytest.mark.parametrize("name", NASTY)
def test_markdown(repo: Repo, name: str) -> None:
    """REC-11: no mention, no second marker, no HTML, no link, no fence, no reference in the comment."""
    repo.branch("topic", {"manifests/connection.yaml": with_contact(NASTY[name])})
    result = repo.run("review", "main", "--no-plan", "--format", "markdown")
    assert result.exit_code == 0, result.output
    body = result.stdout.removeprefix("<!-- orgsync:review -->\n")
    assert body != result.stdout
    plain = re.sub(r"`[^`\n]*`", "", body)
    assert "contact.last_name" in plain.replace("\\_", "_")
    for pattern in (
        r"@\w",
        r"<!--",
        r"<img",
        r"<details",
        r"(?<!\\)\]\(",
        r"://e",
        r"www\.e",
        r"(?m)^\s*```",
        r"#1\b",
        r"\bGH-1\b",
    ):
        assert not re.search(pattern, plain), pattern


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_control_characters(repo: Repo, form: str) -> None:
    """REC-11: escape sequences, reordering and invisible marks reach no terminal."""
    text = "name \u202ereversed\u200b \U000e0041 \u061c end"
    repo.branch("topic", {"manifests/connection.yaml": with_contact(text)})
    shown = repo.run("review", "main", "--no-plan", "--format", form).stdout
    if form != "json":
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\U000e0041\u061c]", shown)
    repo.commit({"manifests/connection.yaml": CONNECTION.replace("Medina", '"\\e[2J\\a"')})
    refused = repo.run("review", "main", "--no-plan", "--format", form)
    assert refused.exit_code == 1
    assert not re.search("[\x1b\x07]", refused.stdout + refused.stderr)


def test_names_of_files(repo: Repo) -> None:
    """REC-11: a file's name is text, too."""
    name = "manifests/a\n::error::x\x1b[2J `<!-- orgsync:review --> @team.yaml"
    repo.branch("topic", {name: CONNECTION.replace("name: link", "name: second")})
    for form in ("text", "markdown"):
        result = repo.run("review", "main", "--no-plan", "--format", form)
        assert result.exit_code == 0, result.output
        assert "\x1b" not in result.stdout
        assert not re.search(r"(?m)^\s*::", result.stdout)
        if form == "markdown":
            assert result.stdout.count("<!-- orgsync:review -->") == 1


def test_names_of_revisions(repo: Repo) -> None:
    """REC-11: so is a branch's."""
    commit = repo.git("rev-parse", "HEAD")
    repo.git("update-ref", "refs/heads/@team/<b>`x`", commit)
    shown = repo.run("review", "main", "@team/<b>`x`", "--format", "markdown").stdout
    assert "@team" not in shown
    assert "<b>" not in shown


def test_commands_of_pipelines(repo: Repo) -> None:
    """REC-11: no line of the output begins with `::`, wherever a long text is broken, and none holds `##[`."""
    repo.branch("topic", {"manifests/connection.yaml": with_contact("a " * 19 + "::stop-commands::x ##[group]y")})
    repo.commit({"manifests/connection.yaml": with_contact(("::add-mask::x " * 5).strip())})
    result = repo.run("review", "main", "--no-plan")
    assert not re.search(r"(?m)^\s*::", result.stdout)
    assert "##[" not in result.stdout


def test_wrapped_lines_give_no_order() -> None:
    """REC-11: what is printed is defused line by line."""
    from orgsync_reconcile.cli.session import no_command

    for text in ("::error::x", "ok\n   ::error::x", "a ##[error]x", "\t::x"):
        shown = no_command(text)
        assert not re.search(r"(?m)^\s*::|##\[", shown)
        assert shown.replace("\u200b", "") == text
    assert no_command("a::b") == "a::b"
