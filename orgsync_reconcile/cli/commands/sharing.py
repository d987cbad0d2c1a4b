"""`orgsync sharing`."""

from __future__ import annotations

from dataclasses import asdict

import click

from orgsync_reconcile.app.forward import show_sharing
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import shown_time, table
from orgsync_reconcile.cli.session import Session, pass_session

_HEADS = ("ORG", "CONNECTION", "OBJECT", "STATUS", "SINCE (UTC)", "DIRECTION", "PARTNER", "PARTNER'S RECORD")


@leaf(formats=("text", "json", "markdown"))
@click.argument("record", metavar="ID")
@click.option("--connection", metavar="NAME", help="Only this connection; by default all in the manifests.")
@pass_session
def command(session: Session, record: str, connection: str | None) -> None:
    """Show the connections that a record is in.

    Active records are kept in step. Disconnected ones left the connection with their object. A severed one was
    undeleted where changes only arrive: nothing flows to it until it is forwarded. Retrying and failed ones were
    refused, the log says why. Who acts in the org must be allowed to read the record.

    Example:
      orgsync sharing 001a0b000000001AAA
    """
    found = show_sharing(session.workspace(), record, connection)
    if session.format == "json":
        session.show_json({"shares": [asdict(item) for item in found]})
        return
    rows = [
        (
            item.org,
            item.connection,
            item.object,
            item.status,
            shown_time(item.since) or "-",
            item.direction or "-",
            item.partner_org,
            item.partner_record or "-",
        )
        for item in found
    ]
    session.show(table(session, _HEADS, rows, empty="The record's object is in no connection."))
