"""`orgsync org create`."""

from __future__ import annotations

import click

from orgsync_reconcile.app.orgs import create
from orgsync_reconcile.catalog.orgs import EDITIONS, ORG_TYPES
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.model.wording import counted


@leaf(formats=("text", "json"))
@click.argument("url")
@click.option("--name", required=True, metavar="NAME", help="The org's name.")
@click.option(
    "--edition",
    default="enterprise",
    show_default=True,
    metavar=f"[{'|'.join(EDITIONS)}]",
    help="The same for both orgs.",
)
@click.option(
    "--type", "org_type", default="production", show_default=True, metavar=f"[{'|'.join(ORG_TYPES)}]", help="Its type."
)
@click.option("--admin", default="", metavar="USERNAME", help="The administrator; by default admin@NAME.example.")
@click.option("--enable", "features", multiple=True, metavar="FEATURE", help="A feature to switch on; repeatable.")
@click.option("--license", "licenses", multiple=True, metavar="NAME=N", help="User licences; repeatable.")
@click.option("--namespace", default="", metavar="PREFIX", help="The namespace that the org owns.")
@pass_session
def command(
    session: Session,
    url: str,
    name: str,
    edition: str,
    org_type: str,
    admin: str,
    features: tuple[str, ...],
    licenses: tuple[str, ...],
    namespace: str,
) -> None:
    """Make an embedded org.

    An org is one SQLite file, or one schema of a PostgreSQL database, with the standard objects as tables, which any SQL
    client can read and write.

    Features are audit-field-creation, duplicate-management, feed-tracking, person-accounts and
    salesforce-to-salesforce. The plan of a connection switches the last one on by itself.

    Examples:
      orgsync org create sqlite:orgs/acme.db --name acme
      orgsync org create 'postgresql://orgsync@db.example/crm?schema=acme' --name acme
      orgsync org create sqlite:orgs/dr.db --name acme-dr --admin admin@acme.example.dr
      orgsync org create sqlite:orgs/acme.db --name acme --enable audit-field-creation
    """
    made = create(
        session.workspace(),
        url,
        name=name,
        edition=edition,
        org_type=org_type,
        admin=admin,
        features=features,
        licenses=_licenses(licenses),
        namespace=namespace,
    )
    if session.format == "json":
        session.show_json({"name": name, "org_id": made.org_id, "admin": made.admin, "objects": made.objects})
    else:
        session.show(f"Made {name} ({made.org_id}): {counted(made.objects, 'object')}, administrator {made.admin}.")


def _licenses(pairs: tuple[str, ...]) -> dict[str, int] | None:
    """Licence -> how many; None for the usual ones."""
    found: dict[str, int] = {}
    for pair in pairs:
        name, _, number = pair.rpartition("=")
        if not name or not number.isdigit():
            raise UsageError(
                f"not a licence and a number: {pair!r}", hint='write for example --license "Salesforce=10"'
            )
        found[name] = int(number)
    return found or None
