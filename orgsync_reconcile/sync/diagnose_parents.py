"""Parents that are not in the other org: the chain up to the first one that can be sent (DIA-1, LKP-2, USR-5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orgsync_reconcile.stores.sql import diagnosis as reading
from orgsync_reconcile.stores.sql import links
from orgsync_reconcile.sync.diagnosis import Finding, Severity, Subject

#: How far up a chain of parents is followed.
_HIGHEST = 10


def missing_parents(subject: Subject, parents: Sequence[tuple[str, str]], *, required: bool) -> Iterator[Finding]:
    """A finding per parent that is not in the target; `parents` are (field, Id), the field empty where not known."""
    for field, parent in parents:
        if _is_there(subject, parent):
            continue
        chain = _chain(subject, parent)
        top_object, top = chain[-1]
        names = " below ".join(f"{name} {record}" for name, record in chain)
        published = top_object in subject.paths
        yield Finding(
            severity=Severity.ERROR if required else Severity.INFO,
            code="parent-not-copied",
            what=f"its parent{f' ({field})' if field else ''} is not in {subject.partner_label}: {names}",
            why="it is refused until the parent is there"
            if required
            else "it goes without, and the lookup is filled in when the parent arrives",
            advice="" if published else f"publish {top_object} in the manifests first",
            command=_next(subject, top_object, top),
        )


def waiting_lookups(subject: Subject, partner: str) -> Iterator[Finding]:
    """Lookups of the copied record that wait for their parent, and users that somebody stands in for."""
    assert subject.target is not None
    assert subject.to is not None
    for item in reading.waiting_references(subject.target, subject.to.number, partner):
        parent_object = reading.object_of(subject.source, item.parent) or "a record"
        if parent_object == "User":
            stand_in = reading.username_of(subject.target, item.placeholder or "")
            yield Finding(
                severity=Severity.WARNING,
                code="owner-substituted",
                what=f"{item.field} is {stand_in} in {subject.partner_label}, in place of"
                f" {reading.username_of(subject.source, item.parent)}",
                why="that user is not there; the true one is filled in when they arrive, and it is no change",
                command=f"orgsync diagnose {subject.name} {item.parent}",
            )
            continue
        chain = _chain(subject, item.parent)
        top_object, top = chain[-1]
        published = top_object in subject.paths
        yield Finding(
            severity=Severity.WARNING,
            code="lookup-waits",
            what=f"{item.field} waits in {subject.partner_label} for "
            + " below ".join(f"{name} {record}" for name, record in chain),
            why="the parent has not been copied; it is filled in when it arrives",
            advice="" if published else f"publish {top_object} in the manifests first",
            command=_next(subject, top_object, top),
        )


def _next(subject: Subject, name: str, record: str) -> str:
    """The command that brings a missing parent, or says what it was refused for."""
    if name not in subject.paths:
        return "orgsync apply"
    if reading.held_record(subject.source, subject.from_.number, record) is not None:
        return f"orgsync diagnose {subject.name} {record}"
    return subject.command("forward", name, record)


def _is_there(subject: Subject, record: str) -> bool:
    link = reading.link_status(subject.source, subject.from_.number, record)
    if link is not None:
        return link.status in (links.ACTIVE, links.REFERENCE)
    if subject.target is None or subject.to is None:
        return False
    # References and links that are not mirrored yet are known in the target alone.
    row = subject.target.db.execute(
        "SELECT 1 FROM main.orgsync_link WHERE partner = ? AND connection = ? AND status IN (?, ?)",
        [record, subject.to.number, links.ACTIVE, links.REFERENCE],
    ).fetchone()
    return row is not None


def _chain(subject: Subject, record: str) -> list[tuple[str, str]]:
    """(object, Id) from a missing parent up to the highest one that is missing too."""
    chain: list[tuple[str, str]] = []
    current: str | None = record
    while current is not None and len(chain) < _HIGHEST and current not in {item[1] for item in chain}:
        name = reading.object_of(subject.source, current) or "a record"
        chain.append((name, current))
        path = subject.paths.get(name)
        above = None
        if path is not None and reading.record_row(subject.source, name, current) is not None:
            columns = [column.name for column in path.references if not column.person]
            values = reading.values_of(subject.source, name, current, columns)
            above = next(
                (str(value) for value in values.values() if value and not _is_there(subject, str(value))), None
            )
        current = above
    return chain
