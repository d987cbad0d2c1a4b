"""`orgsync org check`."""

from __future__ import annotations

from dataclasses import asdict

import click

from orgsync_reconcile.app.orgs import check_org
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import table
from orgsync_reconcile.cli.session import Session, pass_session

_HEADS = ("OBJECT", "FIELD", "FINDING", "RECORDS", "EXAMPLE")


@leaf(formats=("text", "json", "markdown"))
@click.argument("org")
@click.option("--object", "objects", multiple=True, metavar="OBJECT", help="Only this object; repeatable.")
@pass_session
def command(session: Session, org: str, objects: tuple[str, ...]) -> None:
    """Look for blank required fields, invalid lookups, duplicates.

    ORG is a store's address, or an org of the manifests. Such records fail in a bulk sync or arrive twice; mend them
    before the first one.

    Example:
      orgsync org check acme --object Account --object Contact
    """
    found = check_org(session.workspace(), org, objects)
    if session.format == "json":
        session.show_json({"findings": [asdict(item) for item in found]})
        return
    rows = [(item.object, item.field, item.kind.replace("_", " "), item.records, item.example) for item in found]
    session.show(table(session, _HEADS, rows, empty="Nothing found: the data is clean."))
