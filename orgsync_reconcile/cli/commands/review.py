"""`orgsync review`."""

from __future__ import annotations

import click

from orgsync_reconcile.app.review import ReviewChoice, review
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.findings import ANNOTATIONS, FINDING_FORMATS, findings_document, show_findings
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import ExitCode, ManifestError
from orgsync_reconcile.plan.semantic import Review, render_markdown, render_text, to_document, to_findings
from orgsync_reconcile.plan.semantic.render_markdown import render_errors


@leaf(formats=FINDING_FORMATS)
@click.argument("base")
@click.argument("head", default="HEAD")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where the manifests mean something else.")
@click.option("--no-plan", is_flag=True, help="Compare only; open no org.")
@click.option("--trust-head", is_flag=True, help="Open stores that only HEAD declares, too.")
@pass_session
def command(
    session: Session, base: str, head: str, detailed_exitcode: bool, no_plan: bool, trust_head: bool
) -> ExitCode:
    """Show what a branch changes in the manifests, and its plan.

    Compares HEAD (by default the current commit; - is the working folder) with the commit at which it parted from BASE,
    by what the documents mean: names of files, order and comments make no difference. Everything is read from Git's
    object store; nothing is checked out, and nothing of the branch runs. The plan is added where the orgs can be
    reached and BASE declares the same stores, secrets and administrators. Exits with 1 where HEAD's manifests have
    errors.

    Examples:
      orgsync review main
      orgsync review origin/main my-branch --format markdown
      orgsync review main - --no-plan
      orgsync review origin/main --format github
    """
    try:
        found = review(session.workspace(), base, head, ReviewChoice(with_plan=not no_plan, trust_head=trust_head))
    except ManifestError as error:
        if session.format == "text":
            raise
        _show_errors(session, error)
        return error.exit_code
    _show(session, found)
    return ExitCode.CHANGES if detailed_exitcode and found.differs else ExitCode.OK


def _show(session: Session, found: Review) -> None:
    if session.format in ANNOTATIONS:
        show_findings(session, to_findings(found))
        return
    match session.format:
        case "json":
            session.show_json(to_document(found))
        case "markdown":
            session.show(render_markdown(found).rstrip("\n"))
        case _:
            session.show(render_text(found, width=session.width, style=session.style))


def _show_errors(session: Session, error: ManifestError) -> None:
    match session.format:
        case "json":
            session.show_json({"kind": "review", **findings_document(error.diagnostics)})
        case "markdown":
            session.show(render_errors(error.diagnostics).rstrip("\n"))
        case _:
            show_findings(session, error.diagnostics)
