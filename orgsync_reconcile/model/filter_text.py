"""The grammar of filters (`--where`, reports): text to a tree of conditions, with the column of every word kept.

    condition  = and-part { OR and-part }
    and-part   = not-part { AND not-part }
    not-part   = [ NOT ] ( "(" condition ")" | comparison )
    comparison = FIELD ( = | != | <> | < | <= | > | >= ) value
               | FIELD [ NOT ] IN "(" value { "," value } ")"
               | FIELD [ NOT ] LIKE 'text with % and _'
               | FIELD IS [ NOT ] NULL
    value      = 'text' | number | 2026-01-31 | 2026-01-31T12:00:00Z | 12:00:00 | TRUE | FALSE | NULL

Words of the grammar ignore case. A quote within a text is doubled or follows a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from orgsync_reconcile.errors import UsageError

#: Longer filters, deeper brackets, more comparisons and values are refused: SQLite has limits for each.
MAX_LENGTH, MAX_DEPTH, MAX_PARTS, MAX_VALUES = 40_000, 40, 400, 2000


class Kind(StrEnum):
    """What a value of a filter is written as."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    MOMENT = "moment"
    TIME = "time"
    BOOLEAN = "boolean"
    NULL = "null"


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """A value as it was written; `column` counts from 1."""

    kind: Kind
    text: str
    column: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """One comparison of a field. `operator`: = != < <= > >= in like."""

    field: str
    column: int
    operator: str
    values: tuple[Value, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Not:
    """The opposite of a condition."""

    part: Condition


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Conditions joined by AND or OR."""

    word: str
    parts: tuple[Condition, ...]


Condition = Comparison | Not | Group


def complaint(column: int, message: str, hint: str = "") -> UsageError:
    """The error of a filter at one of its columns."""
    return UsageError(f"filter, column {column}: {message}", hint=hint)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Token:
    kind: str
    text: str
    column: int


_TOKENS = re.compile(
    r"""(?P<space>\s+)
    |(?P<moment>\d{4}-\d\d-\d\d[Tt][0-9:.]+(?:[Zz]|[+-]\d\d:?\d\d)?(?!\w))
    |(?P<date>\d{4}-\d\d-\d\d(?!\w))
    |(?P<time>\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?[Zz]?(?!\w))
    |(?P<number>[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?![\w.]))
    |(?P<text>'(?:[^'\\]|''|\\.)*')
    |(?P<sign><=|>=|<>|!=|=|<|>|\(|\)|,)
    |(?P<word>[A-Za-z][A-Za-z0-9_]*)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_LITERALS = {"date": Kind.DATE, "moment": Kind.MOMENT, "time": Kind.TIME, "number": Kind.NUMBER}
_SIGNS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    place = 0
    while place < len(text):
        found = _TOKENS.match(text, place)
        if found is None:
            if text[place] == "'":
                raise complaint(place + 1, "the text that begins here has no closing quote")
            raise complaint(
                place + 1, f"{text[place : place + 12]!r} is no part of a filter", "for example: Name = 'Acme'"
            )
        kind = str(found.lastgroup)
        if kind != "space":
            tokens.append(_Token(kind=kind, text=found.group(), column=place + 1))
        place = found.end()
    return tokens


def unquoted(text: str) -> str:
    """The characters of a quoted text. A backslash stays before % and _, where LIKE reads it."""

    def plain(found: re.Match[str]) -> str:
        sequence = found.group()
        if sequence == "''":
            return "'"
        character = sequence[1]
        return sequence if character in "%_\\" else _ESCAPES.get(character, character)

    return re.sub(r"''|\\.", plain, text[1:-1], flags=re.DOTALL)


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.end = len(text) + 1
        self.place = 0
        self.parts = 0
        self.values = 0

    def peek(self) -> _Token:
        return (
            self.tokens[self.place] if self.place < len(self.tokens) else _Token(kind="end", text="", column=self.end)
        )

    def word(self, *words: str) -> bool:
        """Takes the next token if it is one of these words or signs."""
        token = self.peek()
        if token.kind in ("word", "sign") and token.text.upper() in words:
            self.place += 1
            return True
        return False

    def expected(self, what: str) -> UsageError:
        token = self.peek()
        found = "the end" if token.kind == "end" else repr(token.text[:40])
        return complaint(token.column, f"expected {what}, found {found}")

    def condition(self, depth: int = 0) -> Condition:
        return self._joined("OR", depth)

    def _joined(self, word: str, depth: int) -> Condition:
        parts = [self._joined("AND", depth) if word == "OR" else self._negated(depth)]
        while self.word(word):
            parts.append(self._joined("AND", depth) if word == "OR" else self._negated(depth))
        return parts[0] if len(parts) == 1 else Group(word=word, parts=tuple(parts))

    def _negated(self, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            raise complaint(self.peek().column, f"more than {MAX_DEPTH} brackets and NOTs within one another")
        if self.word("NOT"):
            return Not(part=self._negated(depth + 1))
        if self.word("("):
            inner = self.condition(depth + 1)
            if not self.word(")"):
                raise self.expected("AND, OR or a closing bracket")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        token = self.peek()
        if token.kind != "word" or token.text.upper() in ("AND", "OR", "IN", "LIKE", "IS"):
            raise self.expected("a field's API name")
        self.place += 1
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise complaint(token.column, f"more than {MAX_PARTS} comparisons")

        def compared(operator: str, *values: Value) -> Comparison:
            return Comparison(field=token.text, column=token.column, operator=operator, values=values)

        if self.peek().text in _SIGNS and self.peek().kind == "sign":
            sign = self.peek().text
            self.place += 1
            return compared("!=" if sign == "<>" else sign, self._value())
        if self.word("IS"):
            operator = "!=" if self.word("NOT") else "="
            value = self.peek()
            if not self.word("NULL"):
                raise self.expected("NULL")
            return compared(operator, Value(kind=Kind.NULL, text="", column=value.column))
        negated = self.word("NOT")
        if self.word("IN"):
            found: Condition = compared("in", *self._list())
        elif self.word("LIKE"):
            found = compared("like", self._value())
        else:
            raise self.expected("a comparison such as =, <, IN, LIKE or IS NULL")
        return Not(part=found) if negated else found

    def _list(self) -> Sequence[Value]:
        if not self.word("("):
            raise self.expected("an opening bracket")
        values = [self._value()]
        while self.word(","):
            values.append(self._value())
        if not self.word(")"):
            raise self.expected("a comma or a closing bracket")
        return values

    def _value(self) -> Value:
        token = self.peek()
        upper = token.text.upper()
        if token.kind == "text":
            kind, text = Kind.TEXT, unquoted(token.text)
        elif token.kind in _LITERALS:
            kind, text = _LITERALS[token.kind], token.text
        elif token.kind == "word" and upper in ("TRUE", "FALSE"):
            kind, text = Kind.BOOLEAN, upper
        elif token.kind == "word" and upper == "NULL":
            kind, text = Kind.NULL, ""
        elif token.kind == "word":
            raise complaint(
                token.column, f"{token.text[:40]} is no value", f"write text in quotes: '{token.text[:40]}'"
            )
        else:
            raise self.expected("a value")
        self.place += 1
        self.values += 1
        if self.values > MAX_VALUES:
            raise complaint(token.column, f"more than {MAX_VALUES:,} values")
        return Value(kind=kind, text=text, column=token.column)


def parse_filter(text: str) -> Condition:
    """The conditions of a filter. Raises UsageError with the column of what cannot be read."""
    if len(text) > MAX_LENGTH:
        raise complaint(MAX_LENGTH + 1, f"the filter is longer than {MAX_LENGTH:,} characters")
    parser = _Parser(text)
    found = parser.condition()
    if parser.peek().kind != "end":
        raise parser.expected("AND, OR or the end")
    return found


def compared_fields(condition: Condition) -> Iterator[tuple[str, int]]:
    """(field, column) of every comparison, in their order."""
    match condition:
        case Comparison():
            yield condition.field, condition.column
        case Not():
            yield from compared_fields(condition.part)
        case Group():
            for part in condition.parts:
                yield from compared_fields(part)
