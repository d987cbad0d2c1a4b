"""Trying refused records again, by hand (LOG-2)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from orgsync_reconcile.app.reach import open_ends
from orgsync_reconcile.app.workspace import Workspace
from orgsync_reconcile.clock import milliseconds
from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.connections import get_connection
from orgsync_reconcile.stores.sql.held import Due, held_records, make_due
from orgsync_reconcile.stores.sql.permissions import MANAGE_CONNECTIONS, require
from orgsync_reconcile.sync.forward import full_id


def retry_records(
    workspace: Workspace, name: str | None, records: Sequence[str], sides: Sequence[Side], *, failed: bool = False
) -> tuple[str, dict[str, Due]]:
    """Makes refused records due now: those named, else all; with `failed` only those that failed for good.

    Returns the connection's name and org -> what is due. The next drain sends them. An org that cannot be reached has
    nothing to say here. Raises UsageError for a record that none of the orgs holds, PermissionDeniedError where who
    acts in an org may not manage connections (CON-11); then nothing is changed.
    """
    wanted = [full_id(record) for record in records]
    with open_ends(workspace, name) as reached, ExitStack() as stack:
        connection = reached.desired.name
        orgs = {side: reached.orgs[side] for side in sides if side in reached.orgs}
        if not orgs:
            raise next(iter(reached.down.values()))
        for side, org in orgs.items():
            require(org, reached.admin(side), MANAGE_CONNECTIONS)
        numbers = {side: get_connection(org, connection).number for side, org in orgs.items()}
        held = {side: held_records(org, numbers[side]) for side, org in orgs.items()}
        unknown = [record for record in wanted if not any(record in item for item in held.values())]
        if unknown:
            raise UsageError(
                f"{', '.join(unknown)} was not refused over {connection}, so there is nothing to try again",
                where=", ".join(org.label for org in orgs.values()),
                hint=f"see: orgsync queue list {connection}, and orgsync diagnose {connection} {unknown[0]}",
            )
        now_ms = milliseconds(workspace.clock())
        due: dict[str, Due] = {}
        for org in orgs.values():
            stack.enter_context(org.transaction())
        for side, org in orgs.items():
            chosen = [record for record, is_failed in held[side].items() if is_failed or not failed]
            if wanted:
                chosen = [record for record in chosen if record in wanted]
            due[org.label] = make_due(org, numbers[side], chosen, now_ms)
        return connection, due
