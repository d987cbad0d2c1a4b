"""A review for a terminal: differences by connection and object, notes, the plan, one summary line last (REC-9)."""

from __future__ import annotations

import textwrap
from itertools import groupby

from orgsync_reconcile.model.diagnostic import Diagnostic
from orgsync_reconcile.model.plan import Risk
from orgsync_reconcile.plan.escape import for_terminal
from orgsync_reconcile.plan.phrases import SYMBOLS
from orgsync_reconcile.plan.render_text import Style
from orgsync_reconcile.plan.render_text import render_text as render_plan
from orgsync_reconcile.plan.semantic.difference import Difference, Review
from orgsync_reconcile.plan.semantic.findings import sentence
from orgsync_reconcile.plan.semantic.words import between, notes, summary_line

_RISKS = {Risk.SAFE: "", Risk.MOVES_DATA: "moves data", Risk.DESTRUCTIVE: "destructive"}


def render_text(review: Review, *, width: int, style: Style) -> str:
    """The review as lines of text for a terminal `width` columns wide, without a newline at the end."""
    lines = [style("heading", for_terminal(between(review))), ""]
    for group, in_group in groupby(review.differences, key=lambda item: item.group):
        lines.append(style("heading", f"{group}:"))
        for subject, items in groupby(in_group, key=lambda item: item.subject):
            lines.append(f"  {subject}")
            for item in items:
                lines.extend(_difference(item, width, style))
        lines.append("")
    for title, found in (("Not trusted:", review.untrusted), ("New warnings:", review.warnings)):
        if found:
            lines.append(style("heading", title))
            lines.extend(line for item in found for line in _finding(item, width, style))
            lines.append("")
    if review.plan.plan is not None:
        lines.append(style("heading", "The plan:"))
        lines.extend([render_plan(review.plan.plan, width=width, style=style), ""])
    lines.extend(line for note in notes(review) for line in _wrapped(note, width, "Note: ", "  "))
    kind = "error" if review.destructive or review.base_problem else "summary"
    return "\n".join([*lines, style(kind, for_terminal(summary_line(review)))])


def _wrapped(text: str, width: int, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        for_terminal(text),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _difference(item: Difference, width: int, style: Style) -> list[str]:
    """The difference behind its symbol, its risk and place at the end of the line, or below where it is too narrow."""
    first, *more = _wrapped(sentence(item), width, "      ", "        ")
    place = f"{'was at ' if item.gone else ''}{item.origin}"
    tail = "  ".join([part for part in (_RISKS[item.risk], for_terminal(place)) if part])
    lines = [f"    {style(item.change.value, SYMBOLS[item.change])} {first[6:]}", *more]
    shown = "  ".join(
        part
        for part in (style("error", _RISKS[item.risk]) if _RISKS[item.risk] else "", style("dim", for_terminal(place)))
        if part
    )
    if len(more[-1] if more else first) + 2 + len(tail) <= width:
        lines[-1] += f"  {shown}"
    else:
        lines.append(f"        {shown}")
    return lines


def _finding(item: Diagnostic, width: int, style: Style) -> list[str]:
    hint = f"; {item.hint}" if item.hint else ""
    lines = _wrapped(f"{item.message}{hint}", width, f"  {item.code} ", "       ")
    place = for_terminal(str(item.origin)) if item.origin else ""
    if place and len(lines[-1]) + 2 + len(place) <= width:
        lines[-1] += f"  {style('dim', place)}"
    elif place:
        lines.append(f"       {style('dim', place)}")
    return lines
