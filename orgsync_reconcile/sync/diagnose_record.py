"""Diagnosing a record: its way over the connection, its place in the queue, its link, and what differs (DIA-1)."""

from __future__ import annotations

from collections.abc import Iterator

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.stores.sql import diagnosis as reading
from orgsync_reconcile.stores.sql import links
from orgsync_reconcile.stores.sql.diagnosis import RecordRow
from orgsync_reconcile.stores.sql.flow.one_record import OneRecord, compare_one
from orgsync_reconcile.stores.sql.flow.paths import Path
from orgsync_reconcile.stores.sql.queue import read_queue
from orgsync_reconcile.stores.sql.text import quote
from orgsync_reconcile.sync.bulk_progress import holder_of_bulk
from orgsync_reconcile.sync.diagnose_parents import missing_parents, waiting_lookups
from orgsync_reconcile.sync.diagnose_route import diagnose_route
from orgsync_reconcile.sync.diagnosis import Finding, Severity, Subject


def diagnose_record(subject: Subject, row: RecordRow) -> Iterator[Finding]:
    """Everything that keeps this record from being there and equal; that it is, where nothing does."""
    route = list(diagnose_route(subject))
    yield from route
    link = reading.link_status(subject.source, subject.from_.number, subject.record)
    linked = link is not None and link.status == links.ACTIVE
    queue = list(queue_findings(subject, link.partner if link and linked else ""))
    yield from queue
    path = subject.path
    if link is not None and link.status in (links.DISCONNECTED, links.SEVERED):
        yield _cut(subject, link)
    elif path is not None and subject.target is not None:
        if not linked or link is None:
            yield from _unlinked(subject, path, row, explained=bool(queue))
        else:
            yield from waiting_lookups(subject, link.partner)
            yield from _compared(subject, path, link, queued=bool(queue))


def queue_findings(subject: Subject, partner: str) -> Iterator[Finding]:
    """What waits to be sent of the record and, where it is linked, of its partner: pending, retrying, failed."""
    ends = [(subject.source, subject.from_, subject.target, subject.to, subject.record, subject.partner_label)]
    if partner and subject.target is not None and subject.to is not None:
        label = subject.source.label
        ends.append((subject.target, subject.to, subject.source, subject.from_, partner, label))
    for org, from_, other, to, record, other_label in ends:
        held = reading.held_record(org, from_.number, record)
        if held is not None:
            entry = reading.log_number(org, from_.id, record)
            where = f", entry {entry} of the log of {org.label}" if entry is not None else ""
            why = f"{held.code}: {held.error}{where}"
            if held.next_retry:
                yield Finding(
                    severity=Severity.WARNING,
                    code="retrying",
                    what=f"{other_label} refused {record}; try {held.attempts + 1} is at {held.next_retry}",
                    why=why,
                    advice="mend the cause before that",
                    command=f"orgsync drain {subject.name} --from {from_.side}",
                )
            else:
                yield Finding(
                    severity=Severity.ERROR,
                    code="failed",
                    what=f"{other_label} refused {record} {counted(held.attempts, 'time')}; it has failed for good",
                    why=why,
                    advice="mend the cause, then send it again",
                    command=f"orgsync forward {subject.name} {subject.object} {record} --from {from_.side}",
                )
            continue
        for position, item in enumerate(read_queue(org, from_.number, other, to.number if to else 0), 1):
            if item.record == record and not item.next_retry:
                yield Finding(
                    severity=Severity.WARNING,
                    code="in-queue",
                    what=f"{record} is number {position} in the queue of {org.label} ({item.action})",
                    why=f"changed at {item.queued_at}, not sent yet",
                    command=f"orgsync drain {subject.name} --from {from_.side}",
                )
                break


def _cut(subject: Subject, link: reading.Link) -> Finding:
    if link.status == links.SEVERED:
        return Finding(
            severity=Severity.ERROR,
            code="severed",
            what=f"its link with {link.partner} in {subject.partner_label} is severed",
            why="it was deleted by sync and undeleted there, and only a forward from the primary restores the link",
            command=f"orgsync forward {subject.name} {subject.object} {subject.record}",
        )
    published = subject.path is not None
    return Finding(
        severity=Severity.ERROR,
        code="disconnected",
        what=f"its link with {link.partner} in {subject.partner_label} is disconnected",
        why=f"{subject.object} was unpublished, or the connection was deactivated",
        advice="" if published else f"publish {subject.object} again in the manifests, which revives the link",
        command=subject.command("forward", subject.object, subject.record) if published else "orgsync apply",
    )


def _unlinked(subject: Subject, path: Path, row: RecordRow, *, explained: bool) -> Iterator[Finding]:
    """Why the record was never copied."""
    if row.deleted:
        yield Finding(
            severity=Severity.INFO,
            code="deleted",
            what=f"it is deleted in {subject.source.label} and was never copied",
            why="deleted records are not copied",
            advice="undelete it where it is wanted",
        )
        return
    if not _allowed(subject, path):
        yield Finding(
            severity=Severity.INFO,
            code="never-goes",
            what=f"records of {subject.object} of this kind never go",
            why="contact case-team members, email drafts, inline images and the like stay in their org",
        )
        return
    if not explained:
        yield _never_sent(subject, row)
    values = reading.values_of(
        subject.source, subject.object, subject.record, [c.name for c in path.references if not c.person]
    )
    held = reading.held_record(subject.source, subject.from_.number, subject.record)
    needed = {column.name for column in path.references if column.required}
    needed |= {name for name, value in values.items() if held is not None and value == held.waits_for}
    for required in (True, False):
        parents = [(name, str(value)) for name, value in values.items() if value and (name in needed) is required]
        yield from missing_parents(subject, parents, required=required)


def _allowed(subject: Subject, path: Path) -> bool:
    """Whether records of this kind go at all (PUB-12)."""
    assert subject.pair is not None
    row = subject.pair.partners[subject.side.other].row(
        f'SELECT CASE WHEN {path.allowed} THEN 1 ELSE 0 END FROM partner.{quote(path.object)} AS s WHERE s."Id" = ?',
        [subject.record],
    )
    return bool(row and row[0])


def _never_sent(subject: Subject, row: RecordRow) -> Finding:
    assert subject.target is not None
    assert subject.to is not None
    bulk = reading.bulk_run(subject.target, subject.to.number, subject.object)
    since = reading.subscribed_since(subject.target, subject.to.number, subject.object) or ""
    again = subject.command("bulk-sync", "--object", subject.object)
    forward = subject.command("forward", subject.object, subject.record)
    if bulk is None:
        return Finding(
            severity=Severity.ERROR,
            code="not-bulk-synced",
            what=f"it was made at {row.created} and has never been copied",
            why=f"{subject.partner_label} has subscribed to {subject.object} since {since}; what was there before waits"
            " for a bulk sync",
            command=again,
        )
    if not bulk.finished and row.row > bulk.position:
        return _not_come_to(subject, bulk)
    if bulk.cutoff and row.created < bulk.cutoff and (row.modified < bulk.cutoff or row.modified >= bulk.started):
        return Finding(
            severity=Severity.ERROR,
            code="older-than-cutoff",
            what=f"it was older than the cutoff {bulk.cutoff} of the bulk sync that began at {bulk.started}",
            why=f"it was made at {row.created} and last changed at {row.modified}; changes of records that were never"
            " copied are not sent",
            command=forward,
        )
    return Finding(
        severity=Severity.ERROR,
        code="never-linked",
        what=f"it has never been copied to {subject.partner_label}",
        why=f"it was made at {row.created}; its making was not logged, or what was logged is gone",
        command=forward,
    )


def _not_come_to(subject: Subject, bulk: reading.BulkRun) -> Finding:
    """The bulk sync is on its way to the record, or was cut off before it (BLK-4)."""
    assert subject.pair is not None
    holder = holder_of_bulk(subject.pair.orgs[Side.PRIMARY], subject.name, subject.side)
    if holder is None:
        return Finding(
            severity=Severity.ERROR,
            code="bulk-sync-interrupted",
            what=f"the bulk sync of {subject.object} was cut off before it came to it",
            why=f"it began at {bulk.started}, and nobody is at it",
            advice="the next drain goes on where it was",
            command=subject.command("drain"),
        )
    return Finding(
        severity=Severity.WARNING,
        code="bulk-sync-unfinished",
        what=f"the bulk sync of {subject.object} has not come to it yet",
        why=f"it began at {bulk.started}, and {holder.holder} is at it (host {holder.host}, process {holder.pid})",
        advice="wait for it",
        command=f"orgsync status {subject.name}",
    )


def _compared(subject: Subject, path: Path, link: reading.Link, *, queued: bool) -> Iterator[Finding]:
    """What differs between two linked records."""
    assert subject.pair is not None
    one_way = subject.object not in subject.back
    found = compare_one(subject.pair, subject.side, path, subject.record, link.partner, one_way=one_way)
    if not found.linked:
        yield Finding(
            severity=Severity.ERROR,
            code="half-linked",
            what=f"{subject.source.label} has a link with {link.partner}, and {subject.partner_label} has none",
            command=subject.command("forward", subject.object, subject.record),
        )
    elif found.equal:
        if not queued:
            yield Finding(
                severity=Severity.OK,
                code="equal",
                what=f"nothing is wrong: {subject.record} in {subject.source.label} and {link.partner} in"
                f" {subject.partner_label} are linked since {link.since} and equal",
            )
    elif found.edited:
        yield Finding(
            severity=Severity.INFO,
            code="edited-in-secondary",
            what=f"it was edited in {subject.partner_label} after its last change in {subject.source.label}",
            why="one-way: the edit stands until the primary changes the field",
            command=subject.command("forward", subject.object, subject.record),
        )
    elif not queued:
        yield _differs(subject, found)


def _differs(subject: Subject, found: OneRecord) -> Finding:
    mend = f"orgsync verify {subject.name} --object {subject.object} --repair"
    if found.missing:
        return Finding(
            severity=Severity.ERROR,
            code="deleted-in-one",
            what="one of the two linked records is deleted or gone, the other one is not",
            why="nothing about it is queued",
            command=mend,
        )
    return Finding(
        severity=Severity.ERROR,
        code="stale",
        what=f"it differs in {', '.join(sorted(found.fields))}",
        why="nothing about it is queued",
        command=mend,
    )
