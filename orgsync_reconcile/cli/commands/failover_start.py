"""`orgsync failover start`."""

from __future__ import annotations

import click

from orgsync_reconcile.app.failover import start
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.options import connection_argument
from orgsync_reconcile.cli.session import Session, confirm, pass_session
from orgsync_reconcile.cli.switched import show_switch
from orgsync_reconcile.errors import ExitCode
from orgsync_reconcile.model.connection import Side


@leaf(formats=("text", "json"))
@connection_argument
@click.option("--no-mail", is_flag=True, help="Write to nobody.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@pass_session
def command(session: Session, connection: str | None, no_mail: bool, yes: bool) -> ExitCode:
    """Send users to the secondary, with banner, email and SSO hook.

    serve-redirect follows within seconds, and stays there whatever its health checks say. The banner stands in the
    secondary (table orgsync_failover), both orgs' histories have the switch. Only the secondary has to be there. Needs
    a document of kind Failover. Exits with 5 where an email or the hook failed: run it again to tell those who were
    missed.

    Examples:
      orgsync failover start acme-dr
      orgsync failover start acme-dr --yes --no-mail
    """
    if not yes:
        confirm(session, "failover start", "Send all users to the secondary now?")
    outcome = start(session.workspace(), connection, mail=not no_mail)
    already = "" if outcome.switch.done else " already"
    return show_switch(session, outcome, f"Users are{already} sent to {outcome.reach_names[Side.SECONDARY]}.")
