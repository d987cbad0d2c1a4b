"""The first copy of records: runs in the plan, or the command to run next (BLK-8, ORG-10, USR-5)."""

from __future__ import annotations

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.plan import Change, Op, Risk
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.plan import address, codes
from orgsync_reconcile.plan.connection import ready_needs
from orgsync_reconcile.plan.draft import Draft, Phase, Sheet, listed
from orgsync_reconcile.plan.preflight import FEEDS, missing_for_feeds
from orgsync_reconcile.plan.scope import Scope
from orgsync_reconcile.plan.users import counterpart


def plan_bulk(scope: Scope, sheet: Sheet, order: tuple[str, ...]) -> None:
    """Plan or name the bulk sync of every object that has never had one; `order` is parents first."""
    planned = {draft.address for draft in sheet.drafts}
    known = scope.primary_side
    subscribed = scope.secondary_side.subscribed if scope.secondary_side else {}
    waiting = [
        name
        for name in order
        if (name in subscribed or address.subscription(scope.name, name, Side.PRIMARY) in planned)
        and not (known and known.bulk_synced.get(name))
        and not (name in FEEDS and missing_for_feeds(scope))
    ]
    if not waiting:
        return
    _say_dirt(scope, sheet, waiting)
    _say_unknown_users(scope, sheet, planned)
    if not scope.desired.bulk_sync.auto:
        sheet.info(
            codes.BULK_SYNC_NEXT,
            f"records of {listed(waiting)} have not been copied over {scope.name}: publishing copies nothing",
            hint=f"run orgsync bulk-sync {scope.name} after the plan is applied",
            origin=scope.desired.origin_of("bulk_sync"),
        )
        return
    for rank, name in enumerate(waiting):
        parents = {target for item in scope.primary.objects[name].references() for target in item.reference_to}
        earlier = [item for item in waiting[:rank] if item in parents]
        records = scope.primary.records.get(name)
        sheet.drafts.append(
            Draft(
                phase=Phase.BULK_SYNC,
                rank=rank,
                address=address.bulk_sync(scope.name, name),
                op=Op.BULK_SYNC,
                org=scope.desired.secondary,
                connection=scope.name,
                change=Change.RUN,
                risk=Risk.MOVES_DATA,
                after={"from": Side.PRIMARY.value},
                source=scope.desired.origin_of("bulk_sync"),
                needs=(
                    *ready_needs(scope),
                    address.subscription(scope.name, name, Side.PRIMARY),
                    *(address.bulk_sync(scope.name, item) for item in earlier),
                ),
                effects={} if records is None else {"records": records},
            )
        )


def _say_dirt(scope: Scope, sheet: Sheet, waiting: list[str]) -> None:
    """Records that will not arrive whole: better mended before the first copy (ORG-10)."""
    found = sorted(
        (item for item in scope.primary.hygiene if item.object in waiting),
        key=lambda item: (item.object, item.kind, item.field),
    )
    words = {
        "blank_required": "is blank in",
        "invalid_lookup": "points at no record in",
        "duplicate": "is a duplicate in",
    }
    for item in found:
        example = f", for example {item.example}" if item.example else ""
        sheet.warn(
            codes.DIRTY_DATA,
            f"{item.object}.{item.field} {words.get(item.kind, item.kind)}"
            f" {counted(item.records, 'record')} of {scope.desired.primary}{example}",
            hint="mend these records before the bulk sync; orgsync org check lists them",
            origin=scope.desired.origin,
        )


def _say_unknown_users(scope: Scope, sheet: Sheet, planned: set[str]) -> None:
    """Users whom records may name and whom the secondary will not have (USR-5)."""
    there = {name.casefold() for name in scope.secondary.users}
    missing = []
    for username in sorted(scope.primary.users):
        name = counterpart(username, Side.PRIMARY) or username
        if name.casefold() not in there and address.user(scope.name, name, Side.PRIMARY) not in planned:
            missing.append(username)
    if missing:
        sheet.warn(
            codes.UNKNOWN_USERS,
            f"{scope.desired.secondary} has no counterpart of {listed(missing)}: records that name them get a"
            " substitute there",
            hint="copy these users first if their records matter",
            origin=scope.desired.origin_of("sync.users"),
        )
