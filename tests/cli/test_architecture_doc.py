"""docs/architecture.md is true: its rooms are the packages, its tables are those of an org."""

from __future__ import annotations

import re
from pathlib import Path

from two_orgs import sql

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_every_room_is_described() -> None:
    """REC-1: the table of rooms names every package and module at the top, and nothing else."""
    table = TEXT.partition("## Rooms")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    described = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    package = ROOT / "orgsync_reconcile"
    rooms = {path.name for path in package.iterdir() if (path / "__init__.py").is_file()}
    rooms |= {path.stem for path in package.glob("*.py") if not path.stem.startswith("_")}
    assert described == rooms


def test_every_table_of_an_org_is_described(two_orgs: Path) -> None:
    """ORG-2: the tables that begin with orgsync_ are those of a real org."""
    table = TEXT.partition("What is ours begins with")[2].partition("\n## ")[0]
    described: set[str] = set()
    for line in table.splitlines():
        if line.startswith("| `orgsync_"):
            names = re.findall(r"`(\w+)`", line.split("|")[1])
            described |= {name if name.startswith("orgsync_") else f"orgsync{name}" for name in names}
    real = sql(
        two_orgs, "acme", "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'orgsync!_%' ESCAPE '!'"
    )
    assert described == {str(row[0]) for row in real}
