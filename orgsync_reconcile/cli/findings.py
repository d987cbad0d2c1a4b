"""Findings in manifests as text, JSON or Markdown, and as other programs read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orgsync_reconcile.cli.annotations import github, sarif
from orgsync_reconcile.cli.layout import markdown_table, visible
from orgsync_reconcile.cli.session import Session
from orgsync_reconcile.model.diagnostic import Diagnostic, Severity

#: The formats of findings; the last two are for pull requests and code scanning.
FINDING_FORMATS = ("text", "json", "markdown", "github", "sarif")
#: Formats that hold findings and nothing else.
ANNOTATIONS = ("github", "sarif")


def findings_document(findings: Sequence[Diagnostic]) -> dict[str, Any]:
    """The JSON document of `validate` and `lint`."""
    return {
        "valid": not any(item.severity is Severity.ERROR for item in findings),
        "diagnostics": [item.document() for item in findings],
    }


def show_findings(session: Session, findings: Sequence[Diagnostic]) -> None:
    """Prints the findings in the session's format."""
    if session.format == "json":
        session.show_json(findings_document(findings))
    elif session.format == "sarif":
        session.show_json(sarif(findings, session.manifests))
    elif session.format == "github":
        if findings:
            session.show(github(findings))
    elif session.format == "markdown":
        rows = [(str(item.origin or ""), f"{item.severity} {item.code}", item.message, item.hint) for item in findings]
        session.show(markdown_table(("Place", "Code", "What", "What to do"), rows))
    else:
        for item in findings:
            place = session.style("dim", f"{item.origin}: ") if item.origin else ""
            kind = session.style(item.severity.value, f"{item.severity} {item.code}")
            hint = f"; {item.hint}" if item.hint else ""
            session.show(f"{place}{kind}: {visible(item.message + hint)}")
