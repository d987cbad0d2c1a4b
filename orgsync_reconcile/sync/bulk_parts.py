"""A bulk sync in parts: ranges of one object's records, copied wherever both orgs can be opened (BLK-*).

A range and the note that it is done commit together in the target, so a range that is done twice copies nothing the
second time. The links reach the source when no range is under way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.failpoints import FailPoint, reach
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.records import ObjectCounts
from orgsync_reconcile.stores.sql.flow import Pair, flows_of
from orgsync_reconcile.stores.sql.flow.bulk import BulkFlow
from orgsync_reconcile.sync.again import again
from orgsync_reconcile.workers.crew import Crew, Done


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkPart:
    """Rows (low, high] of the source's object; `started` tells the bulk sync that they belong to, in ms."""

    source: Side
    object: str
    cutoff: datetime | None
    started: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class BulkCrew:
    """Who copies the parts, and by which function."""

    crew: Crew
    work: Callable[[BulkPart], ObjectCounts]
    #: In this process: who tells the source while ranges are copied. What goes wrong is not tried again, and told as it is.
    herald: Herald | None = None

    def run(self, parts: Sequence[BulkPart], at_once: int | None) -> Iterator[Done[BulkPart, ObjectCounts]]:
        """Does the parts, at most so many at a time (None: as many as there are workers)."""
        return self.crew.run(self.work, parts, at_once=at_once, pauses=None if self.herald is None else ())


class Herald(Protocol):
    """Lets the source know what the target has, beside the copying."""

    def tell(self) -> None:
        """Begins to tell of all that is committed. Nobody is copying, and the caller does not hold the lease."""

    def told(self) -> None:
        """Waits until that was told. Raises what went wrong."""


def _told() -> None:
    """Nothing is being told while ranges are copied."""


def copy_part(pair: Pair, part: BulkPart, clock: Clock, told: Callable[[], None] = _told) -> ObjectCounts:
    """Copies one part, in one transaction, while no drain runs; copies nothing where that was done before.

    Before it commits it waits by `told` for what the source is being told meanwhile.
    """
    flow = flows_of(pair)[part.source]
    path = flow.paths.get(part.object)
    if path is None:
        raise OrgsyncError(f"{part.object} does not flow over {pair.connection} any more", hint="run it again")
    bulk = BulkFlow(flow, part.cutoff)

    def whole() -> ObjectCounts:
        with flow.target.transaction():
            if not bulk.claim(path, part.started, part.low, part.high):
                return ObjectCounts(object=part.object)
            counts = bulk.copy_beside_others(path, part.low, part.high, clock(), told=told)
            reach(FailPoint.BULK_BEFORE_TARGET_COMMIT)
        return counts

    with pair.lease(shared=True):
        counts = again(whole)
    reach(FailPoint.BULK_AFTER_TARGET_COMMIT)
    return counts
