"""The connection's page: status, queue, log, history of the connections in the manifests (CON-12)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Any

from orgsync_reconcile.app.reach import Reached, open_ends
from orgsync_reconcile.app.workspace import Workspace, pick_connection
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.records import LogEntry, QueueItem
from orgsync_reconcile.sync import status as readers
from orgsync_reconcile.sync.status import Ends


@contextmanager
def _ends(workspace: Workspace, name: str | None) -> Iterator[tuple[str, Ends]]:
    """A connection's name and its two orgs, each as it is at one moment; None for one that cannot be reached."""
    with _reached(workspace, name) as reached:
        yield reached.desired.name, _by_side(reached)


@contextmanager
def _reached(workspace: Workspace, name: str | None) -> Iterator[Reached]:
    with open_ends(workspace, name, readonly=True) as reached, ExitStack() as moments:
        for org in reached.orgs.values():
            moments.enter_context(org.snapshot())
        yield reached


def _by_side(reached: Reached) -> Ends:
    return {side: reached.orgs.get(side) for side in Side}


def show_status(workspace: Workspace, name: str | None) -> dict[str, Any]:
    """The `status` document of one connection, or of all in the manifests."""
    desired = workspace.desired()
    names = sorted(desired.connections) if name is None else [pick_connection(desired, name).name]
    connections = []
    for each in names:
        with _reached(workspace, each) as reached:
            down = {side: error.message for side, error in reached.down.items()}
            page = readers.status(reached.desired.name, _by_side(reached), now=workspace.clock(), down=down)
            connections.append({**page, **readers.latest(reached.desired.name, _by_side(reached))})
    return {"connections": connections}


def show_queue(workspace: Workspace, name: str | None, *, limit: int | None) -> list[QueueItem]:
    """What waits to be sent; `limit` is per org."""
    with _ends(workspace, name) as (connection, ends):
        return readers.queue(connection, ends, limit=limit)


def count_waiting(workspace: Workspace, name: str | None) -> int:
    """How many records wait in the queues of both orgs, for their turn or for their next try (QUE-1)."""
    with _ends(workspace, name) as (connection, ends):
        page = readers.status(connection, ends, now=workspace.clock())
    queues = [page[side.value]["queue"] for side in Side if page[side.value]]
    return sum(queue["pending"] + queue["retrying"] for queue in queues)


def list_log(workspace: Workspace, name: str | None, *, state: str, limit: int) -> list[LogEntry]:
    """The newest entries of both orgs' logs."""
    with _ends(workspace, name) as (connection, ends):
        return readers.log_entries(connection, ends, state=state, limit=limit)


def show_log_entry(workspace: Workspace, name: str | None, side: Side, number: int) -> LogEntry:
    """One entry of one org's log. Raises OrgsyncError where there is none."""
    with _ends(workspace, name) as (_, ends):
        return readers.log_entry(ends, side, number)


def list_history(workspace: Workspace, name: str | None, *, limit: int) -> list[dict[str, Any]]:
    """The newest rows of both orgs' histories, as plain data with the org's name."""
    with _ends(workspace, name) as (connection, ends):
        return [{"org": org, **asdict(entry)} for org, entry in readers.history(connection, ends, limit=limit)]
