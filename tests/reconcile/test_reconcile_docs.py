"""docs/reconcile.md is true: its commands are accepted, its steps are those of a run (REC-10)."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from reconcile_world import reconcile
from two_orgs import run_in

from orgsync_reconcile.operations.metrics import Metrics
from orgsync_reconcile.operations.reconcile import StepStatus

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reconcile.md").read_text(encoding="utf-8")


def test_commands_are_accepted(connected: Path) -> None:
    """REC-10: single runs are run; of loops the options are read."""
    commands = re.findall(r"^\$ orgsync (.+)$", PAGE, re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        words = [word.replace("acme-dr", "acme-link") for word in shlex.split(command)]
        loop = "--every" in words or "--cron" in words
        result = run_in(connected, *words, *(["--help"] if loop else []))
        assert result.exit_code == 0, result.output


def test_steps_and_statuses_are_those_of_a_run(connected: Path) -> None:
    """REC-10: the tables name every step in its order, and every status."""
    table = PAGE.partition("## The steps")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(reconcile(connected).steps)
    table = PAGE.partition("## Statuses")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [status.value for status in StepStatus]


def test_the_table_of_figures_is_complete() -> None:
    """REC-10: every figure is explained, and no other."""
    rows = re.findall(r"^\| (`orgsync_.*?) \|", PAGE, re.MULTILINE)
    named: set[str] = set()
    for row in rows:
        first, *others = re.findall(r"`(\w+)`", row)
        named |= {first, *(name if name.startswith("orgsync_") else _like(first, name) for name in others)}
    real = {metric.name for metric in Metrics().registry.collect()}
    assert {name.removesuffix("_total") for name in named} == real


def _like(first: str, suffix: str) -> str:
    """A name that the table shortens to its end: as many words of the first one are left out."""
    return first.rsplit("_", suffix.count("_"))[0] + suffix
