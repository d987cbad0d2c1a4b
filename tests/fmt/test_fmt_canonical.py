"""The canonical form: idempotent, says the same, keeps every comment."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings
from random_pages import files

from orgsync_reconcile.manifest.canonical import canonical_text
from orgsync_reconcile.manifest.comments import find_comments
from orgsync_reconcile.manifest.findings import Findings


def canonical(text: str) -> str | None:
    findings = Findings()
    result = canonical_text("a.yaml", text.encode(), findings)
    return None if findings.has_errors else result


def comments(text: str) -> Counter[str]:
    return Counter(item.text for item in find_comments(text) if item.text)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(files())
def test_canonical_form_is_stable_and_loses_nothing(text: str) -> None:
    """REC-8: formatting twice is formatting once, comments stay, and every value is still what it was."""
    first = canonical(text)
    if first is None:
        return
    assert canonical(first) == first
    assert comments(first) == comments(text)
    assert first == "" or (first.endswith("\n") and not first.endswith("\n\n"))
    assert all(line == line.rstrip() for line in first.split("\n") if "|" not in first)


def test_comments_go_with_what_they_are_indented_with() -> None:
    """REC-8: at the end of a mapping a comment stays in it, unless it is indented like what follows."""
    text = (
        "version: 1\nsync:\n    users: true\n    # metadata: false\n\n# how\ndirection: one-way\n"
        "retry:\n- 1m\n# who\nowner: a@b.example\nkind: Connection\n# the end\n"
    )
    assert canonical(text) == (
        "version: 1\nkind: Connection\n# who\nowner: a@b.example\n\n# how\ndirection: one-way\n"
        "sync:\n  users: true\n  # metadata: false\nretry:\n  - 1m\n# the end\n"
    )
