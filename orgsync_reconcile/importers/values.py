"""Values between files and an org's storage: checked, and in the one form that a column holds (ORG-4)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal, localcontext
from types import MappingProxyType
from typing import Any, Final, NoReturn

from orgsync_reconcile.catalog import checksum18, is_valid_id
from orgsync_reconcile.clock import iso
from orgsync_reconcile.errors import RecordError
from orgsync_reconcile.model.schema import COMPUTED, SCALED, TEXTUAL, FieldDef, FieldType

_TRUE = frozenset({"true", "1", "yes", "y", "t"})
_FALSE = frozenset({"false", "0", "no", "n", "f"})
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATETIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)\s?(Z|[+-]\d{2}:?\d{2})?)?", re.IGNORECASE
)
_TIME = re.compile(r"(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)Z?", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")

#: The years that the platform has dates in.
_YEARS: Final = range(1700, 4001)
#: More digits than a field can have, so that rounding is exact before the size is checked.
_DIGITS: Final = 400
#: Digits that a JSON number keeps in every reader.
_SAFE_DIGITS: Final = 15


def coerce(value: Any, field: FieldDef) -> Any:
    """A raw value in storage form; None for None and for empty text, which the loader then leaves to the default.

    Numbers, currency and percent become integers scaled by 10 ** scale, rounded half up; checkboxes 0 or 1; dates
    `YYYY-MM-DD`; datetimes `YYYY-MM-DDTHH:MM:SS.mmmZ` in UTC (without a zone they are taken as UTC); times
    `HH:MM:SS.mmmZ`; multi-select picklists `a;b`; files bytes; geolocation one coordinate as a float; Ids 18
    characters. Raises RecordError with the platform's code (STRING_TOO_LONG, NUMBER_OUTSIDE_VALID_RANGE, …) in `code`
    and the field's name in the message.
    """
    if field.type in COMPUTED:
        _refuse(field, "INVALID_FIELD_FOR_INSERT_UPDATE", "the org computes it", "leave the field out")
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if field.type in SCALED:
        return _scaled(value, field)
    if field.type in TEXTUAL or field.type is FieldType.EXTERNAL_LOOKUP:
        return _text(value, field)
    return _COERCERS[field.type](value, field)


def render(value: Any, field: FieldDef) -> Any:
    """A stored value as a JSON document has it: the inverse of `coerce`.

    Numbers of more than 15 digits that have a fraction are text, because readers of JSON would round them.
    """
    if value is None:
        return None
    type_ = field.result_type if field.type in COMPUTED and field.result_type else field.type
    if type_ is FieldType.CHECKBOX:
        return bool(value)
    if type_ in SCALED and isinstance(value, int):
        if not field.scale:
            return value
        exact = Decimal(value).scaleb(-field.scale)
        return float(exact) if len(str(abs(value))) <= _SAFE_DIGITS else str(exact)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value


def _refuse(field: FieldDef, code: str, problem: str, hint: str) -> NoReturn:
    raise RecordError(f"{code}: {field.name}: {problem}", code=code, hint=hint)


def _shown(value: Any) -> str:
    text = str(value)
    return repr(text if len(text) <= 40 else text[:40] + "…")


def _scaled(value: Any, field: FieldDef) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        _wrong_type(value, field, "a number")
    text = str(value).strip()
    if isinstance(value, str) and not _NUMBER.fullmatch(text):
        _wrong_type(value, field, "a number")
    scale, precision = field.scale or 0, field.precision or 18
    with localcontext() as context:
        context.prec = _DIGITS
        try:
            scaled = int(Decimal(text).scaleb(scale).quantize(Decimal(1), rounding=ROUND_HALF_UP))
        except (ArithmeticError, ValueError):
            _out_of_range(value, field)
    if abs(scaled) >= 10**precision:
        _out_of_range(value, field)
    return scaled


def _wrong_type(value: Any, field: FieldDef, wanted: str) -> NoReturn:
    _refuse(field, "INVALID_TYPE_ON_FIELD_IN_RECORD", f"{_shown(value)} is not {wanted}", "correct the value")


def _out_of_range(value: Any, field: FieldDef) -> NoReturn:
    scale, precision = field.scale or 0, field.precision or 18
    _refuse(
        field,
        "NUMBER_OUTSIDE_VALID_RANGE",
        f"{_shown(value)} has more than {precision - scale} digits before the point",
        "correct the value or enlarge the field",
    )


def _plain(value: Any, field: FieldDef) -> str:
    """Text, or what a file has instead of text where a value looks like a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        _wrong_type(value, field, "text")
    return str(value)


def _text(value: Any, field: FieldDef) -> str:
    text = _plain(value, field)
    if "\x00" in text:
        _wrong_type(value, field, "text without NUL characters")
    if field.length is not None and len(text) > field.length:
        _refuse(
            field,
            "STRING_TOO_LONG",
            f"{len(text)} characters, at most {field.length}",
            "shorten the value or lengthen the field",
        )
    if field.type is FieldType.EMAIL and not _EMAIL.fullmatch(text.strip()):
        _refuse(field, "INVALID_EMAIL_ADDRESS", f"{_shown(value)} is no email address", "correct the value")
    return text


def _checkbox(value: Any, field: FieldDef) -> int:
    text = str(value).strip().lower()
    if text in _TRUE:
        return 1
    if text in _FALSE:
        return 0
    _wrong_type(value, field, "true or false")


def _date(value: Any, field: FieldDef) -> str:
    text = str(value).strip()
    try:
        if _DATE.fullmatch(text):
            day = date.fromisoformat(text)
            if day.year in _YEARS:
                return day.isoformat()
    except ValueError:
        pass
    _wrong_type(value, field, "a date (YYYY-MM-DD)")


def _datetime(value: Any, field: FieldDef) -> str:
    found = _DATETIME.fullmatch(str(value).strip())
    try:
        if found is not None:
            clock, zone = found[2] or "00:00", (found[3] or "Z").upper()
            moment = datetime.fromisoformat(f"{found[1]}T{clock}{zone.replace('Z', '+00:00')}")
            utc = moment.astimezone(UTC)
            if utc.year in _YEARS:
                return iso(utc)
    except (ValueError, OverflowError):
        pass
    _wrong_type(value, field, "a date and time (YYYY-MM-DDTHH:MM:SSZ)")


def _time(value: Any, field: FieldDef) -> str:
    found = _TIME.fullmatch(str(value).strip())
    try:
        if found is not None:
            moment = time.fromisoformat(found[1])
            return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    except ValueError:
        pass
    _wrong_type(value, field, "a time (HH:MM:SS.mmmZ)")


def _check_value(value: str, field: FieldDef) -> None:
    if field.restricted and value not in field.picklist:
        _refuse(
            field,
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{_shown(value)} is not one of its values",
            "add the value to the picklist or correct the record",
        )


def _picklist(value: Any, field: FieldDef) -> str:
    text = _text(value, field)
    _check_value(text, field)
    return text


def _multi_select(value: Any, field: FieldDef) -> str | None:
    pieces = value if isinstance(value, list) else _plain(value, field).split(";")
    chosen = list(dict.fromkeys(_plain(item, field).strip() for item in pieces))
    for item in filter(None, chosen):
        _check_value(item, field)
    text = ";".join(filter(None, chosen))
    return _text(text, field) if text else None


def _reference(value: Any, field: FieldDef) -> str:
    text = _plain(value, field).strip()
    if len(text) == 15:
        try:
            return text + checksum18(text)
        except ValueError:
            pass
    elif is_valid_id(text):
        return text
    _refuse(field, "MALFORMED_ID", f"{_shown(value)} is no record Id", "give an Id of 15 or 18 characters")


def _coordinate(value: Any, field: FieldDef) -> float:
    degrees = Decimal(_scaled(value, FieldDef(name=field.name, type=FieldType.NUMBER, precision=18, scale=15)))
    degrees = degrees.scaleb(-15)
    if abs(degrees) > 180:
        _out_of_range(value, FieldDef(name=field.name, type=FieldType.NUMBER, precision=3, scale=0))
    return float(round(degrees, field.scale)) if field.scale is not None else float(degrees)


def _body(value: Any, field: FieldDef) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode("".join(_plain(value, field).split()), validate=True)
    except (binascii.Error, ValueError):
        _wrong_type(value, field, "base64")


_COERCERS: Mapping[FieldType, Callable[[Any, FieldDef], Any]] = MappingProxyType(
    {
        FieldType.BASE64: _body,
        FieldType.CHECKBOX: _checkbox,
        FieldType.DATE: _date,
        FieldType.DATETIME: _datetime,
        FieldType.GEOLOCATION: _coordinate,
        FieldType.ID: _reference,
        FieldType.LOOKUP: _reference,
        FieldType.MASTER_DETAIL: _reference,
        FieldType.MULTI_SELECT_PICKLIST: _multi_select,
        FieldType.PICKLIST: _picklist,
        FieldType.TIME: _time,
    }
)
