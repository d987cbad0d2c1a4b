"""`orgsync lock release`."""

from __future__ import annotations

import click

from orgsync_reconcile.app.locks import release
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.options import connection_argument
from orgsync_reconcile.cli.session import Session, pass_session


@leaf()
@connection_argument
@click.option("--force", is_flag=True, help="Even where the holder may still be at work.")
@pass_session
def command(session: Session, connection: str | None, force: bool) -> None:
    """Release a lock that a dead run left behind.

    A lock of a process of this machine that has ended is released without --force; the next apply takes it over by
    itself, too. Exits with 6 where the holder may still be at work.

    Example:
      orgsync lock release acme-dr
    """
    held = release(session.workspace(), connection, force=force)
    if held is None:
        session.show("Nobody holds the lock.")
    else:
        session.show(f"Released {held.name}, held by {held.holder} since {held.at}.")
