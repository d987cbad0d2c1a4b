"""`orgsync failover stop`."""

from __future__ import annotations

import click

from orgsync_reconcile.app.failover import stop
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.options import connection_argument
from orgsync_reconcile.cli.session import Session, confirm, pass_session
from orgsync_reconcile.cli.switched import show_switch
from orgsync_reconcile.errors import ExitCode
from orgsync_reconcile.model.connection import Side


@leaf(formats=("text", "json"))
@connection_argument
@click.option("--force", is_flag=True, help="Even if changes have not arrived, or an org is away.")
@click.option("--no-mail", is_flag=True, help="Write to nobody.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@pass_session
def command(session: Session, connection: str | None, force: bool, no_mail: bool, yes: bool) -> ExitCode:
    """Send users back to the primary, once their changes are there.

    What is queued is sent first. Where something that users did in the secondary has not arrived in the primary,
    nothing is switched and this exits with 3, unless --force is given.

    Examples:
      orgsync failover stop acme-dr
      orgsync failover stop acme-dr --yes --force
    """
    if not yes:
        confirm(session, "failover stop", "Send all users back to the primary now?")
    outcome = stop(session.workspace(), connection, mail=not no_mail, force=force)
    already = "" if outcome.switch.done else " already"
    return show_switch(session, outcome, f"Users are{already} sent to {outcome.reach_names[Side.PRIMARY]}.")
