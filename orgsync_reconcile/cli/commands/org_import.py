"""`orgsync org import`."""

from __future__ import annotations

from pathlib import Path

import click

from orgsync_reconcile.app.orgs import Import, import_project
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import table, visible
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import ExitCode
from orgsync_reconcile.model.wording import counted


@leaf(formats=("text", "json", "markdown"))
@click.argument("org")
@click.argument("folder")
@click.option("--keep-going", is_flag=True, help="Deploy what can be deployed, leave out the components that cannot.")
@pass_session
def command(session: Session, org: str, folder: str, keep_going: bool) -> ExitCode:
    """Deploy an SFDX project into an org.

    ORG is a store's address, or an org of the manifests. Objects and fields become tables and columns; types that
    orgsync does not know are kept as they are. Unless --keep-going is given, one bad file or component keeps everything
    out. Exits with 1 where nothing was deployed for that reason, with 5 where some components stayed out.

    Examples:
      orgsync org import sqlite:orgs/acme.db ../dreamhouse
      orgsync org import acme force-app
    """
    result = import_project(session.workspace(), org, Path(folder), keep_going=keep_going)
    failed = bool(result.failures or result.problems)
    if session.format == "json":
        session.show_json(
            {
                "deployed": result.deployed,
                "failures": [{"component": str(item.key), "message": item.message} for item in result.failures],
                "without_table": result.without_table,
                "problems": [
                    {"path": item.path, "line": item.line, "message": item.message} for item in result.problems
                ],
            }
        )
    else:
        session.show(
            table(session, ("COMPONENT", "DEPLOYED"), list(result.deployed.items()), empty="Nothing was deployed.")
        )
    _complain(session, result)
    if not failed:
        return ExitCode.OK
    if keep_going:
        return ExitCode.PARTIAL
    session.complain("Nothing was deployed; mend these, or leave them out with --keep-going.")
    return ExitCode.ERROR


def _complain(session: Session, result: Import) -> None:
    for problem in result.problems:
        session.complain(f"{session.style_error('error', 'error:')} {visible(str(problem))}")
    for failure in result.failures:
        session.complain(f"{session.style_error('error', 'error:')} {visible(f'{failure.key}: {failure.message}')}")
    for name, count in result.without_table.items():
        session.note(
            f"kept without a table: {counted(count, 'field')} of {visible(name)}, an object that the org does not have;"
            " import the object's own description, and its records can be loaded"
        )
    for item in result.shadowed:
        session.note(f"left out: {visible(str(item))}")
