"""A plan for a terminal: one line an action, what changes below it, one summary line last."""

from __future__ import annotations

from collections.abc import Callable

from orgsync_reconcile.model.diagnostic import Diagnostic, Severity
from orgsync_reconcile.model.origin import Origin
from orgsync_reconcile.model.plan import Action, Plan
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
#: Addresses up to this length share a column.
_WIDEST_ADDRESS = 64


def _plain(_kind: str, text: str) -> str:
    return text


def render_text(plan: Plan, *, width: int = 100, style: Style = _plain) -> str:
    """The plan as lines of text for a terminal `width` columns wide; `style` adds colour to finished pieces.

    Nothing in it moves a cursor: control characters of names and values are shown, not obeyed. The last line is the
    summary; there is no newline at the end.
    """
    blocks = [
        _actions(plan, width, style),
        _drift(plan, style),
        _manual(plan, style),
        _diagnostics(plan, style),
        _guards(plan, style),
    ]
    lines = [line for block in blocks if block for line in [*block, ""]]
    kind = "summary" if plan.applyable else "error"
    return "\n".join([*lines, style(kind, for_terminal(summary_line(plan)))])


def _place(origin: Origin | None) -> str:
    return for_terminal(f"{origin.file}:{origin.line}") if origin else ""


def _actions(plan: Plan, width: int, style: Style) -> list[str]:
    blocked = blocked_actions(plan)
    column = min(max((len(action.address) for action in plan.actions), default=0), _WIDEST_ADDRESS)
    lines: list[str] = []
    for action in plan.actions:
        lines.append(_action(action, action.id in blocked, column, width, style))
        lines.extend(f"      {style('dim', for_terminal(line))}" for line in attributes(action))
    return lines


def _action(action: Action, blocked: bool, column: int, width: int, style: Style) -> str:
    kind = "blocked" if blocked else action.change.value
    symbol = BLOCKED if blocked else SYMBOLS[action.change]
    body = f"{for_terminal(action.address):<{column}}  {for_terminal(phrase(action))}"
    place = _place(action.source)
    gap = max(width - 4 - len(body) - len(place), 2)
    return f"  {style(kind, symbol)} {body}" + (f"{' ' * gap}{style('dim', place)}" if place else "")


def _drift(plan: Plan, style: Style) -> list[str]:
    lines = [style("heading", "Changed by hand in the orgs:")] if plan.drift else []
    for item in plan.drift:
        lines.append(f"  {style('drift', DRIFT)} {for_terminal(item.address)}  {for_terminal(item.detail)}")
        for line in item.diff:
            kind = {"+": "create", "-": "delete"}.get(line[:1], "dim")
            lines.append(f"      {style(kind, for_terminal(line))}")
    return lines


def _manual(plan: Plan, style: Style) -> list[str]:
    lines = [style("heading", "To do by hand:")] if plan.manual else []
    for item in plan.manual:
        lines.append(f"  * {for_terminal(item.address)}  {for_terminal(item.task)}")
        lines.append(f"      {style('dim', for_terminal(f'{item.code}: {item.why}'))}")
    return lines


def _diagnostics(plan: Plan, style: Style) -> list[str]:
    titles = {Severity.ERROR: "Errors:", Severity.WARNING: "Warnings:", Severity.INFO: "Notes:"}
    lines: list[str] = []
    for severity, title in titles.items():
        found = [item for item in plan.diagnostics if item.severity is severity]
        if found:
            lines.append(style("heading", title))
            lines.extend(_diagnostic(item, style) for item in found)
    return lines


def _diagnostic(item: Diagnostic, style: Style) -> str:
    mark = f"{style('error', BLOCKED)} " if item.severity is Severity.ERROR else ""
    hint = f"; {item.hint}" if item.hint else ""
    place = f"  {style('dim', _place(item.origin))}" if item.origin else ""
    return f"  {mark}{style(item.severity.value, item.code)} {for_terminal(item.message + hint)}{place}"


def _guards(plan: Plan, style: Style) -> list[str]:
    lines = [style("heading", "Guards:")] if plan.guards and plan.actions else []
    if lines:
        for guard in plan.guards:
            text = for_terminal(guard_line(guard.actual, guard.limit, guard.id, guard.status, guard.detail))
            mark = f"{style('blocked', BLOCKED)} " if guard.status != "ok" else ""
            lines.append(f"  {mark}{style(guard.status, text)}")
    return lines
