"""`orgsync history`."""

from __future__ import annotations

import click

from orgsync_reconcile.app.status import list_history
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.happened import happened
from orgsync_reconcile.cli.layout import shown_time, table
from orgsync_reconcile.cli.options import connection_argument
from orgsync_reconcile.cli.session import Session, pass_session

_HEADS = ("AT (UTC)", "ORG", "EVENT", "WHO", "WHAT")


@leaf(formats=("text", "json", "markdown"))
@connection_argument
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, metavar="N", help="At most N rows.")
@pass_session
def command(session: Session, connection: str | None, limit: int) -> None:
    """List what happened to a connection, newest first.

    Status changes, publications and subscriptions, suspensions, and metadata that failed, of both orgs.

    Example:
      orgsync history acme-dr --limit 20
    """
    rows = list_history(session.workspace(), connection, limit=limit)
    if session.format == "json":
        session.show_json({"history": rows})
        return
    lines = [(shown_time(row["at"]), row["org"], row["event"], row["actor"], happened(row)) for row in rows]
    session.show(table(session, _HEADS, lines, empty="Nothing has happened yet."))
