"""`orgsync suspend`."""

from __future__ import annotations

import click

from orgsync_reconcile.app.lifecycle import suspend
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.options import SIDE, chosen_sides, connection_argument
from orgsync_reconcile.cli.session import Session, pass_session


@leaf()
@connection_argument
@click.option("--org", "side", type=SIDE, help="Only this end; by default both.")
@pass_session
def command(session: Session, connection: str | None, side: str | None) -> None:
    """Stop sending over a connection; changes go on queueing.

    Plans report this as drift, and no apply resumes it: only `orgsync resume` does. To suspend by manifest, set
    `state: suspended` instead.

    Examples:
      orgsync suspend acme-dr
      orgsync suspend acme-dr --org primary
    """
    states, warnings = suspend(session.workspace(), connection, chosen_sides(side))
    for org, state in states.items():
        session.show(f"{org}: {state}")
    for warning in warnings:
        session.note(f"{session.style_error('warning', 'warning:')} {warning}")
