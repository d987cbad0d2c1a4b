"""The owner, the contact, options and settings of a connection that is there: changed by Git, or by hand (CON-7, REC-6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orgsync_reconcile.model.actual import ActualConnection
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.plan import Change, Op, Reason
from orgsync_reconcile.plan import address
from orgsync_reconcile.plan.connection import feature_needs, same_contact
from orgsync_reconcile.plan.draft import Draft, Phase, Sheet, shown_value
from orgsync_reconcile.plan.scope import Mode, Scope
from orgsync_reconcile.plan.settings import connection_options, connection_settings
from orgsync_reconcile.plan.three_way import ChangedBy, contact_value, setting_key, who_set

#: Key of an update -> its key in the manifest.
_MANIFEST_KEYS = {
    "feeds_and_audit_fields": "sync.feeds_and_audit_fields",
    "metadata": "sync.metadata",
    "users": "sync.users",
}
#: Options that both orgs hold a copy of; the primary's is the one that counts (CON-6).
_SHARED = ("feeds_and_audit_fields", "metadata")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Difference:
    """One key as the org has it and as the manifest wants it, and who made them differ."""

    live: Any
    wanted: Any
    applied: Any
    changed_by: ChangedBy


def plan_update(scope: Scope, sheet: Sheet) -> None:
    """Bring what differs to what the manifest wants, and list what a person changed (REC-6)."""
    if scope.primary_side is None:
        return
    _plan_end(scope, sheet, Side.PRIMARY, _primary_differences(scope, scope.primary_side))
    if scope.secondary_side is not None:
        _plan_end(scope, sheet, Side.SECONDARY, _secondary_differences(scope, scope.secondary_side))


def _difference(scope: Scope, key: str, live: Any, wanted: Any) -> _Difference:
    return _Difference(
        live=live,
        wanted=wanted,
        applied=scope.applied.settings.get(key) if scope.applied else None,
        changed_by=who_set(scope.applied, key, live, wanted),
    )


def _primary_differences(scope: Scope, known: ActualConnection) -> dict[str, _Difference]:
    """What differs in the primary, by key."""
    wanted = scope.desired
    found: dict[str, _Difference] = {}
    if known.owner != wanted.owner:
        found["owner"] = _difference(scope, "owner", known.owner, wanted.owner)
    if known.contact is None or not same_contact(wanted.contact, known.contact):
        changed_by = who_set(scope.applied, "contact", contact_value(known.contact), contact_value(wanted.contact))
        found["contact"] = _Difference(
            live={"name": known.contact.name, "email": known.contact.email} if known.contact else None,
            wanted={"name": wanted.contact.name, "email": wanted.contact.email},
            applied=scope.applied.settings.get("contact") if scope.applied else None,
            changed_by=changed_by,
        )
    for key, value in connection_options(wanted, Side.PRIMARY).items():
        if getattr(known, key) != value:
            found[key] = _difference(scope, setting_key(Side.PRIMARY, key), getattr(known, key), value)
    for key, text in connection_settings(wanted).items():
        if known.settings.get(key) != text:
            found[key] = _difference(scope, key, known.settings.get(key), text)
    return found


def _secondary_differences(scope: Scope, known: ActualConnection) -> dict[str, _Difference]:
    """The secondary's own users switch, and its copies of the shared options where a person changed them.

    A copy that is behind the primary's is on its way, and nothing to plan.
    """
    found: dict[str, _Difference] = {}
    for key, value in connection_options(scope.desired, Side.SECONDARY).items():
        if getattr(known, key) == value:
            continue
        item = _difference(scope, setting_key(Side.SECONDARY, key), getattr(known, key), value)
        if key not in _SHARED or item.changed_by is ChangedBy.PERSON:
            found[key] = item
    return found


def _plan_end(scope: Scope, sheet: Sheet, side: Side, differences: dict[str, _Difference]) -> None:
    for key in sorted(differences):
        if differences[key].changed_by is not ChangedBy.GIT:
            _say_drift(scope, sheet, side, key, differences[key])
    chosen = {key: item for key, item in differences.items() if _is_planned(scope, item)}
    if not chosen:
        return
    by_hand = all(item.changed_by is ChangedBy.PERSON for item in chosen.values())
    # The place of what Git changed is worth more than that of a key that the manifest may not even name.
    first = min(chosen, key=lambda key: (chosen[key].changed_by is ChangedBy.PERSON, key))
    sheet.drafts.append(
        Draft(
            phase=Phase.UPDATE,
            address=address.end(scope.name, side),
            op=Op.UPDATE_CONNECTION,
            org=scope.org_name(side),
            connection=scope.name,
            change=Change.UPDATE,
            reason=Reason.DRIFT if by_hand else Reason.CHANGED,
            before={key: chosen[key].live for key in sorted(chosen)},
            after={key: chosen[key].wanted for key in sorted(chosen)},
            source=scope.desired.origin_of(_MANIFEST_KEYS.get(first, first)),
            needs=(*feature_needs(scope, side), address.contact(scope.name)),
        )
    )


def _is_planned(scope: Scope, item: _Difference) -> bool:
    """Whether this plan sets the key: corrections leave alone what Git changed, and the policy what it only reports."""
    if item.changed_by is ChangedBy.PERSON:
        return "settings" not in scope.reported
    return scope.mode is not Mode.CORRECTIONS


def _say_drift(scope: Scope, sheet: Sheet, side: Side, key: str, item: _Difference) -> None:
    kind = key if key in ("owner", "contact", "users") else "option" if key in _SHARED else "setting"
    org = scope.org_name(side)
    live, wanted = _plain(item.live), _plain(item.wanted)
    detail = f"{key} was changed in {org}: {shown_value(item.applied)} → {shown_value(live)}"
    if item.changed_by is ChangedBy.BOTH:
        detail += f"; the manifest changed it too, to {shown_value(wanted)}"
    if key in _SHARED and side is Side.SECONDARY:
        detail += f"; it counts as it is in {scope.org_name(Side.PRIMARY)}, where alone it can be changed"
    sheet.drifted(
        address.end(scope.name, side),
        org,
        kind,
        detail,
        key=key,
        applied=item.applied,
        live=live,
        wanted=wanted,
        changed_by=item.changed_by.value,
        policy=scope.policy("settings"),
    )


def _plain(value: Any) -> Any:
    """A contact as text, as the last apply is remembered; everything else as it is."""
    return f"{value['name']} <{value['email']}>" if isinstance(value, dict) else value
