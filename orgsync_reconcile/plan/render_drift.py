"""Changes by hand for a terminal and for a comment: each apart from what Git changed (REC-6)."""

from __future__ import annotations

from collections.abc import Sequence

from orgsync_reconcile.model.plan import Action, Drift
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.plan.drift_report import DriftReport
from orgsync_reconcile.plan.escape import as_code, for_markdown, for_terminal
from orgsync_reconcile.plan.phrases import DRIFT, SYMBOLS, phrase
from orgsync_reconcile.plan.render_text import Style, plain, wrapped

#: Of what Git changed, so many are named; the plan has them all.
_CHANGES = 10
#: By it a pipeline finds the comment that it wrote before.
MARKER = "<!-- orgsync:drift -->"
#: What fits into a comment, in bytes, with room for its last line.
_COMMENT = 60_000
_CORRECTED = "Changed by hand, put right by the next unattended run"
_REPORTED = "Changed by hand, left as it is by unattended runs"
_ADDED = "Made by hand in the secondary, never sent back"
_BY_GIT = "Changed by Git, not applied yet"


def drift_summary(report: DriftReport) -> str:
    """The last line of every rendering."""
    by_hand, by_git = len(report.drift) + len(report.added), len(report.changes)
    rest = f" Apart from that, {counted(by_git, 'change')} by Git wait{'s' if by_git == 1 else ''} to be applied."
    if not by_hand:
        return "No drift: nobody changed the orgs by hand." + (rest if by_git else "")
    parts = [
        f"{len(items)} {what}"
        for items, what in (
            (report.corrected, "to be put right"),
            (report.reported, "only reported"),
            (report.added, "made in the secondary"),
        )
        if items
    ]
    return f"Drift: {counted(by_hand, 'change')} by hand ({', '.join(parts)})." + (rest if by_git else "")


def render_drift_text(report: DriftReport, *, width: int = 100, style: Style = plain) -> str:
    """The report as lines for a terminal `width` columns wide, without a newline at its end."""
    blocks = [
        _block(_CORRECTED, [_drift_lines(item, width, style) for item in report.corrected], style),
        _block(_REPORTED, [_drift_lines(item, width, style) for item in report.reported], style),
        _block(
            _ADDED, [_line(f"{item.address}  {item.why}; {item.task}", width, style) for item in report.added], style
        ),
        _block(_BY_GIT, [_change_lines(item, width, style) for item in report.changes[:_CHANGES]], style),
    ]
    if len(report.changes) > _CHANGES:
        blocks[-1].append(f"    … and {len(report.changes) - _CHANGES} more: orgsync plan")
    lines = [line for block in blocks if block for line in [*block, ""]]
    return "\n".join([*lines, style("summary", for_terminal(drift_summary(report)))])


def _block(title: str, entries: Sequence[Sequence[str]], style: Style) -> list[str]:
    return [style("heading", f"{title}:"), *(line for entry in entries for line in entry)] if entries else []


def _line(text: str, width: int, style: Style) -> list[str]:
    first, *more = wrapped(text, width, "    ", "      ")
    return [f"  {style('drift', DRIFT)} {first[4:]}", *more]


def _drift_lines(item: Drift, width: int, style: Style) -> list[str]:
    lines = _line(f"{item.address}  {item.detail}", width, style)
    for line in item.diff:
        kind = {"+": "create", "-": "delete"}.get(line[:1], "dim")
        lines.append(f"      {style(kind, for_terminal(line))}")
    return lines


def _change_lines(item: Action, width: int, style: Style) -> list[str]:
    place = f"  {item.source.file}:{item.source.line}" if item.source else ""
    first, *more = wrapped(f"{item.address}  {phrase(item)}{place}", width, "    ", "      ")
    return [f"  {style(item.change.value, SYMBOLS[item.change])} {first[4:]}", *more]


def render_drift_markdown(report: DriftReport) -> str:
    """The report as Markdown for a comment: its summary first, below 65,536 bytes, nothing in it formats or mentions."""
    parts = [MARKER, "## orgsync drift", f"**{for_markdown(drift_summary(report))}**"]
    size = sum(len(part.encode()) for part in parts)
    left = 0
    for title, entries in (
        (_CORRECTED, [_markdown(item) for item in report.corrected]),
        (_REPORTED, [_markdown(item) for item in report.reported]),
        (_ADDED, [f"- `?` {as_code(item.address)} {for_markdown(item.task)}" for item in report.added]),
        (_BY_GIT, [f"- `{SYMBOLS[a.change]}` {as_code(a.address)} {for_markdown(phrase(a))}" for a in report.changes]),
    ):
        shown = []
        for entry in entries:
            size += len(entry.encode()) + 1
            if size <= _COMMENT:
                shown.append(entry)
        left += len(entries) - len(shown)
        if shown:
            parts.append(f"### {title} ({len(entries)})\n\n" + "\n".join(shown))
    if left:
        parts.append(f"… and {left} more: run `orgsync drift`")
    return "\n\n".join(parts) + "\n"


def _markdown(item: Drift) -> str:
    lines = [f"- `?` {as_code(item.address)} {for_markdown(item.detail)}"]
    lines.extend(f"  - {as_code(line)}" for line in item.diff)
    return "\n".join(lines)
