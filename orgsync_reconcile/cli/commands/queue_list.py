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
#: Stands before the last three where there is anything to say.
_DETAIL = "WHAT"


@leaf(formats=("text", "json", "markdown"))
@connection_argument
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, metavar="N", help="At most N per org."
)
@pass_session
def command(session: Session, connection: str | None, limit: int) -> None:
    """List what waits to be sent.

    Each org has a queue of what it has to send. What happened to the connection or to what is published comes first,
    then records that the other org refused, with the time of their next try, then changes in their order. Several
    changes of one record are one item. Missing Partner ID stands for a record whose parent or user is not known yet.

    Examples:
      orgsync queue list acme-dr
      orgsync queue list acme-dr --limit 10 --format json
    """
    items = show_queue(session.workspace(), connection, limit=limit)
    if session.format == "json":
        session.show_json({"items": [asdict(item) for item in items]})
        return
    held, told = any(item.attempts for item in items), any(item.detail for item in items)
    heads = (*_HEADS[:5], *((_DETAIL,) if told else ()), *(_HEADS[5:] if held else ()))
    rows = [
        (
            *(item.org, item.action, item.object, item.record, shown_time(item.queued_at)),
            *((item.detail,) if told else ()),
            *((item.attempts, shown_time(item.next_retry), item.error) if held else ()),
        )
        for item in items
    ]
    session.show(table(session, heads, rows, empty="Nothing waits to be sent."))
    if len(items) >= limit:
        session.note("There may be more: see orgsync status, or choose a larger --limit.")
