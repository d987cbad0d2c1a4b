"""`orgsync failover drill`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from orgsync_reconcile.app.failover import drill_failover
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import shown_time, table, visible
from orgsync_reconcile.cli.options import connection_argument
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import ExitCode
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.operations.drill import Drill

_OBJECTS = ("OBJECT", "NEVER COPIED", "NOT SENT", "RETRYING", "FAILED", "OLDEST (S)")
_RECORDS = ("OBJECT", "RECORD", "WHY", "SINCE (UTC)")


@leaf(formats=("text", "json", "markdown"))
@connection_argument
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, metavar="N", help="List at most N of each."
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where the secondary is not ready.")
@pass_session
def command(session: Session, connection: str | None, limit: int, detailed_exitcode: bool) -> ExitCode:
    """Tell what would be lost if the primary went away now.

    Records that were never copied, changes that were not sent, users who could not log in, publications that are not
    applied: each of them makes the secondary not ready, but for changes younger than the document's `behind`. What
    people do by hand at a switch is listed: integrations to repoint and manual tasks. Changes nothing.

    Examples:
      orgsync failover drill acme-dr
      orgsync failover drill acme-dr --detailed-exitcode --format json
    """
    found = drill_failover(session.workspace(), connection, limit=limit)
    if session.format == "json":
        session.show_json(_document(found))
    else:
        _show(session, found)
    return ExitCode.CHANGES if detailed_exitcode and not found.ready else ExitCode.OK


def _show(session: Session, found: Drill) -> None:
    session.show(session.style("heading", f"If the primary of {visible(found.connection)} went away now:"))
    session.show("")
    rows = [
        (o.object, o.never_copied, o.changed, o.retrying, o.failed, "" if o.oldest is None else f"{o.oldest:,.0f}")
        for o in found.objects
    ]
    session.show(table(session, _OBJECTS, rows, empty="No record would be lost."))
    if found.records:
        session.show("")
        lost = [(r.object, r.record, r.why, shown_time(r.since)) for r in found.records]
        session.show(table(session, _RECORDS, lost, empty=""))
        if found.lost > len(found.records):
            session.show(f"… and {found.lost - len(found.records):,} more")
    session.show("")
    for head, lines in _lists(found):
        if lines:
            session.show(f"{head}: {visible(', '.join(lines))}")
    verdict = "ready" if found.ready else "not ready"
    session.show(f"Verdict: {session.style('ok' if found.ready else 'refused', verdict)}")
    for text in found.blockers:
        session.show(visible(f"  ! {text}"))
    for text in found.tasks:
        session.show(visible(f"  - by hand: {text}"))


def _lists(found: Drill) -> list[tuple[str, list[str]]]:
    locked = list(found.locked_out)
    more = found.locked_out_count - len(locked)
    return [
        (
            f"Without a password in the secondary, {found.locked_out_count:,} of {counted(found.users, 'user')}",
            [*locked, *([f"and {more:,} more"] if more else [])],
        ),
        ("Not applied", list(found.unpublished)),
        ("Not published, so not in the secondary", [f"{name} ({number:,})" for name, number in found.left_out]),
        ("Manual tasks", list(found.manual)),
        (
            "Integrations to repoint",
            [f"{item.name}{f' ({item.owner})' if item.owner else ''}" for item in found.integrations],
        ),
    ]


def _document(found: Drill) -> dict[str, Any]:
    return {
        "connection": found.connection,
        "ready": found.ready,
        "blockers": list(found.blockers),
        "tasks": list(found.tasks),
        "lost": found.lost,
        "objects": [asdict(item) for item in found.objects],
        "records": [asdict(item) for item in found.records],
        "users": {"synced": found.users, "without_password": found.locked_out_count, "names": list(found.locked_out)},
        "not_applied": list(found.unpublished),
        "not_published": [{"object": name, "records": number} for name, number in found.left_out],
        "manual": list(found.manual),
        "integrations": [asdict(item) for item in found.integrations],
    }
