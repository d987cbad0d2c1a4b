"""`orgsync export`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from orgsync_reconcile.app.export import Exported, export
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import visible
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.model.wording import counted

#: Planned actions and drift that are named one by one.
_NAMED = 10


@leaf(formats=("text", "json"))
@click.option("--primary", metavar="STORE", help="The store of the primary org.")
@click.option("--secondary", metavar="STORE", help="The store of the secondary org.")
@click.option("--org", "others", multiple=True, metavar="STORE", help="A further org of a hub or chain; repeatable.")
@click.option("--connection", "connections", multiple=True, metavar="NAME", help="Only this connection; repeatable.")
@click.option("-o", "--out", metavar="DIR", help="Where the files go; by default the manifest folder.")
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@pass_session
def command(
    session: Session,
    primary: str | None,
    secondary: str | None,
    others: tuple[str, ...],
    connections: tuple[str, ...],
    out: str | None,
    force: bool,
) -> None:
    """Write manifests of orgs that are connected already.

    Without stores, the orgs of the manifests are looked at, and what connects them is added. One file for each
    publication, only what differs from the defaults, no secrets; nothing is overwritten without --force. Before
    anything is written, planning with the result is tried: what it would still do, and what no manifest can say, is
    told.

    Examples:
      orgsync export --primary sqlite:orgs/acme.db --secondary sqlite:orgs/acme-dr.db
      orgsync export --connection acme-dr --out exported
    """
    if (primary is None) != (secondary is None) or (others and primary is None):
        raise UsageError("--primary and --secondary go together", hint="name both stores, or none")
    stores = [item for item in (primary, secondary, *others) if item is not None]
    made = export(
        session.workspace(),
        stores=stores,
        connections=connections,
        out=None if out is None else Path(out),
        force=force,
    )
    _show(session, made)


def _show(session: Session, made: Exported) -> None:
    paths = [os.path.relpath(path) for path in made.files]
    pending = [item.address for item in made.plan.actions]
    drift = [item.detail for item in made.plan.drift]
    if session.format == "json":
        session.show_json({"files": paths, "remarks": list(made.remarks), "actions": pending, "drift": drift})
    else:
        for path in paths:
            session.show(path)
    for remark in made.remarks:
        session.complain(f"{session.style_error('warning', 'warning:')} {visible(remark)}")
    if not pending and not drift:
        session.note("Planning with them has nothing to do: orgsync plan")
        return
    parts = [counted(len(pending), "action")] if pending else []
    parts += [f"{counted(len(drift), 'change')} by hand"] if drift else []
    session.complain(
        f"{session.style_error('warning', 'warning:')} planning with them shows {' and '.join(parts)},"
        " which the orgs had open before:"
    )
    for line in [*pending, *drift][:_NAMED]:
        session.complain(f"  {visible(line)}")
