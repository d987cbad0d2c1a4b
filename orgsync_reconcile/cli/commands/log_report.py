"""`orgsync log report`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import click

from orgsync_reconcile.app.reports import Wish, list_reports, open_reports
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import shown_time, table, visible
from orgsync_reconcile.cli.options import moment
from orgsync_reconcile.cli.output import write_document
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.operations.chart import shown_key
from orgsync_reconcile.operations.report_csv import csv_lines
from orgsync_reconcile.operations.report_html import html_page
from orgsync_reconcile.operations.report_json import json_document
from orgsync_reconcile.operations.reports import Result

_LIST = ("REPORT", "ABOUT")
#: Entries that a format shows unless told: what people read is cut, what programs read is whole.
_LIMITS = {"text": 100, "markdown": 100, "html": 1000}
#: Characters of a bar in text.
_BAR = 24


@leaf(formats=("text", "json", "markdown", "csv", "html"))
@click.argument("reports", nargs=-1, metavar="[REPORT]...")
@click.option("--list", "listing", is_flag=True, help="List the reports that there are.")
@click.option("--connection", metavar="NAME", help="Where the manifests have several connections.")
@click.option(
    "--org",
    type=click.Choice([*(side.value for side in Side), "both"]),
    help="Whose log; by default as the report says.",
)
@click.option("--since", type=moment, metavar="DATE|AGE", help="From then on, such as 2026-01-31 or 7d.")
@click.option("--until", type=moment, metavar="DATE|AGE", help="Up to then, such as 2026-02-28 or 1d.")
@click.option("--where", metavar="FILTER", help="Only entries that also fit, such as \"status = 'Failed'\".")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N entries of each report.")
@click.option("-o", "--out", metavar="FILE", help="Write the document to a file.")
@pass_session
def command(
    session: Session,
    reports: tuple[str, ...],
    listing: bool,
    connection: str | None,
    org: str | None,
    since: datetime | timedelta | None,
    until: datetime | timedelta | None,
    where: str | None,
    limit: int | None,
    out: str | None,
) -> None:
    """Report on the sync log: by period, object, field type, related records.

    Some reports are ready made, others are declared in the manifests as documents of kind Report. Several reports make
    one page, with --format html a page with charts that needs nothing but itself. Each org logs what it sends, so the
    same report differs by --org. Text, Markdown and HTML list the newest entries, CSV and JSON all of them.

    Examples:
      orgsync log report --list
      orgsync log report last-24-hours
      orgsync log report by-object by-field-type --format html --out log.html
      orgsync log report account-last-week --org primary --format csv > log.csv
    """
    if listing or not reports:
        if reports:
            raise UsageError("--list lists all reports", hint="leave out the names")
        _show_list(session)
        return
    if session.format == "csv" and len(reports) > 1:
        raise UsageError("CSV is one table", hint="name one report, or choose another format")
    wish = Wish(
        connection=connection,
        org=org,
        since=since,
        until=until,
        where=where,
        limit=limit or _LIMITS.get(session.format),
    )
    workspace = session.workspace()
    with open_reports(workspace, reports, wish) as results:
        if session.format == "json":
            pieces = json_document(results)
        elif session.format == "csv":
            pieces = csv_lines(results[0])
        elif session.format == "html":
            pieces = html_page(results, workspace.clock())
        else:
            pieces = _text(session, results)
        write_document(pieces, out)
        for result in results:
            if result.cut and session.format != "html":
                session.note(
                    f"{result.definition.name}: the newest {limit or wish.limit:,} of {counted(result.total, 'entry')}"
                )
    if out:
        session.note(f"Written to {out}")


def _show_list(session: Session) -> None:
    found = list_reports(session.workspace())
    if session.format == "json":
        session.show_json({"reports": [{"name": item.name, "title": item.title} for item in found]})
    elif session.format in ("csv", "html"):
        raise UsageError(f"the list of reports has no {session.format} format", hint="name a report")
    else:
        session.show(table(session, _LIST, [(item.name, item.title) for item in found], empty=""))


def _text(session: Session, results: Sequence[Result]) -> Iterator[str]:
    for place, result in enumerate(results):
        title = visible(result.definition.title)
        markdown = session.format == "markdown"
        yield "\n" if place else ""
        yield f"## {title}\n\n" if markdown else f"{session.style('heading', title)}\n"
        yield f"{_about(result)}\n\n"
        yield table(session, *_rows(session, result), empty="No entries.") + "\n"


def _about(result: Result) -> str:
    period = result.period
    begin = f"from {period.since:%Y-%m-%d %H:%M} " if period.since else ""
    orgs = ", ".join(f"{visible(org)} {number:,}" for org, number in result.totals.items())
    return f"{counted(result.total, 'entry')} {begin}up to {period.until:%Y-%m-%d %H:%M} UTC ({orgs})"


def _rows(session: Session, result: Result) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
    definition = result.definition
    if not definition.group_by:
        heads = ["AT (UTC)" if name == "at" else name.replace("_", " ").upper() for name in definition.columns]
        return heads, [[_cell(name, entry[name]) for name in definition.columns] for entry in result.entries]
    several = len(result.orgs) > 1
    heads = [definition.group_by.replace("_", " ").upper(), *result.orgs, *(["TOTAL"] if several else [])]
    rows: list[list[object]] = [
        [shown_key(item.key), *(item.counts[org] for org in result.orgs), *([item.total] if several else [])]
        for item in result.groups
    ]
    if session.format == "text" and rows:
        most = max(item.total for item in result.groups) or 1
        heads.append("")
        for row, item in zip(rows, result.groups, strict=True):
            row.append("▇" * (-(-item.total * _BAR // most)))
    return heads, rows


def _cell(name: str, value: object) -> object:
    if name == "at":
        return shown_time(str(value or ""))
    # An entry's number is its name, not an amount.
    return "" if value is None else str(value)
