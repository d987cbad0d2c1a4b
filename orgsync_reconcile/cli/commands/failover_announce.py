"""`orgsync failover announce`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from orgsync_reconcile.app.failover import announce
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.options import connection_argument
from orgsync_reconcile.cli.session import Session, confirm, pass_session
from orgsync_reconcile.cli.switched import show_switch
from orgsync_reconcile.errors import ExitCode


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no moment such as 2026-01-31T22:00:00Z") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


@leaf(formats=("text", "json"))
@connection_argument
@click.option("--from", "begin", type=_moment, required=True, metavar="MOMENT", help="When the window begins, UTC.")
@click.option("--to", "end", type=_moment, required=True, metavar="MOMENT", help="When it ends, UTC.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@pass_session
def command(session: Session, connection: str | None, begin: datetime, end: datetime, yes: bool) -> ExitCode:
    """Tell users of a window ahead of time, by email.

    The email names the window, the secondary's address, and that logins differ there; the page of serve-redirect shows
    the window too. Nothing is switched: run failover start when the window begins. The same window again writes only to
    those who were missed, which is when this exits with 5.

    Example:
      orgsync failover announce acme-dr --from 2026-01-31T22:00 --to 2026-02-01T02:00
    """
    if not yes:
        confirm(session, "failover announce", f"Write to users of a window from {begin:%Y-%m-%d %H:%M} UTC?")
    outcome = announce(session.workspace(), connection, begin, end)
    headline = "The window is announced." if outcome.switch.done else "The window was announced before."
    return show_switch(session, outcome, headline, checklist=False)
