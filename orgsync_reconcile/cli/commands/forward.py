"""`orgsync forward`."""

from __future__ import annotations

import click

from orgsync_reconcile.app.forward import forward_records
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.moved import moved_document, show_moved
from orgsync_reconcile.cli.options import SIDE
from orgsync_reconcile.cli.progress import progress_bars
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import ExitCode
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.wording import counted


@leaf(formats=("text", "json", "markdown"))
@click.argument("connection")
@click.argument("object_name", metavar="OBJECT")
@click.argument("records", nargs=-1, metavar="[ID]...")
@click.option("--where", metavar="FILTER", help="All records that satisfy this, such as \"Status <> 'Closed'\".")
@click.option("--related", metavar="OBJECT,...", help="With the records of these objects that point to them.")
@click.option("--from", "source", type=SIDE, default="primary", help="Where the records are sent from.")
@pass_session
def command(
    session: Session,
    connection: str,
    object_name: str,
    records: tuple[str, ...],
    where: str | None,
    related: str | None,
    source: str,
) -> ExitCode:
    """Send single records by hand, whatever their age.

    New ones are inserted, linked ones get the values that differ, cut links are restored, and refused ones are tried
    again. Records that exist only below another one (comments, attachments, feeds, case teams) go along; others when
    --related names their object. Exits with 5 where a record stayed behind.

    A filter compares fields by =, !=, <, <=, >, >=, IN, LIKE and IS NULL, joined by AND, OR, NOT and brackets; text
    stands in quotes and ignores case.

    Examples:
      orgsync forward acme-dr Account 001a0b000000001AAA --related Contact,Case
      orgsync forward acme-dr Case --where "CreatedDate < 2025-01-01"
    """
    with progress_bars(session, "records") as report:
        done = forward_records(
            session.workspace(),
            connection,
            object_name,
            records=records,
            where=where,
            related=[name.strip() for name in (related or "").split(",") if name.strip()],
            source=Side(source),
            progress=report,
        )
    if session.format == "json":
        counts = {"asked": done.asked, "along": done.along, "restored": done.restored}
        session.show_json({**moved_document(done.moved), **counts})
        return ExitCode.PARTIAL if done.moved.incomplete else ExitCode.OK
    nothing = "The other org has all of it already." if done.asked else "No record satisfies the filter."
    code = show_moved(session, done.moved, nothing=nothing)
    if done.along:
        session.note(f"{counted(done.along, 'record')} below them went along")
    if done.restored:
        session.note(f"{counted(done.restored, 'link')} restored")
    return code
