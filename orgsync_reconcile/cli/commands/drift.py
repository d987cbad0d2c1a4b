"""`orgsync drift`."""

from __future__ import annotations

import click

from orgsync_reconcile.app.drift import find_drift
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import ExitCode
from orgsync_reconcile.plan import render_drift_markdown, render_drift_text


@leaf(formats=("text", "json", "markdown"))
@click.argument("connections", nargs=-1, metavar="[CONNECTION]...")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where something was changed by hand.")
@pass_session
def command(session: Session, connections: tuple[str, ...], detailed_exitcode: bool) -> ExitCode:
    """Show what was changed by hand in the orgs, apart from what Git changed.

    Compares three things: what was applied last, what the manifests say, and what the orgs have. So each difference is
    somebody's: of a person who changed an org, or of Git. Settings, owner, publications, subscriptions and suspensions
    are looked at, and the metadata of the secondary. Nothing is changed; orgsync apply puts all of it right, unattended runs what the
    manifest's drift policy says.

    Examples:
      orgsync drift
      orgsync drift acme-dr --detailed-exitcode
      orgsync drift --format markdown > comment.md
    """
    report = find_drift(session.workspace(), connections)
    if session.format == "json":
        session.show_json(report.document())
    elif session.format == "markdown":
        session.show(render_drift_markdown(report).rstrip("\n"))
    else:
        session.show(render_drift_text(report, width=session.width, style=session.style))
    return ExitCode.CHANGES if detailed_exitcode and report.found else ExitCode.OK
