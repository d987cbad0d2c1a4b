"""What of the connection itself keeps records back: an org that is down, a suspension, events that wait (DIA-1)."""

from __future__ import annotations

from collections.abc import Iterator

from orgsync_reconcile.model.connection import ConnectionStatus
from orgsync_reconcile.model.events import QueueAction
from orgsync_reconcile.stores.sql.queue_control import Way, read_control
from orgsync_reconcile.sync.diagnosis import Finding, Severity, Subject

#: Events in one finding.
_NAMED = 4


def diagnose_connection(subject: Subject, down: str) -> Iterator[Finding]:
    """The connection itself: an org that is down, suspended, or not there yet."""
    if subject.target is None:
        yield Finding(
            severity=Severity.ERROR,
            code="other-org-down",
            what=f"{subject.partner_label} cannot be reached, so updates queue in {subject.source.label}",
            why=down,
            advice="wait until it is back",
            command=subject.command("drain"),
        )
    for org, known in ((subject.source, subject.from_), (subject.target, subject.to)):
        if org is None:
            continue
        status = known.status if known else None
        if known is not None and status is ConnectionStatus.SUSPENDED and known.suspended_reason:
            yield Finding(
                severity=Severity.ERROR,
                code="suspended-itself",
                what=f"{subject.name} has suspended itself in {org.label}, so nothing is sent",
                why=known.suspended_reason,
                advice="bring that org back; the connection resumes by itself with the next run that reaches both",
                command=f"orgsync drain {subject.name}",
            )
        elif known is not None and status is ConnectionStatus.SUSPENDED:
            by, end = known.suspended_by, known.side
            yield Finding(
                severity=Severity.ERROR,
                code="suspended",
                what=f"{subject.name} is suspended in {org.label}, so nothing is sent",
                why=f"suspended by {by}" if by else "suspended by the manifest",
                command=f"orgsync resume {subject.name} --org {end}",
            )
        elif status is not ConnectionStatus.ACCEPTED:
            yield Finding(
                severity=Severity.ERROR,
                code="not-active",
                what=f"{subject.name} is {status.shown if status else 'not connected'} in {org.label}, so nothing is sent",
                command="orgsync apply",
            )
    yield from _waiting_events(subject)


def _waiting_events(subject: Subject) -> Iterator[Finding]:
    """Control events about the connection or the object that the partner has not carried out: they go first (QUE-2)."""
    way = Way(
        org=subject.source,
        number=subject.from_.number,
        connection=subject.name,
        partner=subject.target,
        partner_number=subject.to.number if subject.to else 0,
    )
    waiting = [
        item
        for item in read_control(way)
        if item.action != QueueAction.BULK_SYNC and item.object in (subject.name, subject.object)
    ]
    if not waiting:
        return
    named = ", ".join(f"{item.action} {item.object}" for item in waiting[:_NAMED])
    more = f" and {len(waiting) - _NAMED} more" if len(waiting) > _NAMED else ""
    tried = next((item.error for item in waiting if item.error), "")
    yield Finding(
        severity=Severity.WARNING if tried else Severity.INFO,
        code="events-waiting",
        what=f"{subject.source.label} has events that {subject.partner_label} has not carried out: {named}{more}",
        why=tried or "they go ahead of the records, with the next drain",
        command=subject.command("drain"),
    )
