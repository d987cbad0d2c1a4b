"""`orgsync deactivate`."""

from __future__ import annotations

import click

from orgsync_reconcile.app.ending import deactivate, endings
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.options import SIDE, chosen_sides, connection_argument
from orgsync_reconcile.cli.session import Session, confirm, pass_session
from orgsync_reconcile.model.wording import counted


@leaf()
@connection_argument
@click.option("--org", "side", type=SIDE, help="Begin at this end, whose admin acts; it tells the other.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@pass_session
def command(session: Session, connection: str | None, side: str | None, yes: bool) -> None:
    """End a connection: its records are disconnected.

    Publications, subscriptions and what is queued are gone; records and users stay in both orgs as they are. Remove the
    connection from the manifests as well, or the next apply connects the orgs again. To do both in one reviewed step,
    remove it from the manifests and run `orgsync apply --allow deactivate` instead.

    Examples:
      orgsync deactivate acme-dr
      orgsync deactivate acme-dr --org secondary --yes
    """
    sides = chosen_sides(side)
    name, ending = endings(session.workspace(), connection, sides)
    if not ending:
        session.show(f"{name} is inactive already.")
        return
    for item in ending:
        session.note(
            f"{item.org}: {counted(item.linked, 'record')} will be disconnected,"
            f" {counted(item.queued, 'queued change')} will never be sent"
        )
    if not yes:
        confirm(session, "deactivate", f"Deactivate {name} in {' and '.join(item.org for item in ending)}?")
    states, warnings = deactivate(session.workspace(), connection, sides)
    for org, state in states.items():
        session.show(f"{org}: {state}")
    for warning in warnings:
        session.note(f"{session.style_error('warning', 'warning:')} {warning}")
