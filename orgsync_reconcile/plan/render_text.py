"""A plan for a terminal: one line an action, what changes below it, one summary line last."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.model.origin import Origin
from orgsync_reconcile.model.plan import Plan
from orgsync_reconcile.plan.escape import for_terminal
from orgsync_reconcile.plan.phrases import (
    BLOCKED,
    DRIFT,
    SYMBOLS,
    attributes,
    blocked_actions,
    guard_line,
    phrase,
    summary_line,
)

#: (kind, text) -> the text with colour. Kinds: create, update, delete, run, drift, blocked, heading, dim, error,
#: warning, info, ok, refused, summary.
Style = Callable[[str, str], str]
#: Addresses up to this length share a column, in a narrow terminal less: what is done keeps its room beside them.
_WIDEST_ADDRESS, _ROOM, _NARROWEST_ADDRESS = 64, 47, 24
#: What is done, up to this length, shares a column too.
_WIDEST_PHRASE = 46
#: Below this width the manifest's place gives way where a line would break for it, then what is done goes below.
_NARROW = 100


def plain(_kind: str, text: str) -> str:
    """No colour."""
    return text


def render_text(plan: Plan, *, width: int = 100, style: Style = plain, full: bool = False) -> str:
    """The plan as lines of text for a terminal `width` columns wide; `style` adds colour to finished pieces.

    `full` shows every attribute of every action, and none of them cut.

    Nothing in it moves a cursor: control characters of names and values are shown, not obeyed. The last line is the
    summary; there is no newline at the end.
    """
    blocks = [
        _actions(plan, width, style, full),
        _drift(plan, width, style),
        _manual(plan, width, style),
        _diagnostics(plan, width, style),
        _guards(plan, style),
    ]
    lines = [line for block in blocks if block for line in [*block, ""]]
    kind = "summary" if plan.applyable else "error"
    return "\n".join([*lines, style(kind, for_terminal(summary_line(plan)))])


def _place(origin: Origin | None) -> str:
    return for_terminal(f"{origin.file}:{origin.line}") if origin else ""


def _actions(plan: Plan, width: int, style: Style, full: bool) -> list[str]:
    blocked = blocked_actions(plan)
    widest = min(max(width - _ROOM, _NARROWEST_ADDRESS), _WIDEST_ADDRESS)
    rows = [(action, for_terminal(action.address), for_terminal(phrase(action))) for action in plan.actions]
    left = min(max((len(address) for _, address, _ in rows), default=0), widest)
    middle = min(max((len(done) for _, _, done in rows), default=0), _WIDEST_PHRASE)
    lines: list[str] = []
    for action, address, done in rows:
        kind = "blocked" if action.id in blocked else action.change.value
        symbol = BLOCKED if action.id in blocked else SYMBOLS[action.change]
        body = f"{address:<{left}}  {done:<{middle}}"
        place = _place(action.source)
        if width < _NARROW and len(body) + len(place) + 6 > width:
            place = ""
        if width < _NARROW and len(body.rstrip()) + 4 > width:
            lines.extend([f"  {style(kind, symbol)} {address}", f"      {done}"])
        else:
            line = f"{body}  {style('dim', place)}" if place else body.rstrip()
            lines.append(f"  {style(kind, symbol)} {line}")
        lines.extend(f"      {style('dim', for_terminal(text))}" for text in attributes(action, full=full))
    return lines


def wrapped(text: str, width: int, first: str, rest: str) -> list[str]:
    """`text` in lines of at most `width` columns; words and addresses stay whole."""
    lines = textwrap.wrap(
        for_terminal(text),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines or [first]


def _drift(plan: Plan, width: int, style: Style) -> list[str]:
    lines = [style("heading", "Changed by hand in the orgs:")] if plan.drift else []
    for item in plan.drift:
        first, *more = wrapped(f"{item.address}  {item.detail}", width, "    ", "      ")
        lines.extend([f"  {style('drift', DRIFT)} {first[4:]}", *more])
        for line in item.diff:
            kind = {"+": "create", "-": "delete"}.get(line[:1], "dim")
            lines.append(f"      {style(kind, for_terminal(line))}")
    return lines


def _manual(plan: Plan, width: int, style: Style) -> list[str]:
    lines = [style("heading", "To do by hand:")] if plan.manual else []
    for item in plan.manual:
        lines.extend(wrapped(f"{item.address}  {item.task}", width, "  * ", "      "))
        why = wrapped(f"{item.code}: {item.why}", width, "      ", "      ")
        lines.extend(f"      {style('dim', line[6:])}" for line in why)
    return lines


def _diagnostics(plan: Plan, width: int, style: Style) -> list[str]:
    titles = {Severity.ERROR: "Errors:", Severity.WARNING: "Warnings:", Severity.INFO: "Notes:"}
    lines: list[str] = []
    for severity, title in titles.items():
        found = [item for item in plan.diagnostics if item.severity is severity]
        if found:
            lines.append(style("heading", title))
            lines.extend(line for item in found for line in _diagnostic(item, width, style))
    return lines


def _diagnostic(item: Diagnostic, width: int, style: Style) -> list[str]:
    """The finding with its code in front, and its place at the end where there is room, or below."""
    mark = f"{BLOCKED} " if item.severity is Severity.ERROR else ""
    hint = f"; {item.hint}" if item.hint else ""
    start = f"  {mark}{item.code} "
    first, *more = wrapped(item.message + hint, width, start, " " * len(start))
    lines = [
        f"  {style('error', mark) if mark else ''}{style(item.severity.value, item.code)} {first[len(start) :]}",
        *more,
    ]
    place = _place(item.origin)
    if place and len(more[-1] if more else first) + 2 + len(place) <= width:
        lines[-1] += f"  {style('dim', place)}"
    elif place:
        lines.append(f"{' ' * len(start)}{style('dim', place)}")
    return lines


def _guards(plan: Plan, style: Style) -> list[str]:
    lines = [style("heading", "Guards:")] if plan.guards and plan.actions else []
    if lines:
        for guard in plan.guards:
            text = for_terminal(guard_line(guard))
            mark = f"{style('blocked', BLOCKED)} " if guard.status != "ok" else ""
            lines.append(f"  {mark}{style(guard.status, text)}")
    return lines
