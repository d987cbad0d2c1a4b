"""Reports on the sync log (LOG-4): only the orgs whose logs are asked for have to be there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from orgsync_reconcile.app.workspace import Workspace, open_orgs, pick_connection
from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.desired import DesiredConnection
from orgsync_reconcile.model.report import ReportDefinition
from orgsync_reconcile.operations import reports
from orgsync_reconcile.operations.reports import Result


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a run of reports asks for in place of what they say; None leaves it to them. `where` narrows further."""

    connection: str | None = None
    org: str | None = None
    since: datetime | timedelta | None = None
    until: datetime | timedelta | None = None
    where: str | None = None
    #: Entries per report, at most.
    limit: int | None = None


def list_reports(workspace: Workspace) -> tuple[ReportDefinition, ...]:
    """Every report: ready-made ones, then those of the manifests. Raises ManifestError."""
    return tuple(reports.definitions(workspace.desired()).values())


@contextmanager
def open_reports(workspace: Workspace, names: Sequence[str], wish: Wish) -> Iterator[tuple[Result, ...]]:
    """The reports of these names, to be read within the block; each org is read as it is at one moment.

    Raises UsageError for a name that no report has and for a wish that does not fit, StoreError for an org that cannot
    be read.
    """
    desired = workspace.desired()
    wanted: list[tuple[ReportDefinition, DesiredConnection]] = []
    for name in names:
        found = reports.find_definition(desired, name)
        if wish.connection and found.connection and found.connection != wish.connection:
            raise UsageError(
                f"the report {name} is about the connection {found.connection}", hint="leave out --connection"
            )
        report = reports.adjusted(found, org=wish.org, since=wish.since, until=wish.until, where=wish.where)
        wanted.append((report, pick_connection(desired, report.connection or wish.connection)))
    needed = {org for report, connection in wanted for org in _orgs(report, connection)}
    now = workspace.clock()
    with open_orgs(workspace, desired, needed, readonly=True) as orgs, ExitStack() as moments:
        for org in orgs.values():
            moments.enter_context(org.snapshot())
        yield tuple(
            reports.run_report(
                report,
                connection.name,
                [orgs[name] for name in _orgs(report, connection)],
                now,
                limit=wish.limit,
            )
            for report, connection in wanted
        )


def _orgs(report: ReportDefinition, connection: DesiredConnection) -> list[str]:
    """The orgs whose logs a report reads, by their names in the manifests, the primary first."""
    ends = {Side.PRIMARY: connection.primary, Side.SECONDARY: connection.secondary}
    return [name for side, name in ends.items() if report.org in ("both", side.value)]
