"""What was applied is remembered in the primary, so that what people change later is told apart (REC-6)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from orgsync_reconcile.apply.context import ApplyContext
from orgsync_reconcile.model.applied import Applied
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.model.plan import Op, Plan
from orgsync_reconcile.plan.three_way import live_state, settled
from orgsync_reconcile.stores.sql import applied
from orgsync_reconcile.stores.sql.connection_reader import read_connection
from orgsync_reconcile.stores.sql.connections import find_connection
from orgsync_reconcile.stores.sql.org import Org


@contextmanager
def remembering(plan: Plan, context: ApplyContext) -> Iterator[None]:
    """Around the actions of a plan: what it sets out to do is noted first, what came of it when the block ends.

    A process that is killed in between leaves the first note, by which the next plan knows its work from a person's.
    """
    names = sorted({action.connection for action in plan.actions} & plan.wanted.keys())
    for name in names:
        applied.begin(_home(context, name), name, plan.wanted[name])
    yield
    for name in names:
        _note(plan, context, name)
    for action in plan.actions:
        if action.op is Op.DEACTIVATE:
            _forget(context, action.org, action.connection)


def _home(context: ApplyContext, name: str) -> Org:
    return context.org(context.desired.connections[name].primary)


def _note(plan: Plan, context: ApplyContext, name: str) -> None:
    """What is now as it was wanted counts as applied; what is not keeps what counted before."""
    wanted = context.desired.connections[name]
    ends = {Side.PRIMARY: context.org(wanted.primary), Side.SECONDARY: context.org(wanted.secondary)}
    known = {side: read_connection(org, name) for side, org in ends.items() if find_connection(org, name)}
    live = live_state(known.get(Side.PRIMARY), known.get(Side.SECONDARY))
    before = applied.read_applied(ends[Side.PRIMARY], name) or Applied()
    applied.finish(ends[Side.PRIMARY], name, settled(before.state, plan.wanted[name], live))


def _forget(context: ApplyContext, org: str, name: str) -> None:
    known = find_connection(context.org(org), name)
    if known is None or known.status is ConnectionStatus.INACTIVE:
        applied.forget(context.org(org), name)
