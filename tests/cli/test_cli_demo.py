"""The demo: the whole story, as a reader sees it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli_help import check_line
from two_orgs import run_in, sql

from orgsync_reconcile.manifest import load


def test_the_demo_tells_the_whole_story(tmp_path: Path) -> None:
    """ORG-8, CON-1, BLK-7, QUE-1, CNF-3, VER-1, REC-2: made, filled, planned, applied, copied, changed, sent, equal."""
    result = run_in(tmp_path, "demo")
    assert result.exit_code == 0, result.stderr
    lines = [line.removeprefix("$ ") for line in result.stdout.splitlines() if line.startswith("$ orgsync ")]
    shown = [re.match(r"orgsync (\S+)", line) for line in lines]
    assert [match[1] for match in shown if match] == [
        *("org", "org", "org", "org", "validate", "plan", "apply", "bulk-sync", "verify"),
        *("queue", "drain", "verify", "plan"),
    ]
    for line in lines:
        check_line(line)
    assert result.stdout.count("Both orgs agree: ") == 2
    assert "No changes. The orgs match the manifests." in result.stdout
    assert "Night Heron | Booked" in result.stdout
    folder = tmp_path / "orgsync-demo"
    names = sql(folder, "standby", 'SELECT "Vessel__c" FROM "Mooring__c" WHERE "IsDeleted" = 0')
    assert names == sql(folder, "harbour", 'SELECT "Vessel__c" FROM "Mooring__c" WHERE "IsDeleted" = 0')
    assert ("Night Heron",) in names
    assert ("Puffin",) not in names
    assert load(folder / "manifests", base=folder).diagnostics == ()


def test_the_demo_leaves_what_is_there_alone(tmp_path: Path) -> None:
    """ORG-8: a folder that is not empty, or a file, is refused before anything is written."""
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine.txt").write_text("mine")
    for name in ("used", "used/mine.txt"):
        result = run_in(tmp_path, "demo", name)
        assert result.exit_code == 64
        assert "is not empty" in result.stderr
    assert [path.name for path in (tmp_path / "used").iterdir()] == ["mine.txt"]


def test_the_demo_ends_quietly_when_its_reader_has_had_enough(tmp_path: Path) -> None:
    """ORG-8: `orgsync demo | head` is no failure to be explained."""
    program = subprocess.Popen(
        [sys.executable, "-m", "orgsync_reconcile", "-C", str(tmp_path), "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    assert "harbour company" in program.stdout.readline()
    program.stdout.close()
    assert program.stderr is not None
    errors = program.stderr.read()
    program.stderr.close()
    program.wait(timeout=60)
    assert "error" not in errors


def test_the_demo_is_laid_out_for_80_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CON-12: only SQL and longer commands are wider than a narrow terminal."""
    monkeypatch.setenv("COLUMNS", "80")
    lines = run_in(tmp_path, "demo").stdout.splitlines()
    wide = [line for line in lines if len(line) > 80 and not line.startswith(("sqlite>", "$ ", "Made "))]
    assert [line for line in wide if "dr/metadata/" not in line and "already there" not in line] == []
