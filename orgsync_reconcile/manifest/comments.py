"""Where the comments and blank lines of a manifest stand: what lies between the tokens that libyaml finds."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from yaml import SafeLoader as _Scanner
else:
    _Scanner = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

#: What YAML counts as the end of a line.
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
#: How a block scalar begins: its kind, what becomes of its last line break, its indentation.
_HEADER = re.compile(r"[|>][-+0-9]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    """A comment with its `#`, or a blank line (empty `text`). `line` and `column` count from 0."""

    line: int
    column: int
    text: str
    #: Whether nothing but white space stands before it on its line.
    alone: bool


def find_comments(text: str) -> list[Comment]:
    """All comments and blank lines of a text, in order. Raises yaml.YAMLError where the text is broken YAML."""
    starts = [0, *(match.end() for match in _BREAK.finditer(text))]
    found: list[Comment] = []
    for begin, end in _gaps(text):
        found.extend(_in_gap(text, begin, end, starts))
    return found


def _gaps(text: str) -> Iterator[tuple[int, int]]:
    """The stretches between tokens; they hold white space and comments only."""
    position = 0
    scanner = _Scanner(text)
    try:
        while scanner.check_token():
            token = scanner.get_token()  # type: ignore[no-untyped-call]
            begin, end = token.start_mark.index, token.end_mark.index
            if end <= begin:
                continue
            yield position, begin
            if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
                # A comment may follow the indicator; what is blank behind the last line is not the scalar's.
                header = _HEADER.match(text, begin)
                after = header.end() if header else begin
                first = _BREAK.search(text, after, end)
                stop = first.start() if first else end
                yield after, stop
                end = max(stop, begin + len(text[begin:end].rstrip()))
            position = max(position, end)
    finally:
        scanner.dispose()
    yield position, len(text)


def _in_gap(text: str, begin: int, end: int, starts: list[int]) -> Iterator[Comment]:
    position = begin
    while position < end:
        broken = _BREAK.search(text, position, end)
        stop = broken.start() if broken else end
        line = bisect_right(starts, position) - 1
        piece = text[position:stop]
        stripped = piece.strip(" \t\ufeff")
        alone = not text[starts[line] : position].strip(" \t\ufeff")
        if stripped.startswith("#"):
            column = position - starts[line] + piece.index("#")
            yield Comment(line=line, column=column, text=stripped.rstrip(), alone=alone)
        elif alone and not stripped and broken:
            yield Comment(line=line, column=0, text="", alone=True)
        position = broken.end() if broken else end


def separators(text: str) -> list[int]:
    """The lines, from 0, of the `---` that documents begin with. Raises yaml.YAMLError."""
    scanner = _Scanner(text)
    lines = []
    try:
        while scanner.check_token():
            token = scanner.get_token()  # type: ignore[no-untyped-call]
            if isinstance(token, yaml.DocumentStartToken):
                lines.append(token.start_mark.line)
    finally:
        scanner.dispose()
    return lines
