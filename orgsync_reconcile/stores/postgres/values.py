"""How values come from a server, and go there, as every store gives and takes them: ISO text, whole numbers, 0 and 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg.adapt import AdaptersMap, Dumper, Loader


def register(adapters: AdaptersMap) -> None:
    """Has a session give and take values so."""
    adapters.register_dumper(int, _Untyped)
    adapters.register_dumper(bool, _Untyped)
    for kind, loader in _LOADERS.items():
        adapters.register_loader(kind, loader)


class _Untyped(Dumper):
    """Numbers go without a type, so that the column decides: 1 is true for a checkbox, and a number elsewhere."""

    oid = 0

    def dump(self, obj: Any) -> bytes:
        """The number's text."""
        return str(int(obj)).encode()


class _Moment(Loader):
    """`2026-11-23 09:00:00+00` as `2026-11-23T09:00:00.000Z`. The session's time zone is UTC."""

    def load(self, data: Any) -> str:
        """The moment as orgs write it."""
        day, _, rest = bytes(data).decode().partition(" ")
        clock = rest.removesuffix("+00")
        whole, _, fraction = clock.partition(".")
        return f"{day}T{whole}.{fraction[:3]:0<3}Z"


class _TimeOfDay(Loader):
    """`09:00:00` as `09:00:00.000Z`."""

    def load(self, data: Any) -> str:
        """The time as orgs write it."""
        whole, _, fraction = bytes(data).decode().partition(".")
        return f"{whole}.{fraction[:3]:0<3}Z"


class _Text(Loader):
    """A value by its text: days."""

    def load(self, data: Any) -> str:
        """The text."""
        return bytes(data).decode()


class _Flag(Loader):
    """True and false as 1 and 0."""

    def load(self, data: Any) -> int:
        """1 or 0."""
        return int(bytes(data) == b"t")


class _Scaled(Loader):
    """A number without its point: a column always shows all digits of its scale."""

    def load(self, data: Any) -> int:
        """The whole number."""
        return int(bytes(data).replace(b".", b""))


_LOADERS: Mapping[str, type[Loader]] = {
    "timestamptz": _Moment,
    "time": _TimeOfDay,
    "date": _Text,
    "bool": _Flag,
    "numeric": _Scaled,
}
