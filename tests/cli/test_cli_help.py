"""Every command teaches: a summary, an example, and a page of reference that is current."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from two_orgs import run_in

from orgsync_reconcile import __version__
from orgsync_reconcile.cli.main import cli
from orgsync_reconcile.cli.reference import commands, reference, root_context
from orgsync_reconcile.cli.table import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
LEAVES = {ctx.command_path: command for command, ctx in commands(cli, root_context())}


def summary(path: str) -> str:
    """The line of the table for a command such as `orgsync queue list`."""
    name, *rest = path.removeprefix("orgsync ").split(" ")
    entry = COMMANDS[name]
    return entry if isinstance(entry, str) else entry[1][rest[0]]


def check_line(line: str) -> None:
    """A command line names a command that exists and options that it has; raises otherwise."""
    words = shlex.split(line)[1:]
    command: click.Command = cli
    ctx = root_context()
    while isinstance(command, click.Group):
        found = command.get_command(ctx, words.pop(0))
        assert found is not None, line
        command = found
        ctx = click.Context(command, parent=ctx)
    command.make_context("orgsync", words, parent=ctx, resilient_parsing=False)


@pytest.mark.parametrize("path", LEAVES)
def test_every_command_has_help_with_an_example(path: str, tmp_path: Path) -> None:
    """CON-12: help says what a command does, as the list of commands does, and shows an example that parses."""
    result = run_in(tmp_path, *path.split(" ")[1:], "--help")
    assert result.exit_code == 0
    assert summary(path) in result.stdout
    examples = [line.strip() for line in result.stdout.splitlines() if re.match(r"    orgsync ", line)]
    assert examples
    assert any(line.startswith(path) for line in examples)
    for line in examples:
        for part in re.split(r" && | > \S+", line):
            if part:
                check_line(part)


def test_help_fits_80_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CON-12: help reads well in a narrow terminal."""
    monkeypatch.setenv("COLUMNS", "80")
    for path in LEAVES:
        text = run_in(tmp_path, *path.split(" ")[1:], "--help").stdout
        assert [line for line in text.splitlines() if len(line) > 88] == []


def test_version(tmp_path: Path) -> None:
    """CON-12: the version on standard output."""
    assert run_in(tmp_path, "--version").stdout == f"orgsync {__version__}\n"


def test_the_reference_page_is_current() -> None:
    """CON-12: docs/commands.md is what `make docs` writes."""
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == reference()
