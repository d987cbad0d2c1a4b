"""`orgsync validate`."""

from __future__ import annotations

from orgsync_reconcile.app.validate import validate
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.findings import ANNOTATIONS, FINDING_FORMATS, findings_document, show_findings
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.errors import ExitCode, ManifestError
from orgsync_reconcile.model.wording import counted


@leaf(formats=FINDING_FORMATS)
@pass_session
def command(session: Session) -> ExitCode:
    """Check the manifests without touching an org.

    Every problem is shown at once, with its file, line and column. Exits with 1 where there is one.

    Examples:
      orgsync validate
      orgsync validate --env staging --format json
      orgsync validate --format sarif > orgsync.sarif
    """
    try:
        desired = validate(session.workspace())
    except ManifestError as error:
        if session.format == "text":
            raise
        show_findings(session, error.diagnostics)
        return error.exit_code
    if session.format == "json":
        session.show_json(findings_document(desired.diagnostics))
        return ExitCode.OK
    if desired.diagnostics or session.format == "sarif":
        show_findings(session, desired.diagnostics)
    if session.format in ANNOTATIONS:
        return ExitCode.OK
    session.show(
        f"Valid: {counted(len(desired.files), 'file')}, {counted(len(desired.orgs), 'org')},"
        f" {counted(len(desired.connections), 'connection')}, {counted(len(desired.publications), 'publication')}."
    )
    return ExitCode.OK
