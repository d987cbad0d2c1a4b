"""Actions that bring people and records over: users, and the first bulk sync (USR-1, BLK-8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from orgsync_reconcile.apply.context import ApplyContext, holder_name
from orgsync_reconcile.apply.executor import Result
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.plan import Action
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.sync.bulk import bulk_sync
from orgsync_reconcile.sync.users import sync_users


def copy_users(context: ApplyContext, actions: Sequence[Action]) -> Result:
    """Copy or link users; one user's failure stops nobody (USR-6). The org of the actions is the target."""
    ends = context.ends(actions[0])
    source = context.side(actions[0]).other
    by_name = {str((action.after or {})["source_username"]): action for action in actions}
    report = sync_users(
        ends.org(source), ends.org(source.other), actions[0].connection, source, list(by_name), context.clock
    )
    if report.switched_off:
        return Result(errors={action.id: "user sync is switched off in the source org" for action in actions})
    return Result(errors={by_name[name].id: why for name, why in report.failed if name in by_name})


def copy_records(context: ApplyContext, actions: Sequence[Action]) -> Result:
    """Bulk sync objects from the primary, back to the earliest moment that the manifest allows (BLK-1)."""
    ends = context.ends(actions[0])
    wanted = context.connection(actions[0])
    age = wanted.bulk_sync.max_age
    by_object = {action.address.rsplit("/", 1)[1]: action for action in actions}
    counts = bulk_sync(
        Pair(ends.primary, ends.secondary, actions[0].connection),
        source=Side.PRIMARY,
        objects=list(by_object),
        cutoff=None if age is None else context.clock() - timedelta(seconds=age),
        clock=context.clock,
        holder=holder_name(),
        lock_timeout=context.lock_timeout,
    )
    return Result(
        notes={
            by_object[item.object].id: f"{counted(item.failed + item.held, 'record')} stayed behind"
            for item in counts
            if item.object in by_object and item.failed + item.held
        }
    )
