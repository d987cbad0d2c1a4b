"""Which field a value was for that the server could not read or store: what it says of COPY, and which parameter it names."""

from __future__ import annotations

import re
from collections.abc import Mapping

import psycopg

from orgsync_reconcile.stores.postgres.statement import Parameters

#: Where the name is kept beside an error whose words do not tell it.
_KEPT = "orgsync_field"
_IN_COPY = re.compile(r'^COPY .*?, line \d+, column (?P<name>\w+): "', re.MULTILINE)
_OF_PARAMETER = re.compile(r"\bportal parameter \$(?P<number>\d+)")
_MARK = re.compile(r"%s|%\((?P<name>\w+)\)s|'(?:[^']|'')*'")
_INTO = re.compile(r"\s*INSERT INTO \S+ \((?P<names>[^()]*)\) VALUES \(")
_OVERFLOW = re.compile(r"\D*(?P<digits>\d+)\D+\d+")
_SET = re.compile(r'"(?P<name>\w+)" = [^"]*$')


def named_field(error: psycopg.Error) -> str:
    """The field that an unreadable value was for; empty where the server does not tell."""
    kept = vars(error).get(_KEPT, "")
    found = _IN_COPY.search(error.diag.context or "")
    return str(found["name"] if found else kept)


def keep_field(error: psycopg.Error, text: str, values: Parameters) -> None:
    """Keeps the column beside the error that the server's words about a parameter of the statement lead to."""
    found = _OF_PARAMETER.search(error.diag.context or "")
    number = int(found["number"]) if found else _too_long(error, text, values)
    if number and (name := _column(text, number)):
        vars(error)[_KEPT] = name


def _too_long(error: psycopg.Error, text: str, values: Parameters) -> int:
    """Which parameter has more digits than the server says that a column takes; 0: none, or it says nothing of columns."""
    precision = _OVERFLOW.match(error.diag.message_detail or "")
    if precision is None or not isinstance(error, psycopg.errors.NumericValueOutOfRange):
        return 0
    given = [values[name] for name in _places(text)] if isinstance(values, Mapping) else values
    for number, value in enumerate(given, 1):
        # Numbers go whole, without their point.
        if isinstance(value, int) and abs(value) >= 10 ** int(precision["digits"]):
            return number
    return 0


def _column(text: str, number: int) -> str:
    """The column that a statement writes its so-manieth parameter to; empty: to none alone."""
    place = _place(text, number)
    if (assigned := _SET.search(text[:place])) and re.match(r"\s*UPDATE\b", text):
        return assigned["name"]
    into = _INTO.match(text)
    if into is None or place < into.end():
        return ""
    before = text[into.end() : place]
    # Commas between values, not those within the parentheses of one; a second row begins with a parenthesis of its own.
    depth = passed = 0
    for sign in re.sub(r"'(?:[^']|'')*'", "", before):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        passed += sign == "," and depth == 0
    names = [name.strip().strip('"') for name in into["names"].split(",")]
    return names[passed] if depth >= 0 and passed < len(names) else ""


def _place(text: str, number: int) -> int:
    """Where a statement's so-manieth parameter first stands; parameters with a name count once."""
    return list(_places(text).values())[number - 1]


def _places(text: str) -> dict[str, int]:
    """Where each of a statement's parameters first stands, in their order: by name, or by `%` and number."""
    seen: dict[str, int] = {}
    for mark in _MARK.finditer(text):
        if not mark[0].startswith("'"):
            seen.setdefault(mark["name"] or f"%{len(seen)}", mark.start())
    return seen
