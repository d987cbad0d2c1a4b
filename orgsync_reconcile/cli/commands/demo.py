"""`orgsync demo`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import click

from orgsync_reconcile.app.demo import FILES, Step, client_words, on_server, passing_server, run_sql, steps, write_demo
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.wording import counted


@leaf()
@click.argument("folder", metavar="[DIR]", default="orgsync-demo")
@click.option("--postgres", is_flag=True, help="Tell it on PostgreSQL: a server of its own, which ends with the demo.")
@click.option("--server", metavar="URL", help="Tell it in a database of this PostgreSQL server, where it stays.")
@click.pass_context
@pass_session
def command(session: Session, ctx: click.Context, folder: str, postgres: bool, server: str | None) -> None:
    """Tell the whole story on two embedded orgs in a new folder.

    Two orgs are made and connected, records copied, changed on both sides, sent and compared. Every command is shown
    before it runs; everything stays in DIR (by default orgsync-demo) to be looked at and tried on.

    Examples:
      orgsync demo
      orgsync demo /tmp/harbour
      orgsync demo --postgres
      orgsync demo --server postgresql://me@localhost/playground
    """
    with ExitStack() as stack:
        stores = FILES
        if server is not None:
            stores = on_server(server)
        elif postgres:
            stores = on_server(stack.enter_context(passing_server()))
        _tell(session, ctx, folder, stores)
        if postgres and server is None:
            session.show("The server ends here, and its orgs with it.")


def _tell(session: Session, ctx: click.Context, folder: str, stores: Mapping[str, str]) -> None:
    place = Path(folder)
    files = write_demo(place, stores)
    session.show(
        "A harbour company keeps a second org in step with its first.\n"
        f"{counted(len(files), 'file')} were written to {place}: manifests, a small SFDX project and\n"
        "sample records. Each command below can be typed there."
    )
    session.show(f"\n{session.style('run', f'$ cd {shlex.quote(folder)}')}")
    for number, step in enumerate(steps(stores), start=1):
        session.show(f"\n{session.style('heading', f'{number}. {step.title}')}")
        session.show(f"{step.about}\n" if step.about else "")
        if step.command:
            _run(session, ctx, place, step)
        else:
            _run_sql(session, place, step)
    session.show(
        f"\nThat is the whole story, and it stays in {place}.\n"
        "Change a manifest there, such as the fields of a publication, and plan again;\n"
        "or begin with your own: orgsync init."
    )


def _run(session: Session, ctx: click.Context, place: Path, step: Step) -> None:
    """Runs a command of the program as the reader would. Raises OrgsyncError where it ends in another way than well."""
    session.show(session.style("run", f"$ orgsync {shlex.join(step.command)}"))
    color = ("--color", "always" if session.colored() else "never")
    with ctx.find_root().command.make_context(
        "orgsync", ["-C", str(place), *color, *step.command], obj=Session()
    ) as own:
        code = own.command.invoke(own)
    if code:
        raise OrgsyncError(
            f"the demo stopped at: orgsync {shlex.join(step.command)} (exit code {int(code)})",
            hint=f"look at {place}, and run it there with -vv",
        )


def _run_sql(session: Session, place: Path, step: Step) -> None:
    client, prompt = client_words(step.store)
    session.show(session.style("run", f"$ {client}"))
    for statement, rows in zip(step.sql, run_sql(place, step), strict=True):
        session.show(f"{session.style('dim', prompt)} {statement};")
        for row in rows:
            session.show(row)
