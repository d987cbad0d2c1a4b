"""Documents as flat settings, `dotted.key -> plain value`, in which order counts only where it has a meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from orgsync_reconcile.model.component import canonical
from orgsync_reconcile.model.desired import BulkSyncPlan, DesiredConnection, DesiredOrg, SecretRef
from orgsync_reconcile.model.origin import Origin

#: What a limit is where the manifest sets none, so that writing the default out is no difference.
_DEFAULT_LIMITS = {"feed_file_bytes": 2_147_483_648}
#: Attributes of a connection that `_connection` treats by name, or that say where and not what.
_BY_NAME = frozenset({"name", "options", "metadata_delete", "bulk_sync", "limits", "retry", "origin", "origins"})
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def duration(seconds: int) -> str:
    """Seconds as manifests write them: 86400 is `1d`."""
    name, size = next(item for item in _UNITS if seconds % item[1] == 0)
    return f"{seconds // size}{name}"


def reference(value: str | SecretRef) -> str:
    """A store as written, or its reference; what the reference leads to is never looked at."""
    return value if isinstance(value, str) else f"{{{value.source}: {value.name}}}"


def org_view(org: DesiredOrg) -> dict[str, Any]:
    """`kind: Org`."""
    return {"store": reference(org.store), "admin": org.admin, "protected": org.protected} | _rest(
        org, {"name", "store", "admin", "protected", "origin"}
    )


def connection_view(connection: DesiredConnection) -> dict[str, Any]:
    """`kind: Connection`, with the keys that a manifest has."""
    options, bulk = connection.options, connection.bulk_sync
    return {
        **_rest(connection, _BY_NAME),
        "sync.feeds_and_audit_fields": options.feeds_and_audit_fields,
        "sync.metadata": options.metadata,
        "sync.metadata.delete": connection.metadata_delete,
        "sync.users.primary": options.users_primary,
        "sync.users.secondary": options.users_secondary,
        "retry": [duration(seconds) for seconds in connection.retry],
        **_bulk(bulk),
        **{f"limits.{key}": value for key, value in {**_DEFAULT_LIMITS, **connection.limits}.items()},
    }


def _bulk(bulk: BulkSyncPlan) -> dict[str, Any]:
    return {
        "bulk_sync.auto": bulk.auto,
        "bulk_sync.stages": [duration(seconds) for seconds in bulk.stages],
        "bulk_sync.max_age": "none" if bulk.max_age is None else duration(bulk.max_age),
    }


def _rest(item: Any, without: Iterable[str]) -> dict[str, Any]:
    return flat({part.name: getattr(item, part.name) for part in fields(item) if part.name not in without})


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as dotted keys; lists sorted, since in the documents that come here their order says nothing."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        simple = plain(value)
        if isinstance(simple, dict) and not simple.keys() <= {"env", "file"}:
            result.update(flat(simple, f"{prefix}{key}."))
        else:
            result[f"{prefix}{key}"] = sorted(simple, key=canonical) if isinstance(simple, list) else simple
    return result


def plain(value: Any) -> Any:
    """JSON-ready data, without places."""
    match value:
        case SecretRef():
            return {value.source: value.name}
        case Enum():
            return value.value
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            parts = ((part.name, getattr(value, part.name)) for part in fields(value))
            return {name: plain(item) for name, item in parts if not isinstance(item, Origin) and name != "origins"}
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)
