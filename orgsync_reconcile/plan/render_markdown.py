"""A plan as a pull-request comment: the summary always, what destroys first, and never too long (REC-9)."""

from __future__ import annotations

from dataclasses import dataclass

from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.model.plan import Action, Plan, Risk
from orgsync_reconcile.plan.escape import as_code, for_markdown
from orgsync_reconcile.plan.guards import refused
from orgsync_reconcile.plan.phrases import (
    BLOCKED,
    SYMBOLS,
    attributes,
    blocked_actions,
    guard_line,
    phrase,
    summary_line,
)

#: By it a pipeline finds the comment that it wrote before.
MARKER = "<!-- orgsync:plan -->"
#: A longer line is cut: one name cannot push out the others.
_LONGEST_LINE = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A heading with entries; `limit` is its share of the comment in bytes. An entry may have several lines."""

    title: str
    entries: list[str]
    limit: int
    folded: bool = False
    #: Where the entries are that are left out.
    more: str = "run `orgsync plan`"

    def text(self) -> str:
        """The section with as many whole entries as its share holds, and the number of the others."""
        shown: list[str] = []
        size = 0
        for entry in self.entries:
            size += len(entry.encode()) + 1
            if size > self.limit:
                break
            shown.append(entry)
        left = len(self.entries) - len(shown)
        if left:
            shown.append(f"- … and {left} more: {self.more}")
        title = f"{self.title} ({len(self.entries)})"
        body = "\n".join(shown)
        if self.folded:
            return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"
        return f"### {title}\n\n{body}"


def render_markdown(plan: Plan) -> str:
    """The plan as Markdown below 65,536 bytes, with a hidden marker first.

    Names and values cannot format, mention, link or end the comment. Sections that are too long say how much is left.
    """
    parts = [MARKER, "## orgsync plan", f"**{for_markdown(summary_line(plan))}**"]
    parts.extend(section.text() for section in plan_sections(plan) if section.entries)
    parts.append(f"<sub>{as_code(plan.plan_id)}</sub>")
    return "\n\n".join(parts) + "\n"


def plan_sections(plan: Plan) -> list[Section]:
    """The plan's parts below its summary, some of them empty, with their shares of a comment."""
    blocked = blocked_actions(plan)
    destructive = [action for action in plan.actions if action.risk is Risk.DESTRUCTIVE]
    others = [action for action in plan.actions if action.risk is not Risk.DESTRUCTIVE]
    return [
        Section(title="Errors", entries=_diagnostics(plan, Severity.ERROR), limit=8_000),
        Section(title="Refused by guards", entries=_refused(plan), limit=2_000),
        Section(title="Let pass by name", entries=_allowed(plan), limit=2_000),
        Section(title="Destructive actions", entries=_actions(destructive, blocked), limit=10_000),
        Section(title="Actions", entries=_actions(others, blocked), limit=16_000),
        Section(title="Changed by hand", entries=_drift(plan), limit=8_000),
        Section(title="Warnings", entries=_diagnostics(plan, Severity.WARNING), limit=8_000),
        Section(title="To do by hand", entries=_manual(plan), limit=6_000, folded=True),
        Section(title="Notes", entries=_diagnostics(plan, Severity.INFO), limit=3_000, folded=True),
    ]


def cut(text: str) -> str:
    """A line of at most 500 characters."""
    return text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 1] + "…"


def _actions(actions: list[Action], blocked: frozenset[str]) -> list[str]:
    entries = []
    for action in actions:
        symbol = BLOCKED if action.id in blocked else SYMBOLS[action.change]
        place = f" · {as_code(cut(f'{action.source.file}:{action.source.line}'))}" if action.source else ""
        lines = [f"- `{symbol}` {as_code(cut(action.address))} {for_markdown(cut(phrase(action)))}{place}"]
        lines.extend(f"  - {as_code(cut(line))}" for line in attributes(action))
        entries.append("\n".join(lines))
    return entries


def _refused(plan: Plan) -> list[str]:
    return [f"- {for_markdown(cut(guard_line(guard)))}" for guard in refused(plan)]


def _allowed(plan: Plan) -> list[str]:
    """Guards that an allowance lets pass: how much, by which one, and until when."""
    return [f"- {for_markdown(cut(guard_line(guard)))}" for guard in plan.guards if guard.allowed_by]


def _drift(plan: Plan) -> list[str]:
    entries = []
    for item in plan.drift:
        lines = [f"- `?` {as_code(cut(item.address))} {for_markdown(cut(item.detail))}"]
        lines.extend(f"  - {as_code(cut(line))}" for line in item.diff)
        entries.append("\n".join(lines))
    return entries


def _manual(plan: Plan) -> list[str]:
    return [
        f"- {as_code(cut(item.address))} {for_markdown(cut(item.task))} ({for_markdown(cut(item.why))})"
        for item in plan.manual
    ]


def _diagnostics(plan: Plan, severity: Severity) -> list[str]:
    return [_diagnostic(item) for item in plan.diagnostics if item.severity is severity]


def _diagnostic(item: Diagnostic) -> str:
    place = f" · {as_code(cut(f'{item.origin.file}:{item.origin.line}'))}" if item.origin else ""
    hint = f"; {item.hint}" if item.hint else ""
    return f"- {item.code} {for_markdown(cut(item.message + hint))}{place}"
