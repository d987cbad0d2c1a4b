"""`orgsync org rename`."""

from __future__ import annotations

import click

from orgsync_reconcile.app.orgs import rename
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.session import Session, pass_session


@leaf()
@click.argument("org")
@click.argument("old")
@click.argument("new")
@pass_session
def command(session: Session, org: str, old: str, new: str) -> None:
    """Rename a custom field or object of an org.

    ORG is a store's address, or an org of the manifests. Records, links and publications stay as they are. Linked orgs
    are told: a subscription follows the new name where they have it too, and what is renamed does not sync until then,
    so rename it in both orgs before the next drain, and in the manifests. What changes meanwhile is brought by
    `orgsync verify --repair`.

    Examples:
      orgsync org rename acme Account.Region__c Account.Sales_Region__c
      orgsync org rename sqlite:orgs/acme-dr.db Property__c Building__c
    """
    before, after = rename(session.workspace(), org, old, new)
    session.show(f"{before} is now {after}")
