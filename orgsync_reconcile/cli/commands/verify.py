"""`orgsync verify`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from orgsync_reconcile.app.records import compare
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import table
from orgsync_reconcile.cli.moved import note_waiting
from orgsync_reconcile.cli.options import connection_argument, crew_options
from orgsync_reconcile.cli.progress import progress_bars
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import ExitCode
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.sync.verify import RepairResult, VerifyReport

_HEADS = ("OBJECT", "LINKED", "EQUAL", "DIFFERENT", "MISSING IN PRIMARY", "MISSING IN SECONDARY")
_DIFFERENCES = ("OBJECT", "PRIMARY", "SECONDARY", "FIELD", "IN PRIMARY", "IN SECONDARY")
#: Longer values are cut in the list of differences.
_LONGEST = 30


@leaf(formats=("text", "json", "markdown"))
@connection_argument
@click.option("--object", "objects", multiple=True, metavar="OBJECT", help="Only this object; repeatable.")
@click.option("--repair", is_flag=True, help="Queue what differs, for the next drain to mend.")
@click.option("--hashes", is_flag=True, help="Compare sums over ranges instead of joining.")
@crew_options
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where something differs.")
@pass_session
def command(
    session: Session,
    connection: str | None,
    objects: tuple[str, ...],
    repair: bool,
    hashes: bool,
    workers: int | None,
    cluster: str | None,
    detailed_exitcode: bool,
) -> ExitCode:
    """Prove that both orgs agree, or list what differs.

    Compares every published field of every linked record, after translating Ids and users. Changes that are still
    queued count as differences: drain first. Up to 100 differing records per object are listed; the counts are complete.
    One-way, a record that was edited in the secondary after the primary's last change of it counts as equal and is
    counted apart: the edit stands until the primary changes that field.

    --repair changes no record: it queues what differs in the org that wins by the connection's policy (one-way: the
    primary), and the next drain sends it. Records with a change on its way are left to that.

    --workers and --cluster compare ranges of records at the same time; the result is the same. Workers of a cluster need
    this folder at the same path, both orgs and their secrets.

    Examples:
      orgsync verify acme-dr
      orgsync verify acme-dr --workers 4
      orgsync verify acme-dr --object Account --detailed-exitcode
      orgsync verify acme-dr --repair && orgsync drain acme-dr
    """
    with progress_bars(session, "records") as progress:
        report = compare(
            session.workspace(),
            connection,
            objects=objects,
            repair=repair,
            hashes=hashes,
            workers=workers,
            cluster=cluster,
            progress=progress,
        )
    if session.format == "json":
        session.show_json(_document(report))
    else:
        rows = [
            (r.object, r.linked, r.equal, r.different, r.missing_primary, r.missing_secondary) for r in report.objects
        ]
        session.show(table(session, _HEADS, rows, empty="No records are linked."))
        if report.differences:
            session.show("")
            session.show(table(session, _DIFFERENCES, _differences(report), empty=""))
        if rows:
            session.show(f"\n{_verdict(report)}")
        if report.repair is not None and rows:
            session.show(_queued(report.repair))
    note_waiting(session, connection)
    return ExitCode.CHANGES if detailed_exitcode and not report.equal else ExitCode.OK


def _document(report: VerifyReport) -> dict[str, Any]:
    """Values that are bytes are told by their length; `repair` is there where one was asked for."""
    document = asdict(report)
    if report.repair is None:
        del document["repair"]
    for item in document["differences"]:
        for key in ("primary_value", "secondary_value"):
            if isinstance(item[key], bytes):
                item[key] = f"({len(item[key])} bytes)"
    return document


def _differences(report: VerifyReport) -> Sequence[Sequence[object]]:
    return [
        (d.object, d.primary_record, d.secondary_record, d.field, _short(d.primary_value), _short(d.secondary_value))
        for d in report.differences
    ]


def _short(value: object) -> str:
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    text = "(blank)" if value in (None, "") else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _verdict(report: VerifyReport) -> str:
    linked = sum(item.linked for item in report.objects)
    faults = sum(item.faults for item in report.objects)
    edited = sum(item.edited_in_secondary for item in report.objects)
    stand = f" {counted(edited, 'record')} edited in the secondary, which stands." if edited else ""
    if not faults:
        return f"Both orgs agree: {counted(linked, 'linked record')}, all equal{' but' if edited else '.'}{stand}"
    return f"The orgs differ: {counted(faults, 'linked record')} of {linked:,}.{stand}"


def _queued(repair: RepairResult) -> str:
    if not repair.queued:
        return "Repair: nothing was queued."
    new = f", {repair.sent_as_new:,} of them as new ones" if repair.sent_as_new else ""
    return (
        f"Repair: {counted(repair.queued, 'record')} queued ({repair.from_primary:,} in the primary,"
        f" {repair.from_secondary:,} in the secondary){new}; send them: orgsync drain"
    )
