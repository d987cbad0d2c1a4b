"""Formulas that SQL computes: same-record arithmetic, text joining, comparison and a few functions.

Every store computes the same from the same record: numbers are binary fractions of 64 bits on the way, and only the
letters of ASCII have a case. What stores have other words for, they give as `Words`. Supported: field references of the same record, numbers, quoted text, `+ - * / & = == <> != < > <= >=`, parentheses,
AND, OR, NOT, IF, ISBLANK, ISNULL, BLANKVALUE, NULLVALUE, TRIM, UPPER, LOWER, LEN, TEXT (of text), TRUE, FALSE. Anything
else (other records, TODAY, HYPERLINK, …) returns None and the field keeps what is written to it.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from orgsync_reconcile.model.schema import SCALED, FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql.text import quote

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"""|(?P<name>[A-Za-z$][A-Za-z0-9_.$]*)|(?P<op><>|!=|<=|>=|==|&&|\|\||[-+*/&=<>(),]))"""
)


class _UnsupportedError(Exception):
    """The formula needs more than one record's columns, or a function that we do not compute."""


@dataclass(frozen=True)
class _Value:
    """An SQL expression and its kind: number, text or truth."""

    sql: str
    kind: str


class Words(ABC):
    """What stores write in different ways. Arguments and results are SQL expressions."""

    #: Whether two values are the same, or not; blanks are the same as blanks.
    same: ClassVar[str]
    differs: ClassVar[str]

    @abstractmethod
    def number(self, column: str, scale: int) -> str:
        """A column of numbers with so many digits after the point, as a binary fraction."""

    @abstractmethod
    def text(self, value: str) -> str:
        """Text that the formula itself gives."""

    @abstractmethod
    def length(self, text: str) -> str:
        """The number of a text's characters, as a binary fraction."""

    @abstractmethod
    def rounded(self, number: str, scale: int) -> str:
        """A binary fraction as a column of so many digits after the point holds it; halves go away from zero."""


class _Translator:
    """Recursive descent over one formula."""

    def __init__(self, obj: ObjectDef, words: Words, tokens: list[tuple[str, str]], seen: frozenset[str]) -> None:
        self.obj = obj
        self.words = words
        self.tokens = tokens
        self.place = 0
        self.seen = seen

    def peek(self) -> str:
        return self.tokens[self.place][1] if self.place < len(self.tokens) else ""

    def take(self, expected: str = "") -> tuple[str, str]:
        if self.place >= len(self.tokens) or (expected and self.peek() != expected):
            raise _UnsupportedError
        self.place += 1
        return self.tokens[self.place - 1]

    def comparison(self) -> _Value:
        left = self.sum()
        same, differs = self.words.same, self.words.differs
        operators = {"=": same, "==": same, "<>": differs, "!=": differs, "<": "<", ">": ">", "<=": "<=", ">=": ">="}
        if self.peek() in operators:
            operator = operators[self.take()[1]]
            right = self.sum()
            if left.kind != right.kind:
                raise _UnsupportedError
            return _Value(f"({left.sql} {operator} {right.sql})", "truth")
        return left

    def sum(self) -> _Value:
        left = self.product()
        while self.peek() in ("+", "-", "&"):
            operator = self.take()[1]
            right = self.product()
            if left.kind == right.kind == "number" and operator != "&":
                left = _Value(f"({left.sql} {operator} {right.sql})", "number")
            elif left.kind == right.kind == "text" and operator in ("&", "+"):
                left = _Value(f"(coalesce({left.sql}, '') || coalesce({right.sql}, ''))", "text")
            else:
                raise _UnsupportedError
        return left

    def product(self) -> _Value:
        left = self.atom()
        while self.peek() in ("*", "/"):
            operator = self.take()[1]
            right = self.atom()
            if not left.kind == right.kind == "number":
                raise _UnsupportedError
            divisor = f"nullif({right.sql}, 0.0)" if operator == "/" else right.sql
            left = _Value(f"({left.sql} {operator} {divisor})", "number")
        return left

    def atom(self) -> _Value:
        kind, token = self.take()
        if kind == "number":
            return _Value(self.words.number(token, 0), "number") if math.isfinite(float(token)) else self.refuse()
        if kind == "text":
            return _Value(self.words.text(re.sub(r"\\(.)", r"\1", token[1:-1])), "text")
        if token == "(":
            value = self.comparison()
            self.take(")")
            return value
        if token == "-":
            value = self.atom()
            return _Value(f"(-{value.sql})", "number") if value.kind == "number" else self.refuse()
        if kind == "name":
            return self.call(token.upper()) if self.peek() == "(" else self.field(token)
        return self.refuse()

    def refuse(self) -> _Value:
        raise _UnsupportedError

    def field(self, name: str) -> _Value:
        if name.upper() in ("TRUE", "FALSE"):
            return _Value(name.upper(), "truth")
        field = self.obj.fields.get(name)
        if field is None:
            raise _UnsupportedError
        if field.type is FieldType.FORMULA:
            if name in self.seen or field.result_type in SCALED:
                raise _UnsupportedError
            inner = _expression(field, self.obj, self.words, self.seen | {name})
            return _Value(f"({inner.sql})", inner.kind)
        if field.type in SCALED:
            return _Value(self.words.number(quote(name), field.scale or 0), "number")
        if field.type is FieldType.CHECKBOX:
            return _Value(quote(name), "truth")
        textual = (
            FieldType.TEXT,
            FieldType.EMAIL,
            FieldType.PHONE,
            FieldType.URL,
            FieldType.TEXT_AREA,
            FieldType.PICKLIST,
        )
        return _Value(quote(name), "text") if field.type in textual else self.refuse()

    def call(self, name: str) -> _Value:
        self.take("(")
        arguments: list[_Value] = []
        while self.peek() != ")":
            arguments.append(self.comparison())
            if self.peek() == ",":
                self.take()
        self.take(")")
        if name == "LEN":
            return self.length(arguments)
        build = _FUNCTIONS.get(name)
        if build is None:
            raise _UnsupportedError
        return build(arguments)

    def length(self, arguments: list[_Value]) -> _Value:
        if len(arguments) != 1 or arguments[0].kind != "text":
            raise _UnsupportedError
        return _Value(self.words.length(arguments[0].sql), "number")


def _condition(arguments: list[_Value]) -> _Value:
    if len(arguments) != 3 or arguments[0].kind != "truth" or arguments[1].kind != arguments[2].kind:
        raise _UnsupportedError
    test, yes, no = arguments
    return _Value(f"CASE WHEN {test.sql} THEN {yes.sql} ELSE {no.sql} END", yes.kind)


def _blank(arguments: list[_Value]) -> _Value:
    if len(arguments) != 1:
        raise _UnsupportedError
    (item,) = arguments
    return _Value(f"(coalesce({item.sql}, '') = '')" if item.kind == "text" else f"({item.sql} IS NULL)", "truth")


def _blank_value(arguments: list[_Value]) -> _Value:
    if len(arguments) != 2 or arguments[0].kind != arguments[1].kind:
        raise _UnsupportedError
    value, other = arguments
    filled = f"nullif({value.sql}, '')" if value.kind == "text" else value.sql
    return _Value(f"coalesce({filled}, {other.sql})", value.kind)


def _logic(operator: str) -> Callable[[list[_Value]], _Value]:
    def build(arguments: list[_Value]) -> _Value:
        if not arguments or any(item.kind != "truth" for item in arguments):
            raise _UnsupportedError
        return _Value("(" + f" {operator} ".join(item.sql for item in arguments) + ")", "truth")

    return build


def _not(arguments: list[_Value]) -> _Value:
    if len(arguments) != 1 or arguments[0].kind != "truth":
        raise _UnsupportedError
    return _Value(f"(NOT {arguments[0].sql})", "truth")


def _of_text(function: str) -> Callable[[list[_Value]], _Value]:
    def build(arguments: list[_Value]) -> _Value:
        if len(arguments) != 1 or arguments[0].kind != "text":
            raise _UnsupportedError
        return _Value(f"{function}({arguments[0].sql})", "text")

    return build


_FUNCTIONS: dict[str, Callable[[list[_Value]], _Value]] = {
    "IF": _condition,
    "ISBLANK": _blank,
    "ISNULL": _blank,
    "BLANKVALUE": _blank_value,
    "NULLVALUE": _blank_value,
    "AND": _logic("AND"),
    "OR": _logic("OR"),
    "NOT": _not,
    "TRIM": _of_text("trim"),
    "UPPER": _of_text("upper"),
    "LOWER": _of_text("lower"),
    "TEXT": _of_text(""),
}


def _expression(field: FieldDef, obj: ObjectDef, words: Words, seen: frozenset[str]) -> _Value:
    formula = field.formula or ""
    tokens: list[tuple[str, str]] = []
    place = 0
    while place < len(formula.rstrip()):
        match = _TOKEN.match(formula, place)
        if match is None or match.lastgroup is None:
            raise _UnsupportedError
        tokens.append((match.lastgroup, match[match.lastgroup]))
        place = match.end()
    translator = _Translator(obj, words, tokens, seen)
    value = translator.comparison()
    if translator.place != len(tokens):
        raise _UnsupportedError
    return value


def translate(field: FieldDef, obj: ObjectDef, words: Words) -> str | None:
    """The formula as an SQL expression over the record's own columns, or None where SQL cannot compute it (ORG-4).

    A number is one of the field's digits after the point; one that no field has room for is blank.
    """
    try:
        value = _expression(field, obj, words, frozenset({field.name}))
    except _UnsupportedError:
        return None
    result = field.result_type or FieldType.TEXT
    expected = "number" if result in SCALED else {FieldType.CHECKBOX: "truth", FieldType.TEXT: "text"}.get(result)
    if value.kind != expected:
        return None
    return words.rounded(value.sql, field.scale or 0) if expected == "number" else value.sql
