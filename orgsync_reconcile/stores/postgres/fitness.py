"""Values of other stores that a server has no place for: text with a NUL, days that no calendar has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time

from orgsync_reconcile.stores.sql.sieve import Doubt


def _text(value: object) -> str | None:
    if type(value) is not str:
        return "it is no text"
    if "\0" in value:
        return "a PostgreSQL server holds no text with the character NUL"
    if value.isascii():
        return None
    try:
        value.encode()
    except UnicodeEncodeError:
        return "the text is no UTF-8"
    return None


def _written(what: str, like: str, read: Callable[[str], object], hour: int) -> Callable[[object], str | None]:
    """Of a value that is written `like` orgs write it; `hour`: where its hour stands."""

    def why(value: object) -> str | None:
        try:
            # Midnight at the end of a day would arrive as the beginning of the next.
            if isinstance(value, str) and len(value) == len(like) and value[hour : hour + 2] != "24":
                read(value)
                return None
        except ValueError:
            pass
        return f"it is no {what}"

    return why


def _whole(value: object) -> str | None:
    return None if isinstance(value, int) else "it is no whole number"


#: The first word of a column's type, in small letters -> what is asked of its values. What stands for an unfit one is
#: held by no org.
_DOUBTS = {
    "text": Doubt(why=_text, instead="\ufffd"),
    "date": Doubt(why=_written("day", "2026-01-01", date.fromisoformat, len("2026-01-01")), instead="infinity"),
    "timestamptz": Doubt(
        why=_written("moment", "2026-01-01T00:00:00.000Z", datetime.fromisoformat, len("2026-01-01T")),
        instead="infinity",
    ),
    "time": Doubt(why=_written("time of day", "00:00:00.000Z", time.fromisoformat, 0), instead="24:00:00"),
    "boolean": Doubt(why=lambda value: None if value in (0, 1) else "it is neither true nor false", instead=None),
    "numeric": Doubt(why=_whole, instead=None),
    "bigint": Doubt(why=_whole, instead=None),
    "bytea": Doubt(why=lambda value: None if isinstance(value, bytes) else "it is no file", instead=b"\xff"),
}


def doubt_of(kind: str) -> Doubt | None:
    """What is asked of each value, other than a blank, that comes into a column of a type; None: nothing."""
    return _DOUBTS.get(kind.lower().partition("(")[0].partition(" ")[0])
