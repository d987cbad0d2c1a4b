"""Reports as one page of HTML: a chart with its table beside it, or a table of entries (LOG-4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from orgsync_reconcile.model.report import Chart
from orgsync_reconcile.operations.chart import Drawing, bars, shown_key, standing
from orgsync_reconcile.operations.pages import page
from orgsync_reconcile.operations.reports import Result


def html_page(results: Sequence[Result], now: datetime) -> Iterator[str]:
    """The pieces of the page; entries are read while it is written."""
    connection = ", ".join(dict.fromkeys(item.connection for item in results))
    title = results[0].definition.title if len(results) == 1 else f"Sync log of {connection}"
    yield from page(
        "report",
        title=title,
        connection=connection,
        now=now,
        sections=[{"result": item, "drawing": _drawing(item)} for item in results],
        shown_key=shown_key,
    )


def _drawing(result: Result) -> Drawing | None:
    chart = result.definition.chart
    if chart is Chart.NONE or not result.groups:
        return None
    draw = standing if chart is Chart.COLUMNS else bars
    return draw(result.groups, result.orgs)
