"""What the sync engine reports: counts, queue items, log entries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(kw_only=True, slots=True)
class ObjectCounts:
    """How many records of one object a drain or bulk sync moved. The one mutable noun: it is summed up."""

    object: str
    copied: int = 0
    updated: int = 0
    deleted: int = 0
    failed: int = 0
    #: Records that wait: for a parent, or for their next retry.
    held: int = 0

    @property
    def moved(self) -> int:
        """Everything that arrived."""
        return self.copied + self.updated + self.deleted


def add_counts(totals: dict[str, ObjectCounts], counts: ObjectCounts) -> None:
    """Adds to the row of the object."""
    total = totals.setdefault(counts.object, ObjectCounts(object=counts.object))
    total.copied += counts.copied
    total.updated += counts.updated
    total.deleted += counts.deleted
    total.failed += counts.failed
    total.held += counts.held


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueItem:
    """One outgoing item (QUE-1). Times are ISO 8601 text, empty where there is none.

    A control event has the name of its object or connection for `object`, and what it is about for `record`.
    """

    org: str
    action: str
    object: str
    record: str
    queued_at: str = ""
    attempts: int = 0
    next_retry: str = ""
    error: str = ""
    #: Of a control event, what it tells.
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEntry:
    """One entry of an org's sync log (LOG-1)."""

    number: int
    org: str
    object: str
    record: str
    event: str
    status: str
    error_code: str = ""
    description: str = ""
    at: str = ""
