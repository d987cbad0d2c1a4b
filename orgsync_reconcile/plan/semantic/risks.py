"""What a changed setting may cost once it is applied; a setting that is not named here is safe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from orgsync_reconcile.model.plan import Risk

#: Key -> (risk, what a reviewer should know) of a change from one value to another.
_Rule = Callable[[Any, Any], tuple[Risk, str] | None]


def setting_risk(kind: str, key: str, before: Any, after: Any) -> tuple[Risk, str]:
    """The risk of a change, and a few words that say why, "" where the change says it itself.

    `kind` is a document's kind; None stands for a value that is absent.
    """
    name = f"{kind}.{key}"
    rule = _RULES.get(name) or _RULES.get(f"{name.rpartition('.')[0]}.*")
    found = rule(before, after) if rule else None
    return found or (Risk.SAFE, "")


def _always(risk: Risk, why: str) -> _Rule:
    return lambda _before, _after: (risk, why)


def _when(value: Any, risk: Risk, why: str) -> _Rule:
    return lambda _before, after: (risk, why) if after == value else None


def _loosened(before: Any, after: Any) -> tuple[Risk, str] | None:
    if isinstance(after, (int, float)) and after > (before if isinstance(before, (int, float)) else 0):
        return Risk.DESTRUCTIVE, "loosens a guard"
    return None


_RULES: Final[dict[str, _Rule]] = {
    "Org.store": _always(Risk.DESTRUCTIVE, "another store is another org"),
    "Org.protected": _when(False, Risk.DESTRUCTIVE, "takes the protection off"),
    "Connection.primary": _always(Risk.DESTRUCTIVE, "another org"),
    "Connection.secondary": _always(Risk.DESTRUCTIVE, "another org"),
    "Connection.guards.*": _loosened,
    "Connection.allow": _always(Risk.DESTRUCTIVE, "lets a guard pass"),
    "Connection.sync.metadata.delete": _when(True, Risk.DESTRUCTIVE, "components that are gone will be deleted"),
    "Connection.conflicts": _always(Risk.MOVES_DATA, "other values win"),
    "Connection.direction": _when("two-way", Risk.MOVES_DATA, "edits in the secondary reach the primary"),
    "Connection.bulk_sync.auto": _when(True, Risk.MOVES_DATA, "new objects are copied by apply"),
    "Connection.bulk_sync.max_age": _always(Risk.MOVES_DATA, ""),
    "Connection.sync.metadata": _when(True, Risk.MOVES_DATA, "the secondary's metadata is overwritten"),
    "Connection.sync.users.primary": _when(True, Risk.MOVES_DATA, "users are copied"),
    "Connection.sync.users.secondary": _when(True, Risk.MOVES_DATA, "users are copied"),
    "Connection.sync.feeds_and_audit_fields": _when(True, Risk.MOVES_DATA, "feeds and audit fields travel"),
    "Publication.direction": _when("two-way", Risk.MOVES_DATA, "edits in the secondary reach the primary"),
    "Publication.backfill": _when(True, Risk.MOVES_DATA, "values of linked records are sent"),
    "Publication.match_on": _always(Risk.MOVES_DATA, "other records are linked"),
}
