"""`orgsync show`."""

from __future__ import annotations

from pathlib import Path

import click

from orgsync_reconcile.app.planning import read_plan, stale
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.plans import plan_text
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import ExitCode, OrgsyncError
from orgsync_reconcile.plan import to_json


@leaf(formats=("text", "json", "markdown"))
@click.argument("file")
@click.option("--full", is_flag=True, help="In text, every attribute of every action, and none cut.")
@pass_session
def command(session: Session, file: str, full: bool) -> ExitCode:
    """Show a saved plan, and whether it is stale.

    Stale means that planning now gives other actions: apply would refuse the file. What moved is told: actions that are
    new, gone, or differ, and manifests that changed; in JSON under `staleness`. Exits with 4 where it is stale.

    Example:
      orgsync show plan.json
    """
    workspace = session.workspace()
    saved = read_plan(workspace, Path(file))
    if session.format != "json":
        session.show(plan_text(session, saved, full=full))
    try:
        moved = stale(workspace, saved)
    except OrgsyncError as error:
        if session.format == "json":
            session.show(to_json(saved, staleness={"stale": None, "moved": []}).rstrip("\n"))
        session.note(f"Whether it is stale cannot be told: {error}")
        return ExitCode.OK
    if session.format == "json":
        session.show(to_json(saved, staleness={"stale": bool(moved), "moved": moved}).rstrip("\n"))
    if not moved:
        session.note("The plan still holds.")
        return ExitCode.OK
    session.complain(f"{session.style_error('warning', 'stale:')} plan again; since it was saved")
    for line in moved:
        session.complain(f"  {line}")
    return ExitCode.STALE_PLAN
