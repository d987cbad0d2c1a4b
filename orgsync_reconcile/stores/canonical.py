"""One text for each value, whatever store holds it, and the sums by which two stores compare records unseen (VER-1).

A store hands over its own values: scaled integers or decimals, ISO text or datetimes, 0 or False. Equal values have
one text, and no two values of a type share one; blank is None, which is not the empty text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal

from orgsync_reconcile.model.schema import SCALED, FieldDef, FieldType

#: A value as some store has it.
Stored = object
#: The canonical text of a value, None for a blank one.
Encoder = Callable[[Stored], str | None]

#: Sums of hashes are taken modulo this.
_MODULUS = 1 << 64


@dataclass(frozen=True, kw_only=True)
class RangeSum:
    """How many records a range of Ids holds, and the sum of their hashes, in whatever order they were read."""

    count: int
    total: int


def encoder(field: FieldDef) -> Encoder:
    """How values of this field become text. References are Ids of one org by then."""
    if field.type in SCALED:
        scale = field.scale or 0
        return lambda value: None if value is None else _number(value, scale)
    if field.type is FieldType.CHECKBOX:
        return lambda value: None if value is None else ("true" if value else "false")
    if field.type in (FieldType.DATE, FieldType.DATETIME, FieldType.TIME):
        return _moment
    return _text


def _number(value: Stored, scale: int) -> str:
    """An integer is scaled by 10 ** scale, as SQLite stores have it; a Decimal is the number itself."""
    number = value if isinstance(value, Decimal) else Decimal(str(value)).scaleb(-scale)
    text = f"{number:.{scale}f}"
    return text.removeprefix("-") if not Decimal(text) else text


def _moment(value: Stored) -> str | None:
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return f"{value:%H:%M:%S}.{value.microsecond // 1000:03d}Z"
    return None if value is None else str(value)


def _text(value: Stored) -> str | None:
    """Text as it is; files by their hash and length, since nobody compares them by eye."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        return f"{len(data)} bytes {hashlib.sha256(data).hexdigest()}"
    return str(value)


def record_hash(key: str, texts: Sequence[str | None] | None) -> int:
    """64 bits of a record: its key, and its canonical texts; None for a record that is deleted or gone."""
    parts = [key, "-" if texts is None else "+"]
    # Lengths keep ("ab", "c") apart from ("a", "bc").
    parts += ["-" if text is None else f"{len(text)}:{text}" for text in texts or ()]
    return int.from_bytes(hashlib.blake2b("|".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest())


def add_hash(total: int, hash_: int) -> int:
    """The sum of hashes so far and one more."""
    return (total + hash_) % _MODULUS
