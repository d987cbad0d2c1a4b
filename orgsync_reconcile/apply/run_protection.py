"""Actions on an org's protection (REC-5)."""

from __future__ import annotations

from orgsync_reconcile.apply.context import ApplyContext
from orgsync_reconcile.model.plan import Action, Op
from orgsync_reconcile.stores.sql.protection import set_protected


def protect(context: ApplyContext, action: Action) -> None:
    """Protect an org, or put its protection off."""
    set_protected(
        context.org(action.org),
        action.op is Op.PROTECT,
        actor=context.actor(action.org),
        clock=context.clock,
    )
