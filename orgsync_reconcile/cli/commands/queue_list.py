"""`orgsync queue list`."""

from __future__ import annotations

from dataclasses import asdict

import click

from orgsync_reconcile.app.status import show_queue
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import shown_time, table
from orgsync_reconcile.cli.options import connection_argument
from orgsync_reconcile.cli.session import Session, pass_session

_HEADS = ("ORG", "ACTION", "OBJECT", "RECORD", "QUEUED (UTC)", "TRIES", "NEXT TRY", "ERROR")


@leaf(formats=("text", "json", "markdown"))
@connection_argument
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, metavar="N", help="At most N per org."
)
@pass_session
def command(session: Session, connection: str | None, limit: int) -> None:
    """List what waits to be sent.

    Each org has a queue of what it has to send. Records that the other org refused come first, with the time of
    their next try. Several changes of one record are one item.

    Examples:
      orgsync queue list acme-dr
      orgsync queue list acme-dr --limit 10 --format json
    """
    items = show_queue(session.workspace(), connection, limit=limit)
    if session.format == "json":
        session.show_json({"items": [asdict(item) for item in items]})
        return
    held = any(item.attempts for item in items)
    rows = [
        (item.org, item.action, item.object, item.record, shown_time(item.queued_at))
        + ((item.attempts, shown_time(item.next_retry), item.error) if held else ())
        for item in items
    ]
    session.show(table(session, _HEADS if held else _HEADS[:5], rows, empty="Nothing waits to be sent."))
    if len(items) >= limit:
        session.note("There may be more: see orgsync status, or choose a larger --limit.")
