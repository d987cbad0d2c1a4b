"""Jinja expressions in scalars: parsed by Jinja, evaluated by a walk over a short list of allowed nodes (REC-11).

Nothing is compiled or run: an expression can look up `values`, use constants, join with `~` and apply the filters
listed here. Lookups reach plain data only, never attributes of Python objects.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

import jinja2
from jinja2 import nodes

from orgsync_reconcile.manifest import codes
from orgsync_reconcile.manifest.findings import shown, suggestion
from orgsync_reconcile.manifest.scalars import kind_of

#: Characters of one scalar that holds an expression, before evaluation.
SOURCE_LENGTH: Final = 2_000
#: Characters of one scalar after evaluation.
OUTPUT_LENGTH: Final = 10_000
#: Characters and values that all expressions of one load may yield together.
TOTAL_OUTPUT: Final = 4_000_000
#: What each expression counts besides, so that there cannot be millions of short ones.
EXPRESSION_COST: Final = 40
ROOT: Final = "values"
FILTERS: Final = ("default", "int", "join", "lower", "replace", "string", "trim", "upper")
_ALLOWED: Final = f"use values.NAME, constants, ~ and the filters {', '.join(FILTERS)}"

_PARSER: Final = jinja2.Environment(keep_trailing_newline=True)


class TemplateProblem(Exception):
    """An expression that cannot be evaluated: a diagnostic's code, message and hint."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class _UnknownValue(TemplateProblem):
    """A lookup that found nothing, which the filter `default` may replace."""

    def __init__(self, message: str, name: str = "", known: Iterable[str] = ()) -> None:
        super().__init__(codes.UNKNOWN_VALUE, message)
        self._name = name
        self._known = known

    def explained(self) -> TemplateProblem:
        """The same with the nearest known value, which takes time to find and is not wanted under `default`."""
        hint = suggestion(self._name, self._known, "known values") if self._name else "correct the number"
        return TemplateProblem(self.code, self.message, hint)


def is_template(text: str) -> bool:
    """Whether a scalar holds anything that Jinja would treat."""
    return "{{" in text or "{%" in text


class Templates:
    """Evaluates the expressions of one load over its values."""

    def __init__(self, values: Mapping[str, Any], *, root: str = ROOT) -> None:
        self._values = values
        self._root = root
        self._left = TOTAL_OUTPUT
        self._weights: dict[int, int] = {}

    def evaluate(self, source: str, *, later: str = "") -> Any:
        """A scalar's value: of the value's own type where it is one whole expression, else text.

        Parts that look up `later` stay expressions, for who knows that root. Raises TemplateProblem for anything outside the allowed list, unknown values and results that are too long.
        """
        if len(source) > SOURCE_LENGTH:
            raise TemplateProblem(
                codes.EXPRESSION_TOO_LONG, f"a scalar with an expression is longer than {SOURCE_LENGTH} characters"
            )
        parts = _parse(source)
        if later and any(_looks_up(part, later) for part in parts):
            parts = tuple(self._deferred(part, later) if _looks_up(part, later) else part for part in parts)
        try:
            result = self._value(parts[0]) if len(parts) == 1 else _checked("".join(self._text(part) for part in parts))
        except _UnknownValue as problem:
            raise problem.explained() from None
        self._spend(result)
        return result

    def _deferred(self, node: nodes.Expr, later: str) -> nodes.Expr:
        """The same expression as text, with what is known now put in."""
        try:
            return nodes.TemplateData(f"{{{{ {self._written(node, later)} }}}}")
        except _UnknownValue as problem:
            raise problem.explained() from None

    def _written(self, node: nodes.Expr, later: str) -> str:
        if not _looks_up(node, later):
            return json.dumps(self._text(node), ensure_ascii=False)
        match node:
            case nodes.Name():
                return node.name
            case nodes.Getattr():
                return f"{self._written(node.node, later)}.{node.attr}"
            case nodes.Getitem() if isinstance(node.arg, nodes.Const):
                return f"{self._written(node.node, later)}[{json.dumps(node.arg.value)}]"
            case nodes.Concat():
                return f"({' ~ '.join(self._written(part, later) for part in node.nodes)})"
            case nodes.Filter() if node.name in FILTERS and node.node is not None and not node.kwargs:
                arguments = ", ".join(self._written(part, later) for part in node.args)
                return f"{self._written(node.node, later)} | {node.name}" + (f"({arguments})" if arguments else "")
            case _:
                raise _refused(_words(node))

    def _spend(self, result: Any) -> None:
        self._left -= EXPRESSION_COST
        if isinstance(result, str):
            self._left -= len(result)
        else:
            if id(result) not in self._weights:
                self._weights[id(result)] = _weight(result)
            self._left -= self._weights[id(result)]
        if self._left < 0:
            raise TemplateProblem(
                codes.EXPRESSION_TOO_LONG, f"the expressions of all manifests yield more than {TOTAL_OUTPUT} characters"
            )

    def _text(self, node: nodes.Expr) -> str:
        return _as_text(self._value(node))

    def _value(self, node: nodes.Expr) -> Any:
        match node:
            case nodes.Const():
                return node.value
            case nodes.TemplateData():
                return node.data
            case nodes.Name():
                if node.name != self._root:
                    raise _refused(f"the name {shown(node.name)}", f"write {self._root}.{node.name}")
                return self._values
            case nodes.Getattr():
                return self._item(node.node, node.attr)
            case nodes.Getitem():
                if not isinstance(node.arg, nodes.Const):
                    raise _refused("a computed key")
                return self._item(node.node, node.arg.value)
            case nodes.Concat():
                return _checked("".join(self._text(part) for part in node.nodes))
            case nodes.Filter():
                return self._filtered(node)
            case _:
                raise _refused(_words(node))

    def _item(self, parent: nodes.Expr, key: Any) -> Any:
        base = self._value(parent)
        if isinstance(base, list) and type(key) is int:
            if 0 <= key < len(base):
                return base[key]
            raise _UnknownValue(f"this list has {len(base)} items, not an item {key}")
        if not isinstance(base, Mapping):
            raise TemplateProblem(
                codes.UNKNOWN_VALUE, f"{shown(key)} is looked up in {kind_of(base)}, not in a mapping"
            )
        if not isinstance(key, str) or key not in base:
            raise _UnknownValue(f"unknown value {shown(key)}", str(key), base)
        return base[key]

    def _filtered(self, node: nodes.Filter) -> Any:
        if node.name not in FILTERS:
            raise TemplateProblem(
                codes.BAD_EXPRESSION,
                f"the filter {shown(node.name)} is not accepted",
                suggestion(node.name, FILTERS, "accepted filters"),
            )
        if node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None or node.node is None:
            raise _refused("named or unpacked arguments of a filter")
        if node.name == "default":
            fallback = self._arguments(node, 1)[0]
            try:
                found = self._value(node.node)
            except _UnknownValue:
                return fallback
            return fallback if found is None else found
        return _checked(_FILTERS[node.name](self, node))

    def _arguments(self, node: nodes.Filter, count: int) -> list[Any]:
        if len(node.args) != count:
            raise _refused(f"the filter {node.name} with {len(node.args)} arguments (it takes {count})")
        return [self._value(argument) for argument in node.args]

    def _subject(self, node: nodes.Filter) -> Any:
        return self._value(node.node) if node.node is not None else ""

    def plain(self, node: nodes.Filter, change: Callable[[str], str]) -> str:
        """A filter without arguments on text."""
        self._arguments(node, 0)
        return change(_as_text(self._subject(node)))

    def replace(self, node: nodes.Filter) -> str:
        """Replaces one text by another; the length is known before the work is done."""
        old, new = (_as_text(argument) for argument in self._arguments(node, 2))
        text = _as_text(self._subject(node))
        if not old:
            raise _refused("replacing the empty text")
        if len(text) + text.count(old) * (len(new) - len(old)) > OUTPUT_LENGTH:
            raise _too_long()
        return text.replace(old, new)

    def join(self, node: nodes.Filter) -> str:
        """Joins the items of a list."""
        separator = _as_text(self._arguments(node, 1)[0])
        items = self._subject(node)
        if not isinstance(items, list):
            raise _refused(f"join of {kind_of(items)}")
        parts = [_as_text(item) for item in items[: OUTPUT_LENGTH + 1]]
        if sum(map(len, parts)) + len(separator) * len(parts) > OUTPUT_LENGTH + len(separator):
            raise _too_long()
        return separator.join(parts)

    def whole(self, node: nodes.Filter) -> int:
        """Reads text as an integer."""
        self._arguments(node, 0)
        text = _as_text(self._subject(node)).strip()
        if not (text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() and len(text) <= 40):
            raise TemplateProblem(codes.BAD_EXPRESSION, f"{shown(text)} is not a whole number")
        return int(text)


_FILTERS: Final[dict[str, Callable[[Templates, nodes.Filter], Any]]] = {
    "int": Templates.whole,
    "join": Templates.join,
    "lower": lambda self, node: self.plain(node, str.lower),
    "replace": Templates.replace,
    "string": lambda self, node: self.plain(node, str),
    "trim": lambda self, node: self.plain(node, str.strip),
    "upper": lambda self, node: self.plain(node, str.upper),
}


@lru_cache(maxsize=2048)
def _parse(source: str) -> tuple[nodes.Expr, ...]:
    if "{%" in source or "{#" in source:
        raise _refused("a Jinja statement or comment")
    try:
        body = _PARSER.parse(source).body
    except jinja2.TemplateError as error:
        raise TemplateProblem(codes.BAD_EXPRESSION, f"broken expression: {error.message}", _ALLOWED) from None
    except (RecursionError, ValueError, OverflowError):
        raise TemplateProblem(codes.BAD_EXPRESSION, "broken expression: too deep, or a number too large") from None
    parts: list[nodes.Expr] = []
    for statement in body:
        if not isinstance(statement, nodes.Output):
            raise _refused("a Jinja statement")
        parts.extend(statement.nodes)
    if not parts:
        raise _refused("an empty expression")
    return tuple(parts)


def _looks_up(node: nodes.Expr, name: str) -> bool:
    """Whether an expression, or a part of it, looks up a name."""
    names = [node] if isinstance(node, nodes.Name) else node.find_all(nodes.Name)
    return any(item.name == name for item in names)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise TemplateProblem(
        codes.BAD_EXPRESSION, f"{kind_of(value)} cannot be part of a text", "make the scalar one whole expression"
    )


def _checked(value: Any) -> Any:
    if isinstance(value, str) and len(value) > OUTPUT_LENGTH:
        raise _too_long()
    return value


def _too_long() -> TemplateProblem:
    return TemplateProblem(
        codes.EXPRESSION_TOO_LONG, f"the expression yields more than {OUTPUT_LENGTH} characters", "shorten the value"
    )


def _refused(what: str, hint: str = _ALLOWED) -> TemplateProblem:
    return TemplateProblem(codes.BAD_EXPRESSION, f"{what} is not accepted in an expression", hint)


def _words(node: nodes.Node) -> str:
    match node:
        case nodes.Call():
            return "a call"
        case nodes.Test() | nodes.Compare() | nodes.CondExpr() | nodes.And() | nodes.Or() | nodes.Not():
            return "a test or condition"
        case nodes.BinExpr() | nodes.UnaryExpr():
            return "arithmetic"
        case nodes.List() | nodes.Tuple() | nodes.Dict():
            return "a list or mapping written out"
        case _:
            return "this"


def _weight(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(_weight(item) for item in value.values())
    if isinstance(value, list):
        return 1 + sum(map(_weight, value))
    return 1
