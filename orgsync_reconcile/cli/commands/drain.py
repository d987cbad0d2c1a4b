"""`orgsync drain`."""

from __future__ import annotations

import click

from orgsync_reconcile.app.follow import follow_queue
from orgsync_reconcile.app.records import send_queue
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.moved import note_waiting, show_moved
from orgsync_reconcile.cli.options import SIDE, chosen_sides, connection_argument
from orgsync_reconcile.cli.progress import progress_bars
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import ExitCode, UsageError
from orgsync_reconcile.operations.stopping import on_signals


@leaf(formats=("text", "json", "markdown"))
@connection_argument
@click.option("--from", "source", type=SIDE, help="Only what this org has queued; by default both.")
@click.option("--follow", is_flag=True, help="Go on sending changes as they come, until interrupted.")
@click.option("--max", "most", type=click.IntRange(min=1), metavar="N", help="Stop after N changes.")
@pass_session
def command(session: Session, connection: str | None, source: str | None, follow: bool, most: int | None) -> ExitCode:
    """Send queued changes to the other org.

    Changes of one record arrive in order, once. A record that the other org refuses is held and tried again later; it
    does not stop the others. Exits with 5 where a record failed or is held. With --follow it ends after the batch under way: with 0 on
    SIGTERM, with 130 on Ctrl-C.

    Examples:
      orgsync drain acme-dr
      orgsync drain acme-dr --from primary --max 1000
      orgsync drain acme-dr --follow
    """
    sides = chosen_sides(source)
    if not follow:
        with progress_bars(session, "changes") as report:
            moved = send_queue(session.workspace(), connection, sides=sides, max_records=most, progress=report)
        code = show_moved(session, moved, nothing="Nothing to send.")
        if not moved.incomplete:
            note_waiting(session, moved.connection)
        return code
    if most is not None:
        raise UsageError("--follow never ends by itself, so --max has no meaning with it", hint="choose one of them")
    session.note("Sending changes as they come; stop with Ctrl-C.")
    with on_signals() as stop:
        for moved in follow_queue(session.workspace(), connection, sides=sides, stop=stop):
            show_moved(session, moved, nothing="Nothing to send.")
    if stop.exit_code:
        session.complain("interrupted")
    return stop.exit_code
