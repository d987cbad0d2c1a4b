"""`orgsync log list`."""

from __future__ import annotations

from dataclasses import asdict

import click

from orgsync_reconcile.app.status import list_log
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import shown_time, table
from orgsync_reconcile.cli.options import connection_argument
from orgsync_reconcile.cli.session import Session, pass_session

_HEADS = ("ORG", "ENTRY", "OBJECT", "RECORD", "EVENT", "STATUS", "AT (UTC)", "ERROR")


@leaf(formats=("text", "json", "markdown"))
@connection_argument
@click.option(
    "--status",
    "state",
    type=click.Choice(["retrying", "failed", "resolved"], case_sensitive=False),
    help="Only entries in this state.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, metavar="N", help="At most N entries."
)
@pass_session
def command(session: Session, connection: str | None, state: str | None, limit: int) -> None:
    """List the newest entries of both orgs' logs.

    A record gets one entry when it is first refused, and one when that ended: resolved, or failed for good.

    Examples:
      orgsync log list acme-dr
      orgsync log list acme-dr --status failed
    """
    entries = list_log(session.workspace(), connection, state=state or "", limit=limit)
    if session.format == "json":
        session.show_json({"entries": [asdict(entry) for entry in entries]})
        return
    rows = [
        (e.org, str(e.number), e.object, e.record, e.event, e.status, shown_time(e.at), e.error_code) for e in entries
    ]
    session.show(table(session, _HEADS, rows, empty=f"No entry is {state}." if state else "The log is empty."))
    if entries:
        session.note("One entry in full: orgsync log show ENTRY")
