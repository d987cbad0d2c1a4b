"""`orgsync metadata sync`."""

from __future__ import annotations

import click

from orgsync_reconcile.app.on_demand import sync_metadata
from orgsync_reconcile.app.planning import Choice
from orgsync_reconcile.apply import ActionOutcome
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import visible
from orgsync_reconcile.cli.options import allowance, connection_argument
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.model.plan import Action
from orgsync_reconcile.model.wording import counted


@leaf()
@connection_argument
@click.option(
    "--allow", "allow", multiple=True, type=allowance, metavar="GUARD[=N]", help="Let a guard pass; repeatable."
)
@pass_session
def command(session: Session, connection: str | None, allow: tuple[tuple[str, float | None], ...]) -> None:
    """Bring the secondary's metadata in step now.

    Carries out the metadata part of the plan without asking. Failures go to the connection history and the sync log
    at once; the other components go on. Exits with 5 where one failed.

    Example:
      orgsync metadata sync acme-dr
    """

    def progress(action: Action, outcome: ActionOutcome | None) -> None:
        if outcome is not None:
            why = f": {outcome.message}" if outcome.message else ""
            session.show(visible(f"  {outcome.status.value:<6} {action.op} {action.address}{why}"))

    done = sync_metadata(session.workspace(), connection, choice=Choice(allow=dict(allow)), progress=progress)
    if done.report is None:
        session.show("The metadata is in step.")
    else:
        session.show(f"{counted(len(done.report.outcomes), 'action')}: {done.report.summary}.")
    if done.plan.manual:
        session.note(f"{counted(len(done.plan.manual), 'task')} to do by hand: see orgsync plan")
    if done.report is not None and done.report.failure is not None:
        raise done.report.failure
