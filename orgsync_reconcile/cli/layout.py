"""Laying out documents: aligned columns for a terminal, tables for Markdown, counted words."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence
from datetime import timedelta

from orgsync_reconcile.cli.session import Session


def visible(text: str) -> str:
    """`text` on one line, its control characters shown and not obeyed."""
    return "".join(
        character if unicodedata.category(character) not in ("Cc", "Cf", "Zl", "Zp") else f"\\u{ord(character):04x}"
        for character in text
    )


#: What a row that is wider than the terminal goes on with, on the next line.
_INDENT = "    "


def columns(session: Session, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table: numbers to the right. On a terminal that is too narrow each row goes on below, nothing is cut off."""
    cells = [[f"{cell:,}" if isinstance(cell, int) else visible(str(cell)) for cell in row] for row in rows]
    right = [bool(rows) and all(isinstance(row[place], int) for row in rows) for place in range(len(heads))]
    widths = [max(len(head), *(len(row[place]) for row in cells)) for place, head in enumerate(heads)] if cells else []
    if not cells:
        return ""
    groups = _lines(widths, session.width) if session.terminal else [list(range(len(heads)))]

    def line(parts: Sequence[str]) -> str:
        padded = [
            part.rjust(width) if to_right else part.ljust(width)
            for part, width, to_right in zip(parts, widths, right, strict=True)
        ]
        first, *more = ["  ".join(padded[place] for place in group).rstrip() for group in groups]
        below = [text for rest in more for text in _wrapped(rest, session.width)]
        return "\n".join([first, *below])

    return "\n".join([session.style("heading", line(heads)), *(line(row) for row in cells)])


def _lines(widths: Sequence[int], room: int) -> list[list[int]]:
    """The columns, by place, that stand on the first line of a row and on those below it."""
    groups: list[list[int]] = [[]]
    used = 0
    for place, width in enumerate(widths):
        if groups[-1] and used + width > room:
            groups.append([])
            used = len(_INDENT)
        groups[-1].append(place)
        used += width + 2
    return groups


def _wrapped(text: str, room: int) -> list[str]:
    """A line below a row's first; none where its columns are empty."""
    if len(_INDENT + text) <= room:
        return [_INDENT + text] if text else []
    return textwrap.wrap(text, room, initial_indent=_INDENT, subsequent_indent=_INDENT)


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """The same table as Markdown."""

    def line(parts: Sequence[object]) -> str:
        texts = (visible(str(part)).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;") for part in parts)
        return f"| {' | '.join(texts)} |"

    return "\n".join([line(heads), line(["---"] * len(heads)), *(line(row) for row in rows)])


def table(session: Session, heads: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> str:
    """The table in the session's format, or the words for an empty one."""
    if not rows:
        return empty
    return markdown_table(heads, rows) if session.format == "markdown" else columns(session, heads, rows)


def shown_time(text: str) -> str:
    """An org's time, in UTC to the second: `2026-01-31 12:00:00`."""
    return text[:19].replace("T", " ")


def spoken(seconds: float) -> str:
    """A length of time as people say it: `0.4 s`, `1:02:03`."""
    return f"{seconds:.1f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))
