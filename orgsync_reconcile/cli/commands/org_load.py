"""`orgsync org load`."""

from __future__ import annotations

from pathlib import Path

import click

from orgsync_reconcile.app.orgs import load_records
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import table, visible
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import ExitCode
from orgsync_reconcile.model.wording import counted


@leaf(formats=("text", "json", "markdown"))
@click.argument("org")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--keep-going", is_flag=True, help="Load what can be loaded, leave out the records that cannot.")
@pass_session
def command(session: Session, org: str, files: tuple[str, ...], keep_going: bool) -> ExitCode:
    """Load records from sObject trees, their plans or CSV.

    ORG is a store's address, or an org of the manifests. A CSV file is named after its object, such as Account.csv.
    Unless --keep-going is given, one bad record keeps everything out. Exits with 1 where nothing was loaded for that
    reason, with 5 where some records stayed out.

    Examples:
      orgsync org load sqlite:orgs/acme.db data/sample-data-plan.json
      orgsync org load acme Account.csv Contact.csv
    """
    report = load_records(session.workspace(), org, [Path(file) for file in files], keep_going=keep_going)
    if session.format == "json":
        session.show_json(
            {
                "loaded": dict(report.loaded),
                "failed": report.failed,
                "problems": [
                    {"path": item.path, "line": item.line, "message": item.message} for item in report.problems
                ],
            }
        )
    else:
        rows = sorted(report.loaded.items())
        session.show(table(session, ("OBJECT", "LOADED"), rows, empty="Nothing was loaded."))
    for problem in report.problems:
        session.complain(f"{session.style_error('error', 'error:')} {visible(str(problem))}")
    if not report.problems and not report.failed:
        return ExitCode.OK
    if report.failed > len(report.problems):
        session.complain(f"{counted(report.failed, 'record')} refused; the first are listed.")
    if keep_going:
        return ExitCode.PARTIAL
    session.complain("Nothing was kept; mend the records, or leave them out with --keep-going.")
    return ExitCode.ERROR
