"""Findings for other programs: GitHub's workflow commands, and SARIF 2.1.0 for code scanning (REC-8, REC-9)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

from orgsync_reconcile import __version__
from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.model.origin import Origin

SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
#: What SARIF's readers call the top of the sources.
_BASE: Final = "%SRCROOT%"
#: Rules of findings about a plan, which have no code in docs/diagnostics.md.
_PLAN_RULES: Final = {
    "destructive": {"meaning": "A planned action disconnects or deletes.", "help": "Apply it only if that is meant."},
    "refused": {
        "meaning": "A guard refuses the plan.",
        "help": "Allow it by name with --allow, or change the manifests.",
    },
}
#: Severity -> GitHub's command, SARIF's level.
_LEVELS: Final = {
    Severity.ERROR: ("error", "error"),
    Severity.WARNING: ("warning", "warning"),
    Severity.INFO: ("notice", "note"),
}


def _escaped(text: str, more: str = "") -> str:
    """Text that can neither end a workflow command nor begin another one; `more` are characters of its own syntax."""
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def github(findings: Sequence[Diagnostic]) -> str:
    """One workflow command for each finding: `::error file=F,line=L,col=C,title=CODE::MESSAGE`."""
    return "\n".join(_command(item) for item in findings)


def _command(item: Diagnostic) -> str:
    where = (
        {} if item.origin is None else {"file": item.origin.file, "line": item.origin.line, "col": item.origin.column}
    )
    properties = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in {**where, "title": item.code}.items())
    hint = f"; {item.hint}" if item.hint else ""
    return f"::{_LEVELS[item.severity][0]} {properties}::{_escaped(item.message + hint)}"


@lru_cache(maxsize=1)
def rules() -> dict[str, dict[str, str]]:
    """Code -> its `meaning`, and what to do as `help`, as docs/diagnostics.md has them."""
    found: dict[str, dict[str, str]] = json.loads(
        (files("orgsync_reconcile.cli") / "rules.json").read_text(encoding="utf-8")
    )
    return {**found, **_PLAN_RULES}


def sarif(findings: Sequence[Diagnostic], folder: str) -> dict[str, Any]:
    """The findings as one SARIF run with the rules that they break; paths are relative to the working folder.

    Code scanning refuses a whole file for one result without a place: what has none stands at the manifests' `folder`.
    """
    used = sorted({item.code for item in findings})
    place = {code: index for index, code in enumerate(used)}
    seen: Counter[str] = Counter()
    return {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "orgsync",
                        "version": __version__,
                        "semanticVersion": __version__,
                        "rules": [_rule(code) for code in used],
                    }
                },
                "originalUriBaseIds": {_BASE: {"description": {"text": "The working folder of orgsync."}}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(item, place[item.code], folder, seen) for item in findings],
            }
        ],
    }


def _rule(code: str) -> dict[str, Any]:
    known = rules().get(code, {})
    meaning = known.get("meaning", code)
    return {
        "id": code,
        "shortDescription": {"text": meaning},
        "fullDescription": {"text": meaning},
        "help": {"text": known.get("help") or meaning},
    }


def _result(item: Diagnostic, rule: int, folder: str, seen: Counter[str]) -> dict[str, Any]:
    hint = f"; {item.hint}" if item.hint else ""
    place = item.origin or Origin(file=folder)
    identity = sha256("\0".join((item.code, place.file, item.message)).encode()).hexdigest()[:32]
    seen[identity] += 1
    region = {"startLine": max(place.line, 1), "startColumn": max(place.column, 1)}
    return {
        "ruleId": item.code,
        "ruleIndex": rule,
        "level": _LEVELS[item.severity][1],
        "message": {"text": item.message + hint},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(place.file), "region": region}}],
        # The same finding on another line is the same; one that stands there twice is two.
        "partialFingerprints": {"orgsyncFinding/v1": f"{identity}:{seen[identity]}"},
    }


def _artifact(path: str) -> dict[str, str]:
    from urllib.parse import quote

    uri = quote(path, safe="/._-~")
    return {"uri": f"file://{uri}"} if path.startswith("/") else {"uri": uri, "uriBaseId": _BASE}
