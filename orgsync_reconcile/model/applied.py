"""What a connection was set to: as it was applied last, as it is, as the manifests want it (REC-6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orgsync_reconcile.model.connection import Side


@dataclass(frozen=True, kw_only=True, slots=True)
class OfferedObject:
    """An object that is published, with the fields that are offered."""

    fields: frozenset[str] = frozenset()
    match_on: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionState:
    """All that apply sets for one connection in its two orgs, but for metadata, which keeps its own hashes.

    `settings` are JSON scalars: `owner`, `contact`, `primary.users`, `secondary.state`, `conflicts`, … Publications and
    subscriptions go by (publishing side, object).
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    published: Mapping[tuple[Side, str], OfferedObject] = field(default_factory=dict)
    subscribed: Mapping[tuple[Side, str], frozenset[str]] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The state as JSON-ready data."""
        return {
            "settings": dict(sorted(self.settings.items())),
            "published": [
                [side.value, name, item.match_on, sorted(item.fields)]
                for (side, name), item in sorted(self.published.items())
            ],
            "subscribed": [
                [side.value, name, sorted(fields)] for (side, name), fields in sorted(self.subscribed.items())
            ],
        }


def state_from(document: Any) -> ConnectionState:
    """The state in a `document()`. Raises KeyError, TypeError or ValueError where it is none."""
    return ConnectionState(
        settings=dict(document["settings"]),
        published={
            (Side(side), str(name)): OfferedObject(match_on=match_on, fields=frozenset(map(str, fields)))
            for side, name, match_on, fields in document["published"]
        },
        subscribed={
            (Side(side), str(name)): frozenset(map(str, fields)) for side, name, fields in document["subscribed"]
        },
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """What an org remembers of the applies of a connection; `begun` is what one set out to do that has not ended."""

    state: ConnectionState = ConnectionState()
    begun: ConnectionState | None = None
