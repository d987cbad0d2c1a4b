"""Laying out documents: aligned columns for a terminal, tables for Markdown, counted words."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import timedelta

from orgsync_reconcile.cli.session import Session


def counted(number: int, noun: str) -> str:
    """`1 record`, `2,000 records`, `3 entries`."""
    if number == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {plural}"


def visible(text: str) -> str:
    """`text` on one line, its control characters shown and not obeyed."""
    return "".join(
        character if unicodedata.category(character) not in ("Cc", "Cf", "Zl", "Zp") else f"\\u{ord(character):04x}"
        for character in text
    )


def columns(session: Session, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table: numbers to the right, and on a terminal each line cut to its width."""
    cells = [[f"{cell:,}" if isinstance(cell, int) else visible(str(cell)) for cell in row] for row in rows]
    right = [bool(rows) and all(isinstance(row[place], int) for row in rows) for place in range(len(heads))]
    widths = [max(len(head), *(len(row[place]) for row in cells)) for place, head in enumerate(heads)] if cells else []
    if not cells:
        return ""

    def line(parts: Sequence[str]) -> str:
        padded = [
            part.rjust(width) if to_right else part.ljust(width)
            for part, width, to_right in zip(parts, widths, right, strict=True)
        ]
        text = "  ".join(padded).rstrip()
        return text if len(text) <= session.width or not session.terminal else text[: session.width - 1] + "…"

    return "\n".join([session.style("heading", line(heads)), *(line(row) for row in cells)])


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
