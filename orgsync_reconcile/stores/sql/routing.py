"""An org's row about where a connection's users are sent; its banner is there for the org's own pages and triggers (RTE-1)."""

from __future__ import annotations

import json

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.errors import StoreBusyError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.routing import Routing, Unfinished
from orgsync_reconcile.stores.sql.history import record_event
from orgsync_reconcile.stores.sql.org import Org


def read_routing(org: Org, connection: str) -> Routing | None:
    """What this org knows; None where users were never sent elsewhere. A row that makes no sense counts as none."""
    with org.translated():
        row = org.db.execute(
            "SELECT serial, target, banner, since, actor, window_from, window_to, unfinished FROM orgsync_failover"
            " WHERE connection = ?",
            [connection],
        ).fetchone()
    if row is None:
        return None
    try:
        unfinished = json.loads(row[7])
        return Routing(
            connection=connection,
            serial=int(row[0]),
            target=Side(row[1]),
            banner=str(row[2]),
            since=str(row[3]),
            actor=str(row[4]),
            window_from=str(row[5]),
            window_to=str(row[6]),
            unfinished=Unfinished(
                letter=str(unfinished.get("letter", "")),
                to=tuple(map(str, unfinished.get("to", ()))),
                sso=bool(unfinished.get("sso")),
            ),
        )
    except (ValueError, TypeError, AttributeError):
        return None


def write_routing(org: Org, routing: Routing, event: str, detail: str, *, actor: str, clock: Clock) -> None:
    """Keeps a new routing, with its row in the connection history.

    Raises StoreBusyError where somebody else has written a newer one meanwhile.
    """
    with org.transaction():
        known = read_routing(org, routing.connection)
        if known is not None and known.serial >= routing.serial:
            raise StoreBusyError(
                f"somebody else has changed where users of {routing.connection} are sent, just now",
                where=org.label,
                hint=f"look at it with orgsync failover status {routing.connection}, and run this again",
            )
        _write(org, routing)
        record_event(org, routing.connection, event, detail, actor=actor, clock=clock)


def write_progress(org: Org, routing: Routing) -> None:
    """Keeps what is unfinished; nothing where the org's row is about another switch."""
    with org.transaction():
        known = read_routing(org, routing.connection)
        if known is not None and known.serial == routing.serial:
            _write(org, routing)


def _write(org: Org, routing: Routing) -> None:
    unfinished = routing.unfinished
    org.db.execute(
        "INSERT INTO orgsync_failover"
        " (connection, serial, target, banner, since, actor, window_from, window_to, unfinished)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (connection) DO UPDATE SET serial = ?2, target = ?3,"
        " banner = ?4, since = ?5, actor = ?6, window_from = ?7, window_to = ?8, unfinished = ?9",
        [
            routing.connection,
            routing.serial,
            routing.target.value,
            routing.banner,
            routing.since,
            routing.actor,
            routing.window_from,
            routing.window_to,
            json.dumps({"letter": unfinished.letter, "to": list(unfinished.to), "sso": unfinished.sso}),
        ],
    )
