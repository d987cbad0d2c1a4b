"""What a connection's manifest says beyond its links, as plain text per setting, to compare and to store."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from orgsync_reconcile.model.connection import ConflictPolicy, Direction, Side
from orgsync_reconcile.model.desired import AutoNumberMirror, BulkSyncPlan, DesiredConnection
from orgsync_reconcile.model.origin import Origin


def _joined(values: Mapping[str, object]) -> str:
    return ",".join(f"{key}={values[key]}" for key in sorted(values))


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)


def _plain(value: object) -> Any:
    """Frozen mappings, and whatever has no JSON form of its own, as plain data."""
    return dict(value) if isinstance(value, Mapping) else str(value)


def connection_settings(connection: DesiredConnection) -> dict[str, str]:
    """The settings that apply stores with a connection in the primary, by name, all as text.

    Durations are whole seconds joined by commas, absent ones empty; shares and limits are `name=value` joined by
    commas; rules are JSON. A plan compares these texts with `ActualConnection.settings` (CON-7, QUE-5, BLK-1, REC-6).
    """
    bulk = connection.bulk_sync
    return {
        "auto_numbers": _json(
            [[item.object, item.field, item.mirror, item.secondary_format] for item in connection.auto_numbers]
        ),
        "bulk_sync.auto": "true" if bulk.auto else "false",
        "bulk_sync.max_age": "" if bulk.max_age is None else str(bulk.max_age),
        "bulk_sync.stages": ",".join(str(stage) for stage in bulk.stages),
        "conflicts": connection.conflicts.value,
        "direction": connection.direction.value,
        "drift": _joined(connection.drift),
        "guards": _joined(connection.guards),
        "limits": _joined(connection.limits),
        "metadata.delete": "true" if connection.metadata_delete else "false",
        "notify": _json(list(connection.notify)),
        "retry": ",".join(str(seconds) for seconds in connection.retry),
    }


@dataclass(kw_only=True, slots=True)
class ReadSettings:
    """Stored settings as arguments of a DesiredConnection, and what of them cannot be read."""

    values: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_settings(settings: Mapping[str, str]) -> ReadSettings:
    """The other way round: what the stored texts of `connection_settings` say (REC-7)."""
    result = ReadSettings()
    bulk: dict[str, Any] = {}
    for name, text in sorted(settings.items()):
        if name not in _READERS:
            result.problems.append(f"the setting {name} is of another version of orgsync, and left out")
            continue
        argument, read = _READERS[name]
        try:
            value = read(text)
        except (LookupError, TypeError, ValueError):
            result.problems.append(f"the setting {name} cannot be read, so its default stands")
            continue
        if argument.startswith("bulk_sync."):
            bulk[argument.removeprefix("bulk_sync.")] = value
        else:
            result.values[argument] = value
    result.values["bulk_sync"] = BulkSyncPlan(**bulk)
    return result


def _pairs(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split(",") if part)


def _seconds(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part)


def _limit(text: str) -> float:
    """A guard's limit: a count where it is a whole number, else a share."""
    return int(text) if text.isdecimal() else float(text)


def _mirrors(text: str) -> tuple[AutoNumberMirror, ...]:
    return tuple(
        AutoNumberMirror(object=name, field=number, mirror=mirror, secondary_format=shape, origin=Origin(file=""))
        for name, number, mirror, shape in json.loads(text)
    )


#: Setting -> the argument that it fills, and how its text is read.
_READERS: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "auto_numbers": ("auto_numbers", _mirrors),
    "bulk_sync.auto": ("bulk_sync.auto", {"true": True, "false": False}.__getitem__),
    "bulk_sync.max_age": ("bulk_sync.max_age", lambda text: int(text) if text else None),
    "bulk_sync.stages": ("bulk_sync.stages", _seconds),
    "conflicts": ("conflicts", ConflictPolicy),
    "direction": ("direction", Direction),
    "drift": ("drift", _pairs),
    "guards": ("guards", lambda text: {key: _limit(value) for key, value in _pairs(text).items()}),
    "limits": ("limits", lambda text: {key: int(value) for key, value in _pairs(text).items()}),
    "metadata.delete": ("metadata_delete", {"true": True, "false": False}.__getitem__),
    "notify": ("notify", lambda text: tuple(dict(item) for item in json.loads(text))),
    "retry": ("retry", _seconds),
}


def connection_options(connection: DesiredConnection, side: Side) -> dict[str, Any]:
    """The options as one org holds them: its users switch is its own (CON-6)."""
    options = connection.options
    return {
        "feeds_and_audit_fields": options.feeds_and_audit_fields,
        "metadata": options.metadata,
        "users": options.users_primary if side is Side.PRIMARY else options.users_secondary,
    }
