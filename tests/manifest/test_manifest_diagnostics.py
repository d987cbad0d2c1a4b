"""The table of diagnostic codes in the documentation and the codes in use are the same."""

from __future__ import annotations

import re
from pathlib import Path

from orgsync_reconcile.manifest import codes

ROOT = Path(__file__).resolve().parents[2]
CONSTANTS = {name: value for name, value in vars(codes).items() if name.isupper()}


def documented() -> list[str]:
    text = (ROOT / "docs" / "diagnostics.md").read_text(encoding="utf-8")
    section = text.split("\n## Manifests\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^\| ([EW]\d{3}) \| [^|]+\. \| [^|]+\. \|$", section, re.MULTILINE)


def test_table_is_complete() -> None:
    """REC-8: every code of the room is documented once, with its meaning and what to do, and no other is."""
    assert documented() == sorted(CONSTANTS.values())
    assert len(set(CONSTANTS.values())) == len(CONSTANTS)


def test_every_code_is_used() -> None:
    """REC-8: no code is documented that nothing reports, and none is written out beside the list."""
    sources = {
        path.name: path.read_text(encoding="utf-8")
        for path in (ROOT / "orgsync_reconcile" / "manifest").glob("*.py")
        if path.name != "codes.py"
    }
    used = {name for text in sources.values() for name in re.findall(r"\bcodes\.([A-Z0-9_]+)", text)}
    assert used == set(CONSTANTS)
    assert not [name for name, text in sources.items() if re.search(r"\"[EW]\d{3}\"", text)]
