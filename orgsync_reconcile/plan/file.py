"""The saved plan: the JSON document that `plan --format json` prints and `apply` reads back (CONTRACT, REC-2)."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import ValidationError

from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.plan import Plan
from orgsync_reconcile.plan.document import FORMAT_VERSION, to_document
from orgsync_reconcile.plan.escape import UNSAFE
from orgsync_reconcile.plan.fingerprint import plan_id
from orgsync_reconcile.plan.saved import SavedPlan

_MAJOR = FORMAT_VERSION.partition(".")[0]


def to_json(plan: Plan, **more: Any) -> str:
    """The plan file's text, with a newline at its end: the same bytes for the same plan (REC-1).

    `more` are keys beside the plan's, for documents that are shown and not applied.
    """
    text = json.dumps({**to_document(plan), **more}, indent=2, ensure_ascii=False)
    # JSON escapes the old control characters only; the rest could still move a terminal's cursor or reorder text.
    return re.sub(UNSAFE, _escaped, text) + "\n"


def _escaped(match: re.Match[str]) -> str:
    character = match.group()
    return character if character == "\n" else f"\\u{ord(character):04x}"


def from_json(text: str, where: str) -> Plan:
    """The plan in a saved file; `where` is the file as shown in messages.

    Raises OrgsyncError for text that is no plan, is of a newer format, or was changed after it was saved.
    """
    _check_format(text, where)
    try:
        saved = SavedPlan.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise OrgsyncError(
            f"not a plan that can be read: {place}: {first['msg']}", hint="save it again with plan --out", where=where
        ) from None
    plan = saved.plan()
    _check_actions(plan, where)
    if plan.plan_id != plan_id(plan.manifests, plan.environment, plan.observed, plan.actions):
        raise OrgsyncError(
            "the plan was changed after it was saved: its plan_id does not fit",
            hint="save it again with plan --out",
            where=where,
        )
    return plan


def _check_format(text: str, where: str) -> None:
    """Say plainly what is not a plan, or a plan of another version, before its details are looked at."""
    hint = "save one with plan --out"
    try:
        head = json.loads(text)
    except (ValueError, RecursionError):
        raise OrgsyncError("not a plan: the file is not JSON", hint=hint, where=where) from None
    if not isinstance(head, dict) or head.get("kind") != "plan":
        raise OrgsyncError('not a plan: it has no "kind": "plan"', hint=hint, where=where)
    version = str(head.get("format_version", ""))
    if version.partition(".")[0] != _MAJOR:
        raise OrgsyncError(
            f"the plan has format {version or 'unknown'}, this program reads {FORMAT_VERSION}",
            hint="use the program that saved it, or plan again",
            where=where,
        )


def _check_actions(plan: Plan, where: str) -> None:
    earlier: set[str] = set()
    for index, action in enumerate(plan.actions, start=1):
        if action.id != f"a{index}" or not earlier.issuperset(action.depends_on):
            raise OrgsyncError(
                f"the plan's actions are out of order at {action.id}", hint="save it again with plan --out", where=where
            )
        earlier.add(action.id)
