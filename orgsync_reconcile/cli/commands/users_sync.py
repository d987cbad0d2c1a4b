"""`orgsync users sync`."""

from __future__ import annotations

from orgsync_reconcile.app.on_demand import sync_users
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import visible
from orgsync_reconcile.cli.options import connection_argument
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import ExitCode


@leaf(formats=("text", "json"))
@connection_argument
@pass_session
def command(session: Session, connection: str | None) -> ExitCode:
    """Copy users again, both ways by their switches.

    A user who fails, for example because a profile is missing, is in the log and does not stop the others; then the
    exit code is 5. Saving the user again, or this command, sends the user again.

    Example:
      orgsync users sync acme-dr
    """
    reports = sync_users(session.workspace(), connection)
    if session.format == "json":
        session.show_json(
            {
                side.value: {
                    "switched_off": report.switched_off,
                    "copied": list(report.copied),
                    "linked": list(report.linked),
                    "updated": list(report.updated),
                    "failed": [{"username": name, "error": why} for name, why in report.failed],
                }
                for side, report in reports.items()
            }
        )
    for side, report in reports.items():
        if session.format == "text":
            counts = f"{len(report.copied)} copied, {len(report.linked)} linked, {len(report.updated)} updated"
            session.show(f"from {side.value}: {'switched off' if report.switched_off else counts}")
        for name, why in report.failed:
            session.complain(f"{session.style_error('error', 'failed:')} {visible(f'{name}: {why}')}")
    return ExitCode.PARTIAL if any(report.failed for report in reports.values()) else ExitCode.OK
