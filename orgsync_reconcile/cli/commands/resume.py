"""`orgsync resume`."""

from __future__ import annotations

import click

from orgsync_reconcile.app.lifecycle import resume
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.options import SIDE, chosen_sides, connection_argument
from orgsync_reconcile.cli.session import Session, pass_session


@leaf()
@connection_argument
@click.option("--org", "side", type=SIDE, help="Only this end; by default both.")
@pass_session
def command(session: Session, connection: str | None, side: str | None) -> None:
    """Let a suspended connection send again.

    What was queued meanwhile is sent by the next drain.

    Example:
      orgsync resume acme-dr
    """
    for org, state in resume(session.workspace(), connection, chosen_sides(side)).items():
        session.show(f"{org}: {state}")
    session.note("Send what was queued: orgsync drain")
