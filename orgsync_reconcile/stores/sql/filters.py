"""Filters as SQL conditions with bound parameters: no text of a filter ever becomes part of a statement.

Conditions are true or false, never unknown: a blank field equals NULL, differs from every value, and is neither above
nor below one, so NOT is the exact opposite.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, localcontext

from orgsync_reconcile.catalog import checksum18
from orgsync_reconcile.clock import iso
from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.model.filter_text import Comparison, Condition, Group, Kind, Not, Value, complaint, parse_filter
from orgsync_reconcile.model.schema import SCALED, SYSTEM_FIELDS, FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql.dialect import Dialect
from orgsync_reconcile.stores.sql.layout import system_field
from orgsync_reconcile.stores.sql.text import commas, quote

#: Beyond every number that a field can hold, and within what every store can compare.
_HUGE = 2 * 10**18
_REFUSED = frozenset({FieldType.BASE64, FieldType.GEOLOCATION})
_IDS = frozenset({FieldType.ID, FieldType.LOOKUP, FieldType.MASTER_DETAIL})


@dataclass(frozen=True, kw_only=True, slots=True)
class SqlFilter:
    """A condition over one table alias, and the values of its question marks in their order."""

    sql: str
    parameters: tuple[str | int, ...]


def compile_filter(obj: ObjectDef, text: str, dialect: Dialect, alias: str = "s") -> SqlFilter:
    """A filter over the fields of `obj`, for the table `alias` of a store that speaks `dialect` (FWD-1).

    Raises UsageError with the column of everything that is wrong: a syntax error alone, or all fields and values.
    """
    compiler = _Compiler(obj, dialect, alias)
    sql = compiler.condition(parse_filter(text))
    if compiler.problems:
        first, *rest = compiler.problems
        more = "".join(f"; {item.message}" for item in rest)
        raise UsageError(first.message + more, hint=first.hint)
    return SqlFilter(sql=sql, parameters=tuple(compiler.parameters))


class _Compiler:
    def __init__(self, obj: ObjectDef, dialect: Dialect, alias: str) -> None:
        self.obj = obj
        self.dialect = dialect
        self.alias = alias
        self.parameters: list[str | int] = []
        self.problems: list[UsageError] = []
        self.fields: Mapping[str, FieldDef] = {**{name: system_field(name) for name in SYSTEM_FIELDS}, **obj.fields}
        self.names = {name.lower(): name for name in self.fields}

    def condition(self, part: Condition) -> str:
        """The SQL of one part; its parameters are appended in order."""
        if isinstance(part, Not):
            return f"NOT {self.condition(part.part)}"
        if isinstance(part, Group):
            return "(" + f" {part.word} ".join(self.condition(item) for item in part.parts) + ")"
        try:
            return self._comparison(part)
        except UsageError as error:
            self.problems.append(error)
            return "FALSE"

    def _field(self, part: Comparison) -> FieldDef:
        name = self.names.get(part.field.lower())
        if name is None:
            near = difflib.get_close_matches(part.field.lower(), self.names, n=1)
            hint = f"did you mean {self.names[near[0]]}?" if near else f"see orgsync org describe for {self.obj.name}"
            raise complaint(part.column, f"{self.obj.name} has no field {part.field[:80]}", hint)
        field = self.fields[name]
        if field.type in _REFUSED:
            raise complaint(part.column, f"{name} is a {field.type} field, which no filter can compare")
        return field

    def _comparison(self, part: Comparison) -> str:
        field = self._field(part)
        column = f"{self.alias}.{quote(field.name)}"
        if part.operator == "like":
            return self._like(field, column, part.values[0])
        if part.operator == "in":
            return self._among(field, column, part.values)
        (value,) = part.values
        if part.operator == "=":
            return f"({self._equal(field, column, value)})"
        if part.operator == "!=":
            return f"(NOT ({self._equal(field, column, value)}))"
        return self._ordered(field, column, part.operator, value)

    def _among(self, field: FieldDef, column: str, values: tuple[Value, ...]) -> str:
        bound = [_bound(field, value) for value in values if value.kind is not Kind.NULL]
        # No field of this scale can hold a number that is left out here.
        kept = [_whole(item) if isinstance(item, Decimal) else item for item in bound]
        self.parameters.extend(item for item in kept if item is not None)
        marks = commas(self._mark(field) for item in kept if item is not None)
        found = f"coalesce({self._folded(field, column)} IN ({marks}), FALSE)" if marks else "FALSE"
        return f"({found} OR {column} IS NULL)" if len(bound) < len(values) else found

    def _equal(self, field: FieldDef, column: str, value: Value) -> str:
        if value.kind is Kind.NULL:
            return f"{column} IS NULL"
        bound = _bound(field, value)
        if isinstance(bound, Decimal):
            whole = _whole(bound)
            if whole is None:
                return "FALSE"
            bound = whole
        self.parameters.append(bound)
        return f"{self._folded(field, column)} IS {self._mark(field)}"

    def _ordered(self, field: FieldDef, column: str, operator: str, value: Value) -> str:
        if value.kind in (Kind.NULL, Kind.BOOLEAN) or _kind(field) is FieldType.CHECKBOX:
            raise complaint(value.column, f"{field.name} cannot be compared by {operator} with this", "use = or !=")
        bound = _bound(field, value, ordered=True)
        if isinstance(bound, Decimal):
            whole = math.floor(bound) if operator in ("<=", ">") else math.ceil(bound)
            bound = max(-_HUGE, min(_HUGE, whole))
        self.parameters.append(bound)
        return f"coalesce({self._folded(field, column)} {operator} {self._mark(field)}, FALSE)"

    def _like(self, field: FieldDef, column: str, value: Value) -> str:
        if value.kind is not Kind.TEXT or _reader(field) is not _text:
            raise complaint(
                value.column, f"LIKE compares text fields with a quoted text, {field.name} has {_wants(field)}"
            )
        self.parameters.append(value.text)
        fold = self.dialect.fold
        return f"coalesce({fold(column)} LIKE {fold('?')} ESCAPE '\\', FALSE)"

    def _mark(self, field: FieldDef) -> str:
        return self._folded(field, self.dialect.given(field))

    def _folded(self, field: FieldDef, text: str) -> str:
        """Text ignores case as it does on the platform; Ids do not."""
        ignores = _reader(field) is _text and not field.case_sensitive
        return self.dialect.fold(text) if ignores else text


def _whole(number: Decimal) -> int | None:
    """A scaled number as a column holds it; None where no column of this scale can."""
    return int(number) if abs(number) < _HUGE and number == int(number) else None


def _kind(field: FieldDef) -> FieldType:
    """The type of the values; formulas and roll-ups have that of their result."""
    if field.type in (FieldType.FORMULA, FieldType.ROLL_UP_SUMMARY):
        return field.result_type or FieldType.TEXT
    return field.type


def _text(field: FieldDef, value: Value, ordered: bool) -> str | None:  # noqa: ARG001
    # Outside LIKE a backslash before % and _ is just how they may be written.
    return re.sub(r"\\([%_\\])", r"\1", value.text) if value.kind is Kind.TEXT else None


def _id(field: FieldDef, value: Value, ordered: bool) -> str | None:  # noqa: ARG001
    if value.kind is not Kind.TEXT:
        return None
    if len(value.text) != 15:
        return value.text
    try:
        return value.text + checksum18(value.text)
    except ValueError:
        return value.text


def _number(field: FieldDef, value: Value, ordered: bool) -> Decimal | None:  # noqa: ARG001
    if value.kind is not Kind.NUMBER:
        return None
    with localcontext() as exact:
        exact.prec = 120
        return Decimal(value.text).scaleb(field.scale or 0)


def _checkbox(field: FieldDef, value: Value, ordered: bool) -> bool | None:  # noqa: ARG001
    return value.text == "TRUE" if value.kind is Kind.BOOLEAN else None


def _date(field: FieldDef, value: Value, ordered: bool) -> str | None:  # noqa: ARG001
    return date.fromisoformat(value.text).isoformat() if value.kind is Kind.DATE else None


def _moment(field: FieldDef, value: Value, ordered: bool) -> str | None:  # noqa: ARG001
    if value.kind is Kind.DATE and ordered:
        day = date.fromisoformat(value.text)
        return iso(datetime(day.year, day.month, day.day, tzinfo=UTC))
    if value.kind is not Kind.MOMENT:
        return None
    found = datetime.fromisoformat(value.text.upper())
    return iso(found if found.tzinfo else found.replace(tzinfo=UTC))


def _time(field: FieldDef, value: Value, ordered: bool) -> str | None:  # noqa: ARG001
    if value.kind is not Kind.TIME:
        return None
    found = time.fromisoformat(value.text.upper().removesuffix("Z"))
    return f"{found:%H:%M:%S}.{found.microsecond // 1000:03d}Z"


_Reader = Callable[[FieldDef, Value, bool], "str | int | Decimal | None"]
_WANTS: Mapping[_Reader, str] = {
    _text: "quoted texts",
    _id: "quoted Ids",
    _number: "numbers such as 12.5",
    _checkbox: "TRUE or FALSE",
    _date: "dates such as 2026-01-31",
    _moment: "moments such as 2026-01-31T12:00:00Z",
    _time: "times such as 12:00:00",
}


def _reader(field: FieldDef) -> _Reader:
    kind = _kind(field)
    if kind in SCALED:
        return _number
    if kind in _IDS:
        return _id
    special: Mapping[FieldType, _Reader] = {
        FieldType.CHECKBOX: _checkbox,
        FieldType.DATE: _date,
        FieldType.DATETIME: _moment,
        FieldType.TIME: _time,
    }
    return special.get(kind, _text)


def _wants(field: FieldDef) -> str:
    return _WANTS[_reader(field)]


def _bound(field: FieldDef, value: Value, *, ordered: bool = False) -> str | int | Decimal:
    """The value as the field's column stores it; a number as the exact multiple of the field's last digit."""
    try:
        found = _reader(field)(field, value, ordered)
    except (ValueError, OverflowError):
        raise complaint(value.column, f"{value.text} is no {value.kind}", f"{field.name} has {_wants(field)}") from None
    if found is None:
        raise complaint(value.column, f"{field.name} has {_wants(field)}, this is a {value.kind}")
    if isinstance(found, str) and "\0" in found:
        raise complaint(value.column, f"a text for {field.name} holds a zero character")
    return found
