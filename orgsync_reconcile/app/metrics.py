"""How a connection stands, in figures (REC-10)."""

from __future__ import annotations

from datetime import datetime

from orgsync_reconcile.app.workspace import Workspace, open_connection
from orgsync_reconcile.clock import milliseconds
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.operations.metrics import Figures, OrgFigures
from orgsync_reconcile.stores.faults import faults
from orgsync_reconcile.stores.sql import notices
from orgsync_reconcile.stores.sql.notices import RuleState
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.queue import count_queue, read_queue
from orgsync_reconcile.sync.status import End, read_end

#: Among the states of rules: when a run without a fault ended last. No rule of a manifest can have this mark.
_SUCCESS = "(reconciled)"


def note_success(org: Org, connection: str, now: datetime) -> None:
    """Keeps in the primary that a run without a fault has ended."""
    with org.transaction():
        notices.set_rule_state(org, connection, _SUCCESS, RuleState(told_at=milliseconds(now)))


def measure(workspace: Workspace, name: str) -> Figures:
    """The figures of a connection; of one whose orgs cannot be read, none but that."""
    try:
        with (
            open_connection(workspace, name, readonly=True) as found,
            found.primary.snapshot(),
            found.secondary.snapshot(),
        ):
            ends = {side: read_end(found.org(side), name) for side in Side}
            orgs = []
            for side in Side:
                mine, theirs = ends[side], ends[side.other]
                if mine is not None and theirs is not None:
                    orgs.append(_figures(workspace, name, found.org(side), mine, found.org(side.other), theirs))
            success = notices.rule_state(found.primary, name, _SUCCESS)
            told = success.told_at if success is not None else None
            return Figures(connection=name, orgs=tuple(orgs), last_success=told / 1000 if told is not None else None)
    except faults(OrgsyncError, ValueError):
        return Figures(connection=name, readable=False)


def _figures(workspace: Workspace, name: str, org: Org, mine: End, partner: Org, theirs: End) -> OrgFigures:
    counts = count_queue(org, mine.number, partner, theirs.number)
    now = workspace.clock()
    queued = [
        item.queued_at for item in read_queue(org, mine.number, partner, theirs.number, limit=100) if item.queued_at
    ]
    lag = (now - datetime.fromisoformat(min(queued))).total_seconds() if queued else 0.0
    return OrgFigures(
        org=org.label,
        pending=counts.pending,
        retrying=counts.retrying,
        failed=counts.failed,
        lag=max(lag, 0.0),
        suspended=mine.status is ConnectionStatus.SUSPENDED,
        notices_waiting=notices.counts(org, name).waiting,
    )
