"""`orgsync queue retry`."""

from __future__ import annotations

from dataclasses import asdict

import click

from orgsync_reconcile.app.retry import retry_records
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.options import SIDE, chosen_sides
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.model.wording import counted


@leaf(formats=("text", "json"))
@click.argument("connection", required=False)
@click.argument("records", nargs=-1, metavar="[RECORD]...")
@click.option("--org", "side", type=SIDE, help="Only this org's queue; by default both.")
@click.option("--failed", is_flag=True, help="Only records that have failed for good.")
@pass_session
def command(session: Session, connection: str | None, records: tuple[str, ...], side: str | None, failed: bool) -> None:
    """Try refused records again with the next drain.

    Records that wait for their next try, and records that have failed for good, are due now: all of them, or those
    named by their Ids. A record that had failed for good begins its schedule of tries anew.

    Examples:
      orgsync queue retry acme-dr && orgsync drain acme-dr
      orgsync queue retry acme-dr 001a0b000000001AAA
      orgsync queue retry acme-dr --failed --org primary
    """
    name, due = retry_records(session.workspace(), connection, records, chosen_sides(side), failed=failed)
    total = sum(item.waiting + item.failed for item in due.values())
    if session.format == "json":
        session.show_json({"connection": name, "due": {org: asdict(item) for org, item in due.items()}})
    else:
        for org, item in due.items():
            after = f", {item.failed:,} of them after failing for good" if item.failed else ""
            session.show(f"{org}: {counted(item.waiting + item.failed, 'record')} due now{after}")
    if total:
        session.note(f"Send them: orgsync drain {name}")
