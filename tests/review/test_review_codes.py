"""The codes of a review are stable and explained (REC-9)."""

from __future__ import annotations

import re
from pathlib import Path

from orgsync_reconcile.plan.semantic import codes


def test_the_documentation_has_every_code() -> None:
    """REC-9, REC-11: each code is one of its own, with the meaning that docs/diagnostics.md gives it."""
    constants = [value for name, value in vars(codes).items() if name.isupper() and isinstance(value, str)]
    assert sorted(constants) == sorted(codes.MEANING)
    text = (Path(__file__).resolve().parents[2] / "docs" / "diagnostics.md").read_text(encoding="utf-8")
    section = text.split("\n## Reviews\n", 1)[1].split("\n## ", 1)[0]
    assert dict(re.findall(r"^\| ([ER]\d{3}) \| (.+) \|$", section, re.MULTILINE)) == codes.MEANING
