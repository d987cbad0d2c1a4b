"""`orgsync failover status`."""

from __future__ import annotations

from typing import Any

from orgsync_reconcile.app.failover import show_failover
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import shown_time, table, visible
from orgsync_reconcile.cli.options import connection_argument
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.clock import iso
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.operations.readiness import Status
from orgsync_reconcile.sync.lag import DirectionLag

_HEADS = ("OBJECT", "PENDING", "RETRYING", "FAILED", "WAITING", "OLDEST (S)")


@leaf(formats=("text", "json", "markdown"))
@connection_argument
@pass_session
def command(session: Session, connection: str | None) -> None:
    """Show where users are sent, and how far each org is behind.

    For each direction and object: records that are queued, retrying and failed, lookups that wait for their record, and
    the age of the oldest change that was not sent, in seconds. Works while one of the orgs is away.

    Examples:
      orgsync failover status
      orgsync failover status acme-dr --format json
    """
    found = show_failover(session.workspace(), connection)
    if session.format == "json":
        session.show_json(_document(found))
        return
    routing = found.routing
    chosen = f"chosen {shown_time(routing.since)} UTC by {routing.actor}" if routing.chosen else "as long as it is up"
    session.show(visible(f"Users are sent to {found.names[routing.target]} ({chosen})."))
    if routing.banner:
        session.show(visible(f"Banner: {routing.banner}"))
    if routing.window_from:
        session.show(f"Window: {shown_time(routing.window_from)} to {shown_time(routing.window_to)} UTC")
    if routing.unfinished.to:
        session.show(f"Emails not sent yet: {len(routing.unfinished.to):,}")
    verified = f"{found.verified:%Y-%m-%d %H:%M:%S} UTC" if found.verified else "never"
    session.show(f"Both orgs last seen to agree: {verified}")
    for side in Side:
        session.show("")
        _direction(session, found, side)


def _direction(session: Session, found: Status, side: Side) -> None:
    way = visible(f"{found.names[side]} → {found.names[side.other]}")
    lag = found.lags[side]
    if lag is None:
        why = found.away.get(side, "not connected")
        session.show(f"{session.style('heading', way)}: unknown, {visible(why)}")
        return
    away = "; as far as it knows, the other org is away" if side.other in found.away else ""
    session.show(f"{session.style('heading', way)}: {_summary(lag)}{away}")
    rows = [
        (o.object, o.pending, o.retrying, o.failed, o.waiting, "" if o.oldest is None else f"{o.oldest:,.0f}")
        for o in lag.objects
    ]
    if rows:
        session.show(table(session, _HEADS, rows, empty=""))


def _summary(lag: DirectionLag) -> str:
    if not lag.behind:
        return f"{lag.status.shown}, not behind"
    age = "" if lag.oldest is None else f", {counted(round(lag.oldest), 'second')}"
    return f"{lag.status.shown}, behind by {counted(lag.behind, 'record')}{age}"


def _document(found: Status) -> dict[str, Any]:
    routing = found.routing
    return {
        "connection": found.connection,
        "target": routing.target.value,
        "chosen": routing.chosen,
        "since": routing.since or None,
        "by": routing.actor or None,
        "banner": routing.banner or None,
        "window": {"from": routing.window_from, "to": routing.window_to} if routing.window_from else None,
        "unfinished": {"mail": len(routing.unfinished.to), "sso": routing.unfinished.sso},
        "verified": iso(found.verified) if found.verified else None,
        **{side.value: _lag_document(found, side) for side in Side},
    }


def _lag_document(found: Status, side: Side) -> dict[str, Any]:
    lag = found.lags[side]
    if lag is None:
        return {
            "org": found.names[side],
            "away": found.away.get(side),
            "behind": None,
            "seconds": None,
            "objects": None,
        }
    return {
        "org": lag.org,
        "away": None,
        "status": lag.status.shown,
        "behind": lag.behind,
        "seconds": lag.oldest,
        "objects": [
            {
                "object": item.object,
                "pending": item.pending,
                "retrying": item.retrying,
                "failed": item.failed,
                "waiting": item.waiting,
                "seconds": item.oldest,
            }
            for item in lag.objects
        ],
    }
