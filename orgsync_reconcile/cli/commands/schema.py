"""`orgsync schema`."""

from __future__ import annotations

from orgsync_reconcile.app.starter import editor_schema
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.session import Session, pass_session


@leaf(formats=("json",))
@pass_session
def command(session: Session) -> None:
    """Print the JSON Schema of manifests, for editors.

    Editors with a YAML language server complete and check manifests by it.

    Example:
      orgsync schema > schemas/orgsync.schema.json
    """
    session.show(editor_schema().rstrip("\n"))
