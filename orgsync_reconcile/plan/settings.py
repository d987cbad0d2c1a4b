"""What a connection's manifest says beyond its links, as plain text per setting, to compare and to store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.desired import DesiredConnection


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


def connection_options(connection: DesiredConnection, side: Side) -> dict[str, Any]:
    """The options as one org holds them: its users switch is its own (CON-6)."""
    options = connection.options
    return {
        "feeds_and_audit_fields": options.feeds_and_audit_fields,
        "metadata": options.metadata,
        "users": options.users_primary if side is Side.PRIMARY else options.users_secondary,
    }
