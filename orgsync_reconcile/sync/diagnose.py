"""Why a record or a user is missing or stale in the other org, and what mends it (DIA-1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orgsync_reconcile.catalog import checksum18, is_valid_id
from orgsync_reconcile.clock import Clock
from orgsync_reconcile.errors import StoreError, UsageError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql import diagnosis as reading
from orgsync_reconcile.stores.sql import links
from orgsync_reconcile.stores.sql.connections import find_connection
from orgsync_reconcile.stores.sql.flow.pair import Pair
from orgsync_reconcile.stores.sql.flow.paths import read_paths
from orgsync_reconcile.sync.diagnose_connection import diagnose_connection
from orgsync_reconcile.sync.diagnose_record import diagnose_record
from orgsync_reconcile.sync.diagnose_user import diagnose_user
from orgsync_reconcile.sync.diagnosis import Diagnosis, Finding, Severity, Subject
from orgsync_reconcile.sync.status import Ends

_ORDER = list(Severity)


def diagnose(
    name: str,
    ends: Ends,
    record: str,
    *,
    side: Side | None = None,
    down: Mapping[Side, str] | None = None,
    clock: Clock,
) -> Diagnosis:
    """Diagnoses one record by its Id in either org; `side` says in which where both could be meant.

    `down` tells why an end of `ends` is None. Raises UsageError for what is no Id, StoreError where no org is there to
    be asked or the connection is not made yet.
    """
    wanted = _full_id(record)
    side = _side_of(ends, wanted, side)
    source = ends[side]
    if source is None:
        raise StoreError((down or {}).get(side, f"the {side} org cannot be reached"))
    known = {end: find_connection(org, name) if org else None for end, org in ends.items()}
    from_ = known[side]
    if from_ is None:
        raise StoreError(f"there is no connection {name}", where=source.label, hint="run: orgsync apply")
    object_name = reading.object_of(source, wanted) or ""
    target, to = ends[side.other], known[side.other]
    pair = None
    if target is not None and to is not None:
        pair = Pair(source, target, name) if side is Side.PRIMARY else Pair(target, source, name)
    subject = Subject(
        name=name,
        side=side,
        object=object_name,
        record=wanted,
        source=source,
        target=target,
        from_=from_,
        to=to,
        pair=pair,
        paths=read_paths(source, target, from_.number, to.number) if target and to else {},
        back=read_paths(target, source, to.number, from_.number) if target and to else {},
        clock=clock,
    )
    subject = _sender(subject)
    findings = [*diagnose_connection(subject, (down or {}).get(side.other, "")), *_about(subject)]
    findings.sort(key=lambda item: _ORDER.index(item.severity))
    return _diagnosis(subject, wanted, findings)


def _diagnosis(subject: Subject, wanted: str, findings: list[Finding]) -> Diagnosis:
    swapped = subject.record != wanted
    org = subject.target if swapped else subject.source
    other = subject.source if swapped else subject.target
    link = reading.link_status(subject.source, subject.from_.number, subject.record)
    ours, theirs = subject.record, link.partner if link else ""
    return Diagnosis(
        connection=subject.name,
        object=subject.object,
        org=org.label if org else "",
        record=wanted,
        partner_org=other.label if other else subject.partner_label,
        partner_record=ours if swapped else theirs,
        linked_since=link.since if link and link.status == links.ACTIVE else "",
        findings=tuple(findings),
    )


def _full_id(record: str) -> str:
    """The 18 characters of an Id. Raises UsageError."""
    full = record + checksum18(record) if len(record) == 15 and record.isalnum() and record.isascii() else record
    if not is_valid_id(full):
        raise UsageError(
            f"{record!r} is not a record Id",
            hint="give the 18 characters of the record's Id, from its table or the log",
        )
    return full


def _side_of(ends: Ends, record: str, side: Side | None) -> Side:
    """Where the record is: where its row is, else whose Ids look so."""
    if side is not None:
        return side
    for end, org in ends.items():
        name = reading.object_of(org, record) if org else None
        if org and name and reading.record_row(org, name, record) is not None:
            return end
    for end, org in ends.items():
        if org is not None and org.code == record[3:6]:
            return end
    return Side.SECONDARY if ends[Side.PRIMARY] is None and ends[Side.SECONDARY] else Side.PRIMARY


def _sender(subject: Subject) -> Subject:
    """A linked record that only flows towards its own org is asked about from the other end."""
    if subject.target is None or subject.to is None or subject.object in subject.paths:
        return subject
    link = reading.link_status(subject.source, subject.from_.number, subject.record)
    if link is None or link.status == links.DISCONNECTED or subject.object not in subject.back:
        return subject
    return Subject(
        name=subject.name,
        side=subject.side.other,
        object=subject.object,
        record=link.partner,
        source=subject.target,
        target=subject.source,
        from_=subject.to,
        to=subject.from_,
        pair=subject.pair,
        paths=subject.back,
        back=subject.paths,
        clock=subject.clock,
    )


def _about(subject: Subject) -> Iterator[Finding]:
    row = reading.record_row(subject.source, subject.object, subject.record) if subject.object else None
    if row is None:
        yield _no_such_record(subject)
    elif subject.object == "User":
        yield from diagnose_user(subject)
    else:
        yield from diagnose_record(subject, row)


def _no_such_record(subject: Subject) -> Finding:
    link = reading.link_status(subject.source, subject.from_.number, subject.record) if subject.object else None
    if link is not None and link.status == links.ACTIVE:
        return Finding(
            severity=Severity.ERROR,
            code="gone",
            what=f"{subject.record} was deleted for good in {subject.source.label}, and its link is still there",
            why=f"its partner in {subject.partner_label} is {link.partner}",
            command=f"orgsync verify {subject.name} --object {subject.object} --repair",
        )
    kind = subject.object or f"an object with the key prefix {subject.record[:3]}"
    return Finding(
        severity=Severity.ERROR,
        code="no-such-record",
        what=f"there is no record {subject.record} of {kind} in {subject.source.label}",
        why="it was deleted for good, rolled back, or is of another org",
        advice="check the Id and --org",
    )
