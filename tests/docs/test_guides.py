"""The guides to reports and failover are true: what they tell to type works and prints what they say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from guide_runner import files_and_steps, follow

from orgsync_reconcile.cli.main import cli
from orgsync_reconcile.cli.reference import root_context

ROOT = Path(__file__).resolve().parents[2]
FOLLOWED = ("reports", "failover")


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's terminal or clock."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "ORGSYNC_NOW"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", FOLLOWED)
def test_followed_to_the_letter(name: str, tmp_path: Path) -> None:
    """LOG-4, RTE-1, RTE-2: every command in its order, with its output and exit code."""
    text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    assert len(files_and_steps(text)) > 5
    follow(tmp_path, text)


def check_line(line: str) -> None:
    """A command line names a command that exists and options that it has; raises otherwise."""
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = cli
    ctx = root_context()
    while isinstance(command, click.Group):
        if not words:
            return
        found = command.get_command(ctx, words.pop(0))
        assert found is not None, line
        command = found
        ctx = click.Context(command, parent=ctx)
    if words:
        command.make_context("orgsync", words, parent=ctx, resilient_parsing=False)


@pytest.mark.parametrize("name", FOLLOWED)
def test_every_command_named_exists(name: str) -> None:
    """CON-12: commands in running text parse; capital words stand for what the reader fills in."""
    text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8").replace("\n", " ")
    lines = re.findall(r"`(orgsync [^`]+)`", text)
    for line in lines:
        check_line(line.replace("|", "").replace("…", ""))
