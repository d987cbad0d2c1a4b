"""`orgsync diagnose`."""

from __future__ import annotations

from dataclasses import asdict

import click

from orgsync_reconcile.app.diagnose import diagnose_record
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import shown_time, visible
from orgsync_reconcile.cli.options import SIDE
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import ExitCode
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.sync.diagnosis import Diagnosis


@leaf(formats=("text", "json"))
@click.argument("connection")
@click.argument("record", metavar="ID")
@click.option("--org", "side", type=SIDE, help="The org that has the record; by default the one that does.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where something is wrong.")
@pass_session
def command(session: Session, connection: str, record: str, side: str | None, detailed_exitcode: bool) -> ExitCode:
    """Tell why a record or user is missing or stale in the other org.

    Give its Id in either org. Every reason that holds is listed, the worst first, with the command that mends it:
    an error stays until somebody acts, a warning is being worked on, an info is meant to be so. Changes nothing.

    Exits with 0 also where something is wrong; with --detailed-exitcode, errors and warnings exit with 2.

    Examples:
      orgsync diagnose acme-dr 001a0b000000001AAA
      orgsync diagnose acme-dr 005a0b000000004AAA --format json
    """
    found = diagnose_record(session.workspace(), connection, record, side=Side(side) if side else None)
    if session.format == "json":
        session.show_json({**asdict(found), "healthy": found.healthy})
    else:
        session.show(_page(session, found))
    return ExitCode.CHANGES if detailed_exitcode and not found.healthy else ExitCode.OK


def _page(session: Session, found: Diagnosis) -> str:
    other = (
        f"{found.partner_record} in {found.partner_org}"
        if found.partner_record
        else f"no partner in {found.partner_org}"
    )
    since = f" since {shown_time(found.linked_since)}" if found.linked_since else ""
    lines = [visible(f"{found.object or 'Record'} {found.record} in {found.org}: {other}{since}")]
    for item in found.findings:
        lines += ["", f"{session.style(item.severity, f'{item.severity}:')} {visible(item.what)}"]
        if item.why:
            lines.append(f"  why: {visible(item.why)}")
        if item.advice:
            lines.append(f"  do:  {visible(item.advice)}")
        if item.command:
            lines.append(f"  run: {visible(item.command)}")
    return "\n".join(lines)
