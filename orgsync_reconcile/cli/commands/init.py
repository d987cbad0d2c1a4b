"""`orgsync init`."""

from __future__ import annotations

from orgsync_reconcile.app.starter import init
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.session import Session, pass_session


@leaf()
@pass_session
def command(session: Session) -> None:
    """Write a commented starter set of manifests.

    Nothing is overwritten. The set describes two orgs and a connection between them; edit names, stores and
    objects, then check it with `orgsync validate`.

    Example:
      orgsync init
    """
    for path in init(session.workspace()):
        session.show(str(path))
    session.note("Edit these, then check them: orgsync validate")
