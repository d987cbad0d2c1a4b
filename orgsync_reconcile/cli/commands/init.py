"""`orgsync init`."""

from __future__ import annotations

import shlex

import click

from orgsync_reconcile.app.starter import PIPELINES, StarterNames, init
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.session import Session, pass_session

_NAMES = StarterNames()


@leaf()
@click.option("--primary", metavar="NAME", default=_NAMES.primary, show_default=True, help="The primary org.")
@click.option("--secondary", metavar="NAME", default=_NAMES.secondary, show_default=True, help="The secondary org.")
@click.option("--connection", metavar="NAME", default=_NAMES.connection, show_default=True, help="Their connection.")
@click.option("--admin", metavar="USERNAME", default=_NAMES.admin, show_default=True, help="Who acts in the primary.")
@click.option(
    "--ci", type=click.Choice([*PIPELINES, "none"]), default="none", help="Add a pipeline that checks changes."
)
@pass_session
def command(session: Session, primary: str, secondary: str, connection: str, admin: str, ci: str) -> None:
    """Write a commented starter set of manifests.

    Nothing is overwritten. The set describes two orgs and a connection between them; edit stores and objects, then
    check it with `orgsync validate`. The pipeline checks form, errors and advice of every change.

    Examples:
      orgsync init
      orgsync init --primary harbour --secondary standby --connection dr --ci github
    """
    names = StarterNames(primary=primary, secondary=secondary, connection=connection, admin=admin)
    for path in init(session.workspace(), names, None if ci == "none" else ci):
        session.show(str(path))
    folder = [] if session.manifests == Session.manifests else ["-m", session.manifests]
    session.note(f"Edit these, then check them: {shlex.join(['orgsync', *folder, 'validate'])}")
