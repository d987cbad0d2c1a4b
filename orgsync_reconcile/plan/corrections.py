"""What is left of a plan that nobody looks at before it runs: drift by its policy, news or no news (REC-6)."""

from __future__ import annotations

from collections.abc import Collection

from orgsync_reconcile.model.desired import Desired
from orgsync_reconcile.model.plan import Op, Reason
from orgsync_reconcile.plan.draft import Draft
from orgsync_reconcile.plan.order import without
from orgsync_reconcile.plan.scope import Mode

#: A connection that a person ended begins anew by a person only (CON-9).
_NEVER_CORRECTED = frozenset({Op.INVITE, Op.ACCEPT, Op.ADVANCE_CONNECTION})
_METADATA = frozenset({Op.DEPLOY_COMPONENT, Op.DELETE_COMPONENT})


def left_in(drafts: Collection[Draft], desired: Desired, mode: Mode) -> list[Draft]:
    """The drafts that a plan of this mode keeps; what needs a draft that is left out goes with it."""
    if mode is Mode.ATTENDED:
        return list(drafts)
    return without(drafts, {draft.address for draft in drafts if not _stays(draft, desired, mode)})


def _stays(draft: Draft, desired: Desired, mode: Mode) -> bool:
    if draft.reason is not Reason.DRIFT:
        return mode is Mode.UNATTENDED or _fell_out(draft)
    if draft.op in _NEVER_CORRECTED:
        return False
    kind = "metadata" if draft.op in _METADATA else "settings"
    return desired.connections[draft.connection].drift.get(kind, "report") == "correct"


def _fell_out(draft: Draft) -> bool:
    """Whether a field that unsubscribed itself fits again: neither Git nor a person changed anything (PUB-8)."""
    return draft.op is Op.SUBSCRIBE_FIELD and bool(draft.before) and "dropped" in (draft.before or {})
