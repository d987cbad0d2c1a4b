"""`orgsync fmt`."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

import click

from orgsync_reconcile.app.formatting import Formatting, format_manifests, format_text
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.findings import ANNOTATIONS, show_findings
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import ExitCode, UsageError
from orgsync_reconcile.model.wording import counted


@leaf(formats=("text", "json", *ANNOTATIONS))
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 where a file would change.")
@click.option("--diff", is_flag=True, help="Show what would change, and change nothing.")
@pass_session
def command(session: Session, paths: tuple[str, ...], check: bool, diff: bool) -> ExitCode:
    """Bring manifests to their canonical form; comments stay.

    Keys stand in the order of docs/manifests.md, lists whose order says nothing are sorted, quotes stand where they
    are needed. Nothing changes its meaning. Without PATH, the whole manifest folder; - reads standard input and writes
    to standard output. Each file that changes is listed; a file that is broken stays as it is. With --check, the
    formats github and sarif say where each file differs first, and what is broken.

    Examples:
      orgsync fmt
      orgsync fmt --check
      orgsync fmt --check --format github
      orgsync fmt --diff manifests/account.yaml
    """
    if "-" in paths:
        if len(paths) > 1 or check or diff:
            raise UsageError("- stands alone", hint="format files and standard input in two runs")
        click.echo(format_text(sys.stdin.buffer.read()), nl=False)
        return ExitCode.OK
    if session.format in ANNOTATIONS and (diff or not check):
        raise UsageError(f"--format {session.format} is for --check", hint="add --check, and leave --diff out")
    found = format_manifests(session.workspace(), [Path(item) for item in paths], write=not (check or diff))
    if session.format in ANNOTATIONS:
        show_findings(session, (*found.problems, *(item.finding() for item in found.changed)))
    elif session.format == "json":
        session.show_json({"files": [{"path": item.shown, "changed": item.changed} for item in found.files]})
    else:
        _show(session, found, diff=diff)
    for item in found.problems:
        session.complain(item.one_line())
    if found.problems:
        return ExitCode.ERROR
    verb = "would change" if check or diff else "changed"
    session.note(f"{len(found.changed):,} of {counted(len(found.files), 'file')} {verb}.")
    return ExitCode.ERROR if check and found.changed else ExitCode.OK


def _show(session: Session, found: Formatting, *, diff: bool) -> None:
    for item in found.changed:
        if not diff:
            session.show(item.shown)
            continue
        lines = difflib.unified_diff(
            item.before.splitlines(), item.after.splitlines(), item.shown, item.shown, lineterm=""
        )
        for line in lines:
            kind = {"+": "create", "-": "delete", "@": "dim"}.get(line[:1], "")
            session.show(session.style(kind, line))
