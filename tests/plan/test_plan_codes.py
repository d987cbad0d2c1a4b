"""The codes of findings are stable and explained (REC-8)."""

from __future__ import annotations

import re
from pathlib import Path

from orgsync_reconcile.plan import codes


def test_every_code_is_explained_once() -> None:
    """REC-8: each constant is one code of its own, with a meaning."""
    constants = [value for name, value in vars(codes).items() if name.isupper() and isinstance(value, str)]
    assert len(constants) == len(set(constants))
    assert set(constants) == set(codes.MEANING)
    assert all(re.fullmatch(r"[EWIM]3\d\d", code) for code in constants)
    assert all(meaning.endswith(".") for meaning in codes.MEANING.values())


def test_the_documentation_has_every_code() -> None:
    """REC-8: docs/diagnostics.md explains the codes as the program does."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "diagnostics.md").read_text(encoding="utf-8")
    section = text.split("\n## Plans\n", 1)[1].split("\n## ", 1)[0]
    assert dict(re.findall(r"^\| ([EWIM]3\d\d) \| (.+) \|$", section, re.MULTILINE)) == codes.MEANING
