"""The redirect service of a connection: its server, and what keeps it informed (RTE-1)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from orgsync_reconcile.app.failover import open_ends
from orgsync_reconcile.app.workspace import Workspace, pick_connection
from orgsync_reconcile.clock import iso
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.routing import Routing
from orgsync_reconcile.operations.failover import current
from orgsync_reconcile.operations.failover_settings import failover_settings
from orgsync_reconcile.operations.health import Watch
from orgsync_reconcile.operations.redirect import choose
from orgsync_reconcile.operations.redirect_server import RedirectServer, State

#: How often the orgs are asked where users are sent, in seconds.
LOOK = 1.0


@contextmanager
def redirect_service(
    workspace: Workspace, name: str | None, *, host: str, port: int, log: Callable[[dict[str, Any]], None]
) -> Iterator[RedirectServer]:
    """A server that listens and answers while the block lasts; port 0 takes a free one.

    The manifests are read once. What somebody chose is read from the orgs again and again; while neither can be read,
    what was known last holds. Raises UsageError for a connection without a Failover document, and for an address that
    cannot be listened on.
    """
    desired = workspace.desired()
    chosen = pick_connection(desired, name)
    connection = chosen.name
    settings = failover_settings(desired, connection)
    names = {Side.PRIMARY: chosen.primary, Side.SECONDARY: chosen.secondary}

    def read() -> Routing | None:
        """Where users are sent by the orgs that can be read; None where none can."""
        try:
            with open_ends(workspace, desired, chosen, readonly=True) as reach:
                return current(reach, connection)
        except OrgsyncError:
            return None

    known = [read() or Routing(connection=connection)]
    watch = Watch(
        settings,
        lambda side, up: log({"at": iso(workspace.clock()), "org": names[side], "event": "up" if up else "down"}),
    )

    def state() -> State:
        up = {side: watch.up(side) for side in Side}
        choice = choose(known[0], primary_up=up[Side.PRIMARY], secondary_up=up[Side.SECONDARY])
        return State(routing=known[0], choice=choice, up=up)

    ended = threading.Event()

    def look() -> None:
        while not ended.wait(LOOK):
            known[0] = read() or known[0]

    def ask() -> None:
        while not ended.wait(settings.check.every):
            watch.ask()

    with RedirectServer((host, port), settings, names, state, log, workspace.clock) as server:
        watch.ask()
        threads = [threading.Thread(target=work, daemon=True) for work in (look, ask, server.serve_forever)]
        for thread in threads:
            thread.start()
        try:
            yield server
        finally:
            ended.set()
            server.shutdown()
            for thread in threads:
                thread.join(timeout=settings.check.timeout + LOOK + 1)
