"""`orgsync bulk-sync`."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from orgsync_reconcile.app.records import copy_records
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.moved import show_moved
from orgsync_reconcile.cli.options import SIDE, connection_argument, crew_options, moment
from orgsync_reconcile.cli.progress import progress_bars
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import ExitCode
from orgsync_reconcile.model.connection import Side


@leaf(formats=("text", "json", "markdown"))
@connection_argument
@click.option("--from", "source", type=SIDE, default="primary", help="Where records are copied from.")
@click.option("--object", "objects", multiple=True, metavar="OBJECT", help="Only this object; repeatable.")
@click.option(
    "--since",
    type=moment,
    metavar="DATE|AGE",
    help="Only records created or modified since, such as 2026-01-31 or 90d; by default the manifest's max_age.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N records in all, the newest first.")
@click.option(
    "--lock-timeout", type=click.FloatRange(min=0), default=0.0, metavar="S", help="Wait S seconds for another one."
)
@crew_options
@pass_session
def command(
    session: Session,
    connection: str | None,
    source: str,
    objects: tuple[str, ...],
    since: datetime | timedelta | None,
    limit: int | None,
    lock_timeout: float,
    workers: int | None,
    cluster: str | None,
) -> ExitCode:
    """Copy the records that are already there, in one direction.

    Publishing copies nothing by itself; this does, parents first. Records that are linked already are not copied
    again, so later runs with an earlier --since cost only what is new, and a run that was stopped goes on where it
    was. Exits with 5 where a record stayed behind, 6 where another one runs in this direction; a drain may run
    meanwhile.

    --workers and --cluster copy several ranges of an object at a time where both orgs are on PostgreSQL servers. A SQLite
    file takes one writer: ranges are then copied one after the other, which is no faster. With --limit they do nothing.

    Examples:
      orgsync bulk-sync acme-dr
      orgsync bulk-sync acme-dr --since 90d --object Account --object Contact
    """
    with progress_bars(session, "records") as report:
        moved = copy_records(
            session.workspace(),
            connection,
            source=Side(source),
            objects=objects,
            since=since,
            limit=limit,
            lock_timeout=lock_timeout,
            workers=workers,
            cluster=cluster,
            progress=report,
        )
    return show_moved(session, moved, nothing="No records to copy.")
