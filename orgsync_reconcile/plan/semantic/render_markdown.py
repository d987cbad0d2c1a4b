"""A review as a pull-request comment: summary always, what destroys first, never too long (REC-9)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from orgsync_reconcile.model.diagnostic import Diagnostic
from orgsync_reconcile.model.plan import Risk
from orgsync_reconcile.plan.escape import as_code, for_markdown
from orgsync_reconcile.plan.phrases import SYMBOLS
from orgsync_reconcile.plan.phrases import summary_line as plan_summary
from orgsync_reconcile.plan.render_markdown import Section, cut, plan_sections
from orgsync_reconcile.plan.semantic.difference import Difference, Review
from orgsync_reconcile.plan.semantic.findings import sentence
from orgsync_reconcile.plan.semantic.words import between, notes, summary_line

#: By it a pipeline finds the comment that it wrote before.
MARKER = "<!-- orgsync:review -->"
#: The plan's part of the comment.
_PLAN_SHARE = 0.4
_MORE = "run `orgsync review`"


def render_markdown(review: Review) -> str:
    """The review as Markdown below 65,536 bytes, with a hidden marker first.

    Names and values cannot format, mention, link or end the comment. Sections that are too long say how much is left.
    """
    destructive = review.destructive
    others = [item for item in review.differences if item.risk is not Risk.DESTRUCTIVE]
    sections = [
        Section(title="Not trusted", entries=_findings(review.untrusted), limit=4_000, more=_MORE),
        Section(title="Destructive", entries=_differences(destructive), limit=10_000, more=_MORE),
        Section(title="Differences", entries=_differences(others), limit=14_000, more=_MORE),
        Section(title="New warnings", entries=_findings(review.warnings), limit=4_000, more=_MORE),
    ]
    parts = [
        MARKER,
        "## orgsync review",
        f"**{for_markdown(summary_line(review))}**",
        for_markdown(cut(between(review))),
    ]
    parts.extend(f"> {for_markdown(cut(note))}" for note in notes(review))
    parts.extend(section.text() for section in sections if section.entries)
    plan = review.plan.plan
    if plan is not None:
        parts.append(f"## Plan\n\n**{for_markdown(plan_summary(plan))}**")
        parts.extend(
            replace(section, limit=int(section.limit * _PLAN_SHARE), more=_MORE).text()
            for section in plan_sections(plan)
            if section.entries
        )
    return "\n\n".join(parts) + "\n"


def render_errors(errors: Iterable[Diagnostic]) -> str:
    """The same comment for a head whose manifests have errors."""
    section = Section(title="Errors", entries=_findings(errors), limit=40_000, more="run `orgsync validate`")
    summary = f"**The manifests have {'an error' if len(section.entries) == 1 else 'errors'}: there is nothing to review yet.**"
    return "\n\n".join((MARKER, "## orgsync review", summary, section.text())) + "\n"


def _differences(items: Iterable[Difference]) -> list[str]:
    return [_difference(item) for item in items]


def _difference(item: Difference) -> str:
    place = f"{item.origin.file}:{item.origin.line}:{item.origin.column}"
    was = "was at " if item.gone else ""
    risk = " (moves data)" if item.risk is Risk.MOVES_DATA else ""
    return (
        f"- `{SYMBOLS[item.change]}` {as_code(cut(f'{item.group}: {item.subject}'))}"
        f" {for_markdown(cut(sentence(item)))}{risk} · {was}{as_code(cut(place))}"
    )


def _findings(items: Iterable[Diagnostic]) -> list[str]:
    return [
        f"- {item.code} {for_markdown(cut(item.message))}"
        + (f" · {as_code(cut(str(item.origin)))}" if item.origin else "")
        for item in items
    ]
