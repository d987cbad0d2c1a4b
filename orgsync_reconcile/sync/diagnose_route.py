"""Whether records of an object can get across at all: published, subscribed, and of the same metadata (DIA-1)."""

from __future__ import annotations

from collections.abc import Iterator

from orgsync_reconcile.catalog import publishable_object, unpublishable_field
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.schema import ObjectDef
from orgsync_reconcile.stores.sql import diagnosis as reading
from orgsync_reconcile.stores.sql.publication_reader import read_published, read_subscribed
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.sync.diagnosis import Finding, Severity, Subject
from orgsync_reconcile.sync.metadata import shown

#: Names of fields in one finding.
_NAMED = 8


def diagnose_route(subject: Subject) -> Iterator[Finding]:
    """Findings about the object, its fields and the record's record type."""
    definition = Objects(subject.source)[subject.object]
    never = publishable_object(definition)
    if never is not None:
        yield Finding(
            severity=Severity.INFO,
            code="not-publishable",
            what=f"{subject.object} {never}",
            why="records of such objects are never sent",
        )
        return
    published = read_published(subject.source, subject.name, subject.object).get(subject.object)
    if published is None:
        yield _not_published(subject)
        return
    yield from _left_out(subject, definition, published.fields)
    if subject.target is None or subject.to is None:
        return
    theirs = Objects(subject.target)
    if subject.object not in theirs:
        yield Finding(
            severity=Severity.ERROR,
            code="object-missing",
            what=f"{subject.partner_label} has no object {subject.object}",
            why="the metadata of the orgs does not match",
            command=_metadata_command(subject),
        )
        return
    subscribed = read_subscribed(subject.target, subject.name, subject.object).get(subject.object)
    if subscribed is None:
        yield Finding(
            severity=Severity.ERROR,
            code="not-subscribed",
            what=f"{subject.partner_label} has not subscribed to {subject.object}",
            why="it is published; nothing is sent before the other org accepts it",
            command="orgsync apply",
        )
        return
    yield from _mismatches(subject, definition, theirs[subject.object], published.fields, dict(subscribed.dropped))
    yield from _record_type(subject, definition)


def _not_published(subject: Subject) -> Finding:
    if subject.side is Side.SECONDARY and subject.object in subject.back:
        return Finding(
            severity=Severity.ERROR,
            code="one-way",
            what=f"{subject.object} goes one way, and this record was made in the secondary",
            why="nothing is sent from the secondary to the primary",
            advice=f"make {subject.object} two-way in the manifests",
            command="orgsync apply",
        )
    return Finding(
        severity=Severity.ERROR,
        code="not-published",
        what=f"{subject.source.label} does not publish {subject.object} over {subject.name}",
        why="only records of published objects are sent",
        advice=f"add a Publication of {subject.object} to the manifests, then apply and bulk sync",
        command=f"orgsync apply && {subject.command('bulk-sync', '--object', subject.object)}",
    )


def _left_out(subject: Subject, definition: ObjectDef, published: frozenset[str]) -> Iterator[Finding]:
    names = [
        field.name
        for field in definition.fields.values()
        if field.name not in published and unpublishable_field(field) is None and not field.is_reference
    ]
    values = reading.values_of(subject.source, subject.object, subject.record, names)
    filled = [name for name, value in values.items() if value not in (None, "", 0)]
    if filled:
        yield Finding(
            severity=Severity.INFO,
            code="fields-not-published",
            what=f"fields of this record that are not published: {_listed(filled)}",
            why="their values stay in each org",
            advice="include them in the Publication where they are wanted",
            command="orgsync apply",
        )


def _mismatches(
    subject: Subject, ours: ObjectDef, theirs: ObjectDef, published: frozenset[str], dropped: dict[str, str]
) -> Iterator[Finding]:
    for name, reason in sorted(dropped.items()):
        yield Finding(
            severity=Severity.ERROR,
            code="field-dropped",
            what=f"{subject.object}.{name} unsubscribed itself in {subject.partner_label}",
            why=reason,
            advice="make the field the same in both orgs, then subscribe again",
            command="orgsync apply",
        )
    for name in sorted(published - dropped.keys()):
        mine, other = ours.fields.get(name), theirs.fields.get(name)
        if mine is None or (other is not None and other.shape == mine.shape):
            continue
        there = "is missing" if other is None else f"is {shown(other.shape)}"
        yield Finding(
            severity=Severity.ERROR,
            code="metadata-mismatch",
            what=f"{subject.object}.{name} {there} in {subject.partner_label}; in {subject.source.label} it is"
            f" {shown(mine.shape)}",
            why="a field flows only where it has one shape in both orgs",
            command=_metadata_command(subject),
        )


def _record_type(subject: Subject, definition: ObjectDef) -> Iterator[Finding]:
    if subject.target is None or "RecordTypeId" not in definition.fields:
        return
    value = reading.values_of(subject.source, subject.object, subject.record, ["RecordTypeId"])["RecordTypeId"]
    found = reading.record_type(subject.source, str(value)) if value else None
    if found is not None and not reading.has_record_type(subject.target, *found):
        yield Finding(
            severity=Severity.ERROR,
            code="record-type-missing",
            what=f"{subject.partner_label} has no record type {'.'.join(found)}, which this record has",
            why="record types are matched by name, so the record is there without",
            command=_metadata_command(subject),
        )


def _metadata_command(subject: Subject) -> str:
    """Metadata goes from the primary only; what the secondary has alone is made in the primary by hand."""
    return f"orgsync metadata sync {subject.name} && orgsync apply"


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
