"""`orgsync org enable`."""

from __future__ import annotations

import click

from orgsync_reconcile.app.orgs import enable_features
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.session import Session, pass_session


@leaf(formats=("text", "json"))
@click.argument("org")
@click.argument("features", nargs=-1, required=True, metavar="FEATURE...")
@pass_session
def command(session: Session, org: str, features: tuple[str, ...]) -> None:
    """Switch features of an org on.

    ORG is a store's address, or an org of the manifests. Features are those of `orgsync org create`; one that is on
    already stays on.

    Examples:
      orgsync org enable acme audit-field-creation
      orgsync org enable sqlite:orgs/acme.db feed-tracking duplicate-management
    """
    switched = enable_features(session.workspace(), org, features)
    if session.format == "json":
        session.show_json({"org": org, "enabled": list(switched)})
    else:
        session.show(f"Switched on: {', '.join(switched)}." if switched else "All of them were on already.")
