"""The README is true: its manifest loads, its commands exist, its plan is the program's own output."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_cli_help import check_line
from two_orgs import run_in, sql

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands() -> list[str]:
    """Every line of a console block that runs the program."""
    lines = [line.partition("#")[0].strip() for block in blocks("console") for line in block.splitlines()]
    return [line for line in lines if line.startswith("orgsync ")]


@pytest.fixture
def followed(tmp_path: Path) -> Path:
    """A folder where the README was followed up to the plan."""
    for line in commands()[:2]:
        assert run_in(tmp_path, *line.split(" ")[1:]).exit_code == 0
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "acme.yaml").write_text(blocks("yaml")[0], encoding="utf-8")
    return tmp_path


def test_the_plan_is_the_real_one(followed: Path) -> None:
    """REC-1, REC-8: the manifest is valid and the plan shown is what the program prints for it."""
    assert run_in(followed, "validate").exit_code == 0
    assert run_in(followed, "plan").stdout == blocks("text")[0]


def test_day_by_day_works_as_written(followed: Path) -> None:
    """REC-2, BLK-7, QUE-1, VER-1: the commands, in their order, with a change in between."""
    daily = commands()[-6:]
    assert [line.split(" ")[1] for line in daily] == ["apply", "bulk-sync", "drain", "status", "verify", "plan"]
    sql(followed, "acme", 'INSERT INTO "Account" ("Name", "Phone") VALUES (\'Wexford\', \'1\')')
    for line in daily:
        arguments = line.split(" ")[1:]
        result = run_in(followed, *arguments, *(["--yes"] if arguments[0] == "apply" else []))
        assert result.exit_code == 0, (line, result.output)
        if arguments[0] == "bulk-sync":
            sql(followed, "acme", 'UPDATE "Account" SET "Phone" = \'2\' WHERE "Name" = \'Wexford\'')
    assert sql(followed, "acme-dr", 'SELECT "Phone" FROM "Account" WHERE "Name" = \'Wexford\'') == [("2",)]


def test_every_command_named_exists() -> None:
    """CON-12: commands in console blocks and in running text parse."""
    inline = re.findall(r"`(orgsync [^`]+)`", README.replace("\n", " "))
    for line in [*commands(), *inline]:
        check_line(line)


def test_every_make_target_and_file_named_exists() -> None:
    """CON-12: what the README and CONTRIBUTING send readers to is there."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for target in set(re.findall(r"`make ([a-z]+)`|^make ([a-z]+)$", text, re.MULTILINE)):
        name = target[0] or target[1]
        assert re.search(rf"^{name}:", makefile, re.MULTILINE), name
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / link).exists(), link


def test_stores_that_are_not_there_yet_are_refused(followed: Path) -> None:
    """CON-1: the manifest may name them, every command that would open one refuses."""
    manifest = followed / "manifests" / "acme.yaml"
    manifest.write_text(manifest.read_text().replace("sqlite:orgs/acme-dr.db", "salesforce:acme-dr"))
    assert run_in(followed, "validate").exit_code == 0
    for command in ("plan", "apply", "status", "drain"):
        result = run_in(followed, command)
        assert result.exit_code == 64
        assert "salesforce stores are not supported yet" in result.stderr
