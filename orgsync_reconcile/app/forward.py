"""Forwarding records by hand, and where a record is shared (FWD-*)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from orgsync_reconcile.app.reach import open_pair
from orgsync_reconcile.app.records import Moved, Progress
from orgsync_reconcile.app.workspace import Workspace, open_connection, pick_connection
from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.permissions import MANAGE_CONNECTIONS, require, require_read
from orgsync_reconcile.sync.forward import forward, full_id
from orgsync_reconcile.sync.sharing import Share, object_of, severed_there, shares


@dataclass(frozen=True, kw_only=True, slots=True)
class ForwardReport:
    """What was moved, how many records were asked for and went along, and how many links live again."""

    moved: Moved
    asked: int
    along: int
    restored: int


def forward_records(
    workspace: Workspace,
    name: str,
    object_name: str,
    *,
    records: Sequence[str] = (),
    where: str | None = None,
    related: Sequence[str] = (),
    source: Side = Side.PRIMARY,
    progress: Progress | None = None,
) -> ForwardReport:
    """Sends records by Id or by filter, whatever any cutoff (FWD-1).

    Raises UsageError unless there are Ids or a filter, and as `forward` does; PermissionDeniedError where who acts in
    either org may not manage connections (CON-11).
    """
    if bool(records) == (where is not None):
        raise UsageError("name records by their Ids, or choose them by --where", hint="one of the two, not both")
    with open_pair(workspace, name) as (found, pair):
        for side in Side:
            require(found.org(side), found.admins[side], MANAGE_CONNECTIONS)
        started = time.monotonic()
        done = forward(
            pair,
            source=source,
            object_name=object_name,
            records=records,
            where=where,
            related=related,
            clock=workspace.clock,
            progress=progress,
        )
        moved = Moved(connection=found.desired.name, objects=done.objects, seconds=time.monotonic() - started)
        return ForwardReport(moved=moved, asked=done.asked, along=done.along, restored=done.restored)


def show_sharing(workspace: Workspace, record: str, connection: str | None = None) -> list[Share]:
    """Where a record is shared, as the orgs of the manifests see it; of one connection, or of all (FWD-4).

    Raises UsageError where no org has the record, PermissionDeniedError where who acts there may not read it.
    """
    full = full_id(record)
    desired = workspace.desired()
    names = sorted(desired.connections) if connection is None else [pick_connection(desired, connection).name]
    found: dict[tuple[str, str], Share] = {}
    looked: set[str] = set()
    known = False
    for name in names:
        with open_connection(workspace, name, readonly=True) as ends:
            for side in Side:
                org = ends.org(side)
                looked.add(org.label)
                with org.snapshot():
                    object_name = object_of(org, full)
                    if object_name is None:
                        continue
                    known = True
                    require_read(org, ends.admins[side], object_name)
                    for item in shares(org, object_name, full):
                        if item.connection == name:
                            cut = severed_there(ends.org(side.other), name, item.partner_record)
                            found[item.org, name] = replace(item, status="Severed") if cut else item
    if not known:
        raise UsageError(
            f"none of {', '.join(sorted(looked)) or 'the orgs'} has a record {full}",
            hint="give the Id that the record has in one of these orgs",
        )
    return [found[key] for key in sorted(found)]
