"""Whether two orgs fit together, before anything is done: kind, features, triggers, feeds (CON-6, CON-8, TRG-1)."""

from __future__ import annotations

from collections.abc import Mapping

from orgsync_reconcile.model.connection import Direction, Side
from orgsync_reconcile.plan import codes
from orgsync_reconcile.plan.draft import Sheet, listed
from orgsync_reconcile.plan.scope import Scope

#: The objects of a feed, which flow together or not at all.
FEEDS = ("FeedComment", "FeedItem")


def check_orgs(scope: Scope, sheet: Sheet) -> None:
    """All checks that need no action to be known."""
    _check_identity(scope, sheet)
    _check_kind(scope, sheet)
    _check_features(scope, sheet)
    _check_triggers(scope, sheet)
    _check_feeds(scope, sheet)
    _check_person_accounts(scope, sheet)


def _check_identity(scope: Scope, sheet: Sheet) -> None:
    """Two different orgs, and the same ones as when the connection was made."""
    wanted = scope.desired
    if scope.primary.info.org_id == scope.secondary.info.org_id:
        sheet.error(
            codes.ONE_ORG_TWICE,
            f"{wanted.primary} and {wanted.secondary} are the same org ({scope.primary.info.org_id})",
            hint="make the secondary with orgsync org create instead of copying the primary's store",
            origin=wanted.origin,
        )
        return
    for side in Side:
        known = scope.side(side)
        if known is None:
            continue
        if known.side is not side:
            sheet.error(
                codes.OTHER_ROLE,
                f"{scope.org_name(side)} is the {known.side} of {scope.name}, the manifest says {side}",
                hint="deactivate the connection before its roles change",
                origin=wanted.origin_of(side.value),
            )
        partner = scope.org(side.other).info.org_id
        if known.partner_org_id and known.partner_org_id != partner:
            sheet.error(
                codes.OTHER_PARTNER,
                f"{scope.name} leads from {scope.org_name(side)} to org {known.partner_org_id},"
                f" but {scope.org_name(side.other)} is {partner}",
                hint="name the connected org, or deactivate the connection first",
                origin=wanted.origin_of(side.other.value),
            )


def _check_kind(scope: Scope, sheet: Sheet) -> None:
    """Org type and edition must match; limits and settings had better (CON-8)."""
    here, there = scope.primary.info, scope.secondary.info
    origin = scope.desired.origin
    names = f"{scope.desired.primary} and {scope.desired.secondary}"
    if here.org_type.casefold() != there.org_type.casefold():
        sheet.error(
            codes.TYPE_MISMATCH,
            f"{names} differ in org type: {here.org_type} and {there.org_type}",
            hint="connect two orgs of one type",
            origin=origin,
        )
    if here.edition.casefold() != there.edition.casefold():
        sheet.error(
            codes.EDITION_MISMATCH,
            f"{names} differ in edition: {here.edition} and {there.edition}",
            hint="connect two orgs of one edition",
            origin=origin,
        )
    for code, noun, ours, theirs in (
        (codes.LIMITS_DIFFER, "limits", here.limits, there.limits),
        (codes.SETTINGS_DIFFER, "settings", here.settings, there.settings),
    ):
        differences = _differences(ours, theirs)
        if differences:
            sheet.warn(
                code,
                f"{names} differ in {noun}: {', '.join(differences)}",
                hint="make them the same, so that what one org accepts the other does too",
                origin=origin,
            )


def _differences(ours: Mapping[str, object], theirs: Mapping[str, object]) -> list[str]:
    """`name (5, 10)` for each key with different values; a key that one org lacks counts."""
    return [
        f"{key} ({ours.get(key, 'none')}, {theirs.get(key, 'none')})"
        for key in sorted(ours.keys() | theirs.keys())
        if ours.get(key) != theirs.get(key)
    ]


def _check_features(scope: Scope, sheet: Sheet) -> None:
    """Audit-field creation where the option needs it (CON-6); duplicate management in the secondary (CON-8)."""
    if scope.desired.options.feeds_and_audit_fields:
        for side in Side:
            if "audit-field-creation" not in scope.org(side).info.features:
                sheet.error(
                    codes.AUDIT_FIELDS_OFF,
                    f"feeds and audit fields cannot sync: audit-field creation is off in {scope.org_name(side)}",
                    hint=f"run: orgsync org enable {scope.org_name(side)} audit-field-creation, or set"
                    " sync.feeds_and_audit_fields: false",
                    origin=scope.desired.origin_of("sync.feeds_and_audit_fields"),
                )
    if "duplicate-management" in scope.secondary.info.features:
        sheet.warn(
            codes.DUPLICATE_MANAGEMENT,
            f"duplicate management is on in {scope.desired.secondary}: copied records that it takes for duplicates"
            " fail with DUPLICATES_DETECTED",
            hint="switch it off there, or let its rules pass replicated records",
            origin=scope.desired.origin,
        )


def _check_triggers(scope: Scope, sheet: Sheet) -> None:
    """Triggers are never copied; those in both orgs could answer each other for ever (TRG-1)."""
    names = {item.object: item for item in scope.publications}
    own = [
        f"{name} ({listed(sorted(scope.primary.triggers[name]))})"
        for name in sorted(names)
        if scope.primary.triggers.get(name)
    ]
    if own:
        sheet.warn(
            codes.TRIGGERS,
            f"published objects of {scope.desired.primary} have triggers, which are not copied: {'; '.join(own)}",
            hint="check that what they do reaches the secondary as data",
            origin=scope.desired.origin,
        )
    loops = [
        f"{name} ({', '.join(_located(scope, name))})"
        for name, item in sorted(names.items())
        if scope.direction_of(item) is Direction.TWO_WAY
        and scope.primary.triggers.get(name)
        and scope.secondary.triggers.get(name)
    ]
    if loops:
        sheet.warn(
            codes.TRIGGER_LOOP,
            f"triggers are active in both orgs on objects that sync both ways, and could loop: {'; '.join(loops)}",
            hint="let the triggers pass over replicated records",
            origin=scope.desired.origin,
        )


def _located(scope: Scope, name: str) -> list[str]:
    """The triggers on an object in both orgs, each with its org."""
    return [
        f"{trigger} in {scope.org_name(side)}" for side in Side for trigger in sorted(scope.org(side).triggers[name])
    ]


def missing_for_feeds(scope: Scope) -> list[str]:
    """What feeds still need: the option, both feed objects, and feed tracking in both orgs (CHT-1)."""
    published = {item.object for item in scope.publications}
    missing = [] if scope.desired.options.feeds_and_audit_fields else ["sync.feeds_and_audit_fields: true"]
    missing.extend(f"a publication of {name}" for name in FEEDS if name not in published)
    missing.extend(
        f"feed tracking in {scope.org_name(side)}"
        for side in Side
        if "feed-tracking" not in scope.org(side).info.features
    )
    return missing


def _check_feeds(scope: Scope, sheet: Sheet) -> None:
    """Feeds that are published and do not flow all the same (CHT-1)."""
    published = {item.object: item for item in scope.publications}
    feeds = [name for name in FEEDS if name in published]
    missing = missing_for_feeds(scope) if feeds else []
    if missing:
        sheet.warn(
            codes.FEEDS_INCOMPLETE,
            f"{listed(feeds)} will not sync: missing {listed(missing)}",
            hint="add what is missing, or remove the publication",
            origin=published[feeds[0]].origin,
        )


def _check_person_accounts(scope: Scope, sheet: Sheet) -> None:
    """A person account is an account and a contact (PUB-1)."""
    published = {item.object: item for item in scope.publications}
    halves = [name for name in ("Account", "Contact") if name in published]
    on = any("person-accounts" in scope.org(side).info.features for side in Side)
    if on and len(halves) == 1:
        other = "Contact" if halves == ["Account"] else "Account"
        sheet.warn(
            codes.PERSON_ACCOUNTS,
            f"person accounts are on, and {halves[0]} is published without {other}",
            hint=f"publish {other} too",
            origin=published[halves[0]].origin,
        )
