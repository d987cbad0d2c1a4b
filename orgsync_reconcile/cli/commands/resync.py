"""`orgsync resync`."""

from __future__ import annotations

from dataclasses import asdict

import click

from orgsync_reconcile.app.resync import ResyncReport, resync
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.options import SIDE, connection_argument
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.wording import counted


@leaf(formats=("text", "json"))
@connection_argument
@click.option("--from", "source", type=SIDE, help="This org wins where records differ.")
@pass_session
def command(session: Session, connection: str | None, source: str | None) -> None:
    """Sync on after an org was restored from a backup.

    An org that was restored has forgotten what it sent and received since the backup, so every sync command refuses to
    run. This brings the positions of both logs, the links and the counters of Ids in step again, and compares all linked
    records. What differs is queued: the next drain sends it. Where a record differs, the org that was not restored wins,
    since it has what the backup lacks; --from says otherwise, for instance where the backup was to undo a mistake.

    Records that the restored org has lost are sent to it again, under the Ids that they had. One-way, the primary gets nothing
    back: what it has lost stays in the secondary, no longer linked, and what was edited there stands unless
    --from primary is given.

    Examples:
      orgsync resync acme-dr && orgsync drain acme-dr
      orgsync resync acme-dr --from primary
    """
    report = resync(session.workspace(), connection, source=Side(source) if source else None)
    if session.format == "json":
        session.show_json(_document(report))
        return
    session.show("\n".join(_lines(report)))
    session.note(f"Send what was queued: orgsync drain {report.connection}")


def _document(report: ResyncReport) -> dict[str, object]:
    repair = report.done.report.repair
    return {
        "connection": report.connection,
        "restored": report.restored,
        **asdict(report.done.rejoined),
        "queued": repair.queued if repair else 0,
    }


def _lines(report: ResyncReport) -> list[str]:
    done = report.done.rejoined
    lines = [
        f"{report.restored} was restored from a backup; it is joined to its partner again."
        if report.restored
        else "Neither org was restored from a backup since the last sync."
    ]
    if report.restored:
        lines.append(
            f"{counted(done.linked, 'link')} given back, {counted(done.ended, 'link')} ended,"
            f" {counted(done.sent_again, 'change')} of the restored org to be sent."
        )
    if done.kept:
        lines.append(
            f"{counted(done.kept, 'record')} of the other org stay there without a link: they do not flow back."
        )
    repair = report.done.report.repair
    if repair is not None:
        lines.append(f"Compared all linked records: {counted(repair.queued, 'record')} queued.")
    return lines
