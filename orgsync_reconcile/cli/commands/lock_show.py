"""`orgsync lock show`."""

from __future__ import annotations

from dataclasses import asdict

from orgsync_reconcile.app.locks import show
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import shown_time, table
from orgsync_reconcile.cli.options import connection_argument
from orgsync_reconcile.cli.session import Session, pass_session

_HEADS = ("LOCK", "HOLDER", "HOST", "PROCESS", "SINCE (UTC)", "STATE")


@leaf(formats=("text", "json"))
@connection_argument
@pass_session
def command(session: Session, connection: str | None) -> None:
    """Show who holds a lock.

    Example:
      orgsync lock show acme-dr
    """
    found = show(session.workspace(), connection)
    if session.format == "json":
        session.show_json({"locks": [{**asdict(item), "dead": item.dead} for item in found]})
        return
    rows = [
        (item.name, item.holder, item.host, str(item.pid), shown_time(item.at), "gone" if item.dead else "held")
        for item in found
    ]
    session.show(table(session, _HEADS, rows, empty="Nobody holds a lock."))
