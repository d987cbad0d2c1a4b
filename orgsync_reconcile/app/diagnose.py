"""Why a record or a user is missing or stale in the other org (DIA-1)."""

from __future__ import annotations

from contextlib import ExitStack

from orgsync_reconcile.app.workspace import Workspace, open_orgs, pick_connection
from orgsync_reconcile.errors import StoreError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.sync.diagnose import diagnose
from orgsync_reconcile.sync.diagnosis import Diagnosis


def diagnose_record(workspace: Workspace, name: str | None, record: str, *, side: Side | None = None) -> Diagnosis:
    """Diagnoses one record or user by Id, reading both orgs as they are; an org that is down is part of the answer.

    Raises UsageError for what is no Id, StoreError where neither org can be opened.
    """
    desired = workspace.desired()
    chosen = pick_connection(desired, name)
    names = {Side.PRIMARY: chosen.primary, Side.SECONDARY: chosen.secondary}
    ends: dict[Side, Org | None] = {}
    down: dict[Side, str] = {}
    with ExitStack() as stack:
        for end, org in names.items():
            try:
                opened = stack.enter_context(open_orgs(workspace, desired, [org], readonly=True))
            except StoreError as error:
                down[end] = str(error)
                ends[end] = None
            else:
                ends[end] = opened[org]
        for opened_org in ends.values():
            if opened_org is not None:
                stack.enter_context(opened_org.translated())
        return diagnose(chosen.name, ends, record, side=side, down=down, clock=workspace.clock)
