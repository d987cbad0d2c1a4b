"""`orgsync log show`."""

from __future__ import annotations

from dataclasses import asdict

import click

from orgsync_reconcile.app.status import show_log_entry
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import visible
from orgsync_reconcile.cli.options import SIDE
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.model.connection import Side


@leaf(formats=("text", "json"))
@click.argument("entry", type=click.IntRange(min=1))
@click.option("--org", "side", type=SIDE, default="primary", show_default=True, help="Whose log it is.")
@click.option("--connection", metavar="NAME", help="Where the manifests have several connections.")
@pass_session
def command(session: Session, entry: int, side: str, connection: str | None) -> None:
    """Show one entry in full.

    Each org numbers its own entries; `orgsync log list` shows them.

    Example:
      orgsync log show 12 --org secondary
    """
    found = show_log_entry(session.workspace(), connection, Side(side), entry)
    if session.format == "json":
        session.show_json(asdict(found))
        return
    for name, value in asdict(found).items():
        session.show(f"{name.replace('_', ' '):<12} {visible(str(value)) or '-'}")
