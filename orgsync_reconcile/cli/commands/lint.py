"""`orgsync lint`."""

from __future__ import annotations

from orgsync_reconcile.app.validate import advise
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.findings import FINDING_FORMATS, show_findings
from orgsync_reconcile.cli.session import Session, pass_session


@leaf(formats=FINDING_FORMATS)
@pass_session
def command(session: Session) -> None:
    """Give advice on style and risk in the manifests.

    Advice never stops a plan, so this exits with 0; what would stop one is an error of `orgsync validate`. The codes
    are explained in docs/diagnostics.md. A comment on the line, or above it, silences what was weighed:
    # orgsync: ignore W202 because the call centre searches all fields

    Examples:
      orgsync lint
      orgsync lint --format github
    """
    found = advise(session.workspace())
    if found or session.format in ("json", "github", "sarif"):
        show_findings(session, found)
    else:
        session.show("No advice.")
