"""`orgsync show`."""

from __future__ import annotations

from pathlib import Path

import click

from orgsync_reconcile.app.planning import read_plan, stale
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.plans import plan_text
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import ExitCode, OrgsyncError


@leaf(formats=("text", "json", "markdown"))
@click.argument("file")
@pass_session
def command(session: Session, file: str) -> ExitCode:
    """Show a saved plan, and whether it is stale.

    Stale means that planning now gives other actions: apply would refuse the file. Exits with 4 where it is.

    Example:
      orgsync show plan.json
    """
    workspace = session.workspace()
    saved = read_plan(workspace, Path(file))
    session.show(plan_text(session, saved))
    try:
        moved = stale(workspace, saved)
    except OrgsyncError as error:
        session.note(f"Whether it is stale cannot be told: {error}")
        return ExitCode.OK
    if not moved:
        session.note("The plan still holds.")
        return ExitCode.OK
    session.complain(f"{session.style_error('warning', 'stale:')} plan again; since it was saved")
    for line in moved:
        session.complain(f"  {line}")
    return ExitCode.STALE_PLAN
