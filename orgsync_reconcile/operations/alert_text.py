"""Subject and text of an alert: the rule's own, with what they look up, or ours (LOG-3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orgsync_reconcile.manifest.template import TemplateProblem, Templates, is_template
from orgsync_reconcile.model.notification import Rule

_SUBJECT = "{{ alert.connection }}: {{ alert.summary }}"
_TEXT = "{{ alert.summary }} ({{ alert.connection }}).\n\n{{ alert.details }}"
#: What follows the text, by event: where a person goes on.
_NEXT = {
    "log_entry": "orgsync log list {0}",
    "drift": "orgsync plan",
    "difference": "orgsync verify {0}",
    "reconcile_failed": "orgsync reconcile {0}",
    "suspended": "orgsync status {0}",
}
#: Characters of a fact that a text takes: what an org's log holds may be long.
_LONGEST = 4_000


def alert_subject(rule: Rule, facts: Mapping[str, Any]) -> str:
    """One line."""
    return " ".join(_filled(rule.subject or _SUBJECT, facts, _SUBJECT).split())[:200]


def alert_text(rule: Rule, facts: Mapping[str, Any]) -> str:
    """The text; ours ends with the command that shows more."""
    if rule.text:
        return _filled(rule.text, facts, _TEXT)
    more = _NEXT[rule.event].format(facts["connection"])
    return f"{_filled(_TEXT, facts, _TEXT).rstrip()}\n\nSee: {more}"


def _filled(text: str, facts: Mapping[str, Any], otherwise: str) -> str:
    """The text with the facts; ours where the rule's cannot be filled in, since an alert must not be lost to a typo."""
    if not is_template(text):
        return text
    short = {name: value[:_LONGEST] if isinstance(value, str) else value for name, value in facts.items()}
    try:
        return str(Templates(short, root="alert").evaluate(text))
    except TemplateProblem:
        return "" if text == otherwise else _filled(otherwise, facts, otherwise)
