"""The codes of findings are stable and explained (REC-8)."""

from __future__ import annotations

import re

from orgsync_reconcile.plan import codes


def test_every_code_is_explained_once() -> None:
    """REC-8: each constant is one code of its own, with a meaning."""
    constants = [value for name, value in vars(codes).items() if name.isupper() and isinstance(value, str)]
    assert len(constants) == len(set(constants))
    assert set(constants) == set(codes.MEANING)
    assert all(re.fullmatch(r"[EWIM]3\d\d", code) for code in constants)
    assert all(meaning.endswith(".") for meaning in codes.MEANING.values())
