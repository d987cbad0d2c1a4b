"""The life of one connection: features, contact, invitation, status, suspension (CON-1…5, SUS-4)."""

from __future__ import annotations

from typing import Any

from orgsync_reconcile.catalog.orgs import SALESFORCE_TO_SALESFORCE
from orgsync_reconcile.model.actual import ContactInfo
from orgsync_reconcile.model.connection import ConnectionStatus, ContactRef, Direction, Side
from orgsync_reconcile.model.plan import Change, Op, Reason
from orgsync_reconcile.plan import address, codes
from orgsync_reconcile.plan.draft import Draft, Phase, Sheet
from orgsync_reconcile.plan.scope import Scope
from orgsync_reconcile.plan.settings import connection_options, connection_settings
from orgsync_reconcile.plan.three_way import ACTIVE, SUSPENDED, ChangedBy, setting_key, who_set


def plan_features(scope: Scope, sheet: Sheet) -> None:
    """Switch on Salesforce to Salesforce in both orgs, before anything else (CON-1)."""
    planned = {draft.address for draft in sheet.drafts}
    for side in Side:
        name = scope.org_name(side)
        where = address.feature(name, SALESFORCE_TO_SALESFORCE)
        if SALESFORCE_TO_SALESFORCE in scope.org(side).info.features or where in planned:
            continue
        sheet.drafts.append(
            Draft(
                phase=Phase.FEATURE,
                address=where,
                op=Op.ENABLE_FEATURE,
                org=name,
                connection="",
                change=Change.UPDATE,
                before={"enabled": False},
                after={"enabled": True},
                source=scope.desired.origin,
            )
        )


def feature_needs(scope: Scope, *sides: Side) -> tuple[str, ...]:
    """What must stand before anything is done in the orgs at `sides` (CON-1)."""
    return tuple(address.feature(scope.org_name(side), SALESFORCE_TO_SALESFORCE) for side in sides)


def ready_needs(scope: Scope) -> tuple[str, ...]:
    """What must stand before objects are published: the connection is active in both orgs (CON-5)."""
    return (
        address.end(scope.name, Side.SECONDARY),
        *(address.status(scope.name, reached) for reached in _steps(scope)),
        address.status(scope.name, ConnectionStatus.ACCEPTED),
    )


def same_contact(wanted: ContactRef, found: ContactInfo) -> bool:
    """Whether a Contact record is the one that the manifest means: same name, same email (CON-2)."""
    return found.name == wanted.name and found.email.casefold() == wanted.email.casefold()


def plan_contact(scope: Scope, sheet: Sheet) -> None:
    """Make the contact where the primary has none of that name and email (CON-2)."""
    wanted = scope.desired.contact
    if not wanted.email:
        sheet.error(
            codes.CONTACT_WITHOUT_EMAIL,
            f"the contact {wanted.name} has no email address",
            hint="set contact.email: the invitation goes there",
            origin=scope.desired.origin_of("contact"),
        )
        return
    if any(same_contact(wanted, found) for found in scope.primary.contacts):
        return
    known = scope.primary_side.contact if scope.primary_side else None
    if known is not None and same_contact(wanted, known):
        return
    sheet.drafts.append(
        Draft(
            phase=Phase.CONTACT,
            address=address.contact(scope.name),
            op=Op.CREATE_CONTACT,
            org=scope.desired.primary,
            connection=scope.name,
            change=Change.CREATE,
            after={
                "first_name": wanted.first_name,
                "last_name": wanted.last_name,
                "email": wanted.email,
                "account": wanted.account,
            },
            source=scope.desired.origin_of("contact"),
            needs=feature_needs(scope, Side.PRIMARY),
        )
    )


def _steps(scope: Scope) -> list[ConnectionStatus]:
    """The statuses between acceptance and active that the options leave in (CON-5)."""
    steps = []
    if scope.desired.options.metadata:
        steps.append(ConnectionStatus.BULK_SYNC_METADATA)
    if scope.users_on:
        steps.append(ConnectionStatus.USERS_INITIAL_SYNC)
    return steps


def plan_lifecycle(scope: Scope, sheet: Sheet) -> None:
    """Invite, accept, and the moves of the status up to active, from wherever an earlier run stopped (CON-4, CON-5)."""
    progress = scope.progress
    if progress is ConnectionStatus.ACCEPTED:
        return
    wanted = scope.desired
    common: dict[str, Any] = {"connection": scope.name, "source": wanted.origin}
    if _say_deactivated(scope, sheet):
        common["reason"] = Reason.DRIFT
    if progress is None:
        sheet.drafts.append(
            Draft(
                phase=Phase.INVITE,
                address=address.end(scope.name, Side.PRIMARY),
                op=Op.INVITE,
                org=wanted.primary,
                change=Change.CREATE,
                after={
                    "secondary": wanted.secondary,
                    "owner": wanted.owner,
                    "contact": {"name": wanted.contact.name, "email": wanted.contact.email},
                    "options": connection_options(wanted, Side.PRIMARY),
                    "settings": connection_settings(wanted),
                },
                needs=(*feature_needs(scope, *Side), address.contact(scope.name)),
                **common,
            )
        )
    statuses = [*_steps(scope), ConnectionStatus.ACCEPTED]
    if progress in (None, ConnectionStatus.SENT):
        sheet.drafts.append(
            Draft(
                phase=Phase.ACCEPT,
                address=address.end(scope.name, Side.SECONDARY),
                op=Op.ACCEPT,
                org=wanted.secondary,
                change=Change.CREATE,
                after={
                    "primary": wanted.primary,
                    "options": connection_options(wanted, Side.SECONDARY),
                    "status": statuses.pop(0).value,
                },
                needs=(*feature_needs(scope, Side.SECONDARY), address.end(scope.name, Side.PRIMARY)),
                **common,
            )
        )
    _advance(scope, sheet, statuses, common)


def _say_deactivated(scope: Scope, sheet: Sheet) -> bool:
    """Whether a person ended a connection that the manifests want; no unattended run begins it anew (CON-9, REC-6)."""
    if scope.applied is None:
        return False
    ended = [
        side
        for side in Side
        if (known := scope.org(side).connections.get(scope.name)) and known.status is ConnectionStatus.INACTIVE
    ]
    for side in ended:
        sheet.drifted(
            address.end(scope.name, side),
            scope.org_name(side),
            "deactivated",
            f"deactivated in {scope.org_name(side)}, the manifests still want it",
            key="status",
            live=ConnectionStatus.INACTIVE.value,
            wanted=ConnectionStatus.ACCEPTED.value,
        )
    return bool(ended)


def _advance(scope: Scope, sheet: Sheet, statuses: list[ConnectionStatus], common: dict[str, Any]) -> None:
    """The moves of the status that are still ahead; each follows the one before it."""
    done = scope.progress
    order = list(ConnectionStatus)
    needs: tuple[str, ...] = (address.end(scope.name, Side.SECONDARY),)
    for status in statuses:
        if done is not None and order.index(status) <= order.index(done):
            continue
        where = address.status(scope.name, status)
        # Users follow metadata; the move out of a step stands behind that step's work.
        late = status is ConnectionStatus.ACCEPTED and scope.users_on
        sheet.drafts.append(
            Draft(
                phase=Phase.USERS_DONE if late else Phase.METADATA_DONE,
                address=where,
                op=Op.ADVANCE_CONNECTION,
                org=scope.desired.primary,
                change=Change.UPDATE,
                after={"status": status.value},
                needs=needs,
                **common,
            )
        )
        needs = (where,)


def plan_state(scope: Scope, sheet: Sheet) -> None:
    """Suspend and resume as the manifest says; a suspension by command is drift and stays (SUS-4)."""
    two_way = scope.desired.direction is Direction.TWO_WAY
    sides = tuple(Side) if two_way else (Side.PRIMARY,)
    suspended = [
        side for side in Side if (known := scope.side(side)) is not None and known.status is ConnectionStatus.SUSPENDED
    ]
    if scope.desired.state == SUSPENDED:
        for side in sides:
            if side not in suspended:
                _suspend(scope, sheet, side)
        return
    by_hand = []
    for side in suspended:
        known = scope.side(side)
        if known is not None and known.suspended_by:
            by_hand.append(side)
            sheet.drifted(
                address.end(scope.name, side),
                scope.org_name(side),
                "suspended",
                f"suspended by {known.suspended_by}, the manifest says active; resume it, or set state: suspended",
                key="state",
                applied=_applied_state(scope, side),
                live=SUSPENDED,
                wanted=ACTIVE,
            )
        else:
            _move(scope, sheet, side, Op.RESUME, ConnectionStatus.ACCEPTED, Reason.CHANGED)
    if two_way and len(by_hand) == 1:
        sheet.warn(
            codes.ONE_SIDE_SUSPENDED,
            f"{scope.name} is suspended in {scope.org_name(by_hand[0])} only, though it syncs both ways",
            hint=f"suspend both ends, or run orgsync resume {scope.name}",
            origin=scope.desired.origin_of("state"),
        )


def _applied_state(scope: Scope, side: Side) -> str | None:
    return scope.applied.settings.get(setting_key(side, "state")) if scope.applied else None


def _suspend(scope: Scope, sheet: Sheet, side: Side) -> None:
    """Suspend what the manifest wants suspended, and say so where a person had resumed it (SUS-4, REC-6)."""
    if scope.new:
        _move(scope, sheet, side, Op.SUSPEND, ConnectionStatus.SUSPENDED, Reason.ADDED)
        return
    changed_by = who_set(scope.applied, setting_key(side, "state"), ACTIVE, SUSPENDED)
    if changed_by is ChangedBy.PERSON:
        sheet.drifted(
            address.end(scope.name, side),
            scope.org_name(side),
            "state",
            f"resumed in {scope.org_name(side)}, the manifest says suspended",
            key="state",
            applied=SUSPENDED,
            live=ACTIVE,
            wanted=SUSPENDED,
            policy=scope.policy("settings"),
        )
        _move(scope, sheet, side, Op.SUSPEND, ConnectionStatus.SUSPENDED, Reason.DRIFT)
    else:
        _move(scope, sheet, side, Op.SUSPEND, ConnectionStatus.SUSPENDED, Reason.CHANGED)


def _move(scope: Scope, sheet: Sheet, side: Side, op: Op, status: ConnectionStatus, reason: Reason) -> None:
    sheet.drafts.append(
        Draft(
            phase=Phase.SUSPEND if op is Op.SUSPEND else Phase.UPDATE,
            rank=1,
            address=address.status(scope.name, status, side),
            op=op,
            org=scope.org_name(side),
            connection=scope.name,
            change=Change.UPDATE,
            reason=reason,
            after={"status": status.value},
            source=scope.desired.origin_of("state"),
            needs=ready_needs(scope) if op is Op.SUSPEND else (),
        )
    )


def will_be_suspended_throughout(scope: Scope, sheet: Sheet) -> bool:
    """Whether the connection is suspended and this plan does not resume it: publications must wait (SUS-1)."""
    resumed = {draft.org for draft in sheet.drafts if draft.connection == scope.name and draft.op is Op.RESUME}
    return any(
        known is not None and known.status is ConnectionStatus.SUSPENDED and scope.org_name(side) not in resumed
        for side in Side
        for known in (scope.side(side),)
    )
