"""Who changed what: the state that was applied last against the manifests and against the orgs (REC-6)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from orgsync_reconcile.model.actual import ActualConnection, ContactInfo
from orgsync_reconcile.model.applied import Applied, ConnectionState, OfferedObject
from orgsync_reconcile.model.connection import ConnectionStatus, ContactRef, Direction, Side
from orgsync_reconcile.model.desired import DesiredConnection
from orgsync_reconcile.plan.settings import connection_options, connection_settings

ACTIVE, SUSPENDED = "active", "suspended"
_ABSENT: Any = object()


class ChangedBy(StrEnum):
    """Who made an org and the manifests differ. Unknown counts as Git: what was never applied is news."""

    GIT = "git"
    PERSON = "person"
    BOTH = "person and git"


def setting_key(side: Side, key: str) -> str:
    """The name in a state of an option, which each org has its own copy of."""
    return f"{side}.{key}"


def contact_value(contact: ContactRef | ContactInfo | None) -> str:
    """A contact as it is compared: its name and its email, which ignores case."""
    return f"{contact.name} <{contact.email.casefold()}>" if contact else ""


def wanted_settings(wanted: DesiredConnection) -> dict[str, Any]:
    """The settings of a state as the manifest wants them."""
    found: dict[str, Any] = {"owner": wanted.owner, "contact": contact_value(wanted.contact)}
    for side in Side:
        found.update({setting_key(side, key): value for key, value in connection_options(wanted, side).items()})
        # One-way, the secondary sends nothing: whether it is suspended is left as it is.
        if wanted.state == ACTIVE or side is Side.PRIMARY or wanted.direction is Direction.TWO_WAY:
            found[setting_key(side, "state")] = wanted.state
    return {**found, **connection_settings(wanted)}


def live_state(primary: ActualConnection | None, secondary: ActualConnection | None) -> ConnectionState:
    """The state as the two orgs have it; None for an end that does not exist or was deactivated."""
    settings: dict[str, Any] = {}
    published: dict[tuple[Side, str], OfferedObject] = {}
    subscribed: dict[tuple[Side, str], frozenset[str]] = {}
    for side, known in ((Side.PRIMARY, primary), (Side.SECONDARY, secondary)):
        if known is None or known.status is ConnectionStatus.INACTIVE:
            continue
        for key in ("feeds_and_audit_fields", "metadata", "users"):
            settings[setting_key(side, key)] = getattr(known, key)
        settings[setting_key(side, "state")] = SUSPENDED if known.status is ConnectionStatus.SUSPENDED else ACTIVE
        for name, item in known.published.items():
            published[side, name] = OfferedObject(fields=item.fields, match_on=item.match_on)
        for name, accepted in known.subscribed.items():
            subscribed[side.other, name] = accepted.fields
        if side is Side.PRIMARY:
            settings |= {"owner": known.owner, "contact": contact_value(known.contact), **known.settings}
    return ConnectionState(settings=settings, published=published, subscribed=subscribed)


def settled(old: ConnectionState, wanted: ConnectionState, live: ConnectionState) -> ConnectionState:
    """What counts as applied: what is as it is wanted, and of the rest what counted before."""
    return ConnectionState(
        settings=_settled(old.settings, wanted.settings, live.settings),
        published={
            key: OfferedObject(
                fields=_settled_fields(
                    _fields(old.published.get(key)), wanted.published[key].fields, live.published[key].fields
                ),
                match_on=_one(old.published.get(key), wanted.published[key], live.published[key]),
            )
            if key in wanted.published and key in live.published
            else old.published[key]
            for key in _kept(old.published, wanted.published, live.published)
        },
        subscribed={
            key: _settled_fields(old.subscribed.get(key, frozenset()), wanted.subscribed[key], live.subscribed[key])
            if key in wanted.subscribed and key in live.subscribed
            else old.subscribed[key]
            for key in _kept(old.subscribed, wanted.subscribed, live.subscribed)
        },
    )


def _kept(old: Mapping[Any, Any], wanted: Mapping[Any, Any], live: Mapping[Any, Any]) -> list[Any]:
    """The keys that count as applied: in both, or in one of them and applied before."""
    return sorted((wanted.keys() & live.keys()) | (old.keys() & (wanted.keys() | live.keys())))


def _settled(old: Mapping[str, Any], wanted: Mapping[str, Any], live: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for key, value in wanted.items():
        if live.get(key, _ABSENT) == value:
            found[key] = value
        elif key in old:
            found[key] = old[key]
    return found


def _settled_fields(old: frozenset[str], wanted: frozenset[str], live: frozenset[str]) -> frozenset[str]:
    return (wanted & live) | (old & (wanted ^ live))


def _fields(item: OfferedObject | None) -> frozenset[str]:
    return item.fields if item else frozenset()


def _one(old: OfferedObject | None, wanted: OfferedObject, live: OfferedObject) -> str | None:
    return live.match_on if live.match_on == wanted.match_on or old is None else old.match_on


def last_applied(known: Applied | None, live: ConnectionState) -> ConnectionState | None:
    """What was applied last. An apply that was killed counts as far as it came: it was no person (REC-3)."""
    if known is None:
        return None
    return known.state if known.begun is None else settled(known.state, known.begun, live)


def who(applied: Any, live: Any, wanted: Any) -> ChangedBy:
    """Who made `live` and `wanted` differ, by what was applied last."""
    if live == applied:
        return ChangedBy.GIT
    return ChangedBy.PERSON if wanted == applied else ChangedBy.BOTH


def who_set(state: ConnectionState | None, key: str, live: Any, wanted: Any) -> ChangedBy:
    """Who made a setting differ; one that was never applied is Git's."""
    if state is None or key not in state.settings:
        return ChangedBy.GIT
    return who(state.settings[key], live, wanted)
