"""Ranges of a bulk sync that this process copies at the same time, over sessions of their own, where orgs are on servers.

While one session waits for the source's records, another writes them, and a third tells the source of the ranges before:
neither server is idle meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from queue import SimpleQueue
from threading import Event

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.failpoints import FailPoint, reach
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.records import ObjectCounts
from orgsync_reconcile.stores.sql.flow import Pair, flows_of
from orgsync_reconcile.sync.again import again
from orgsync_reconcile.sync.bulk_parts import BulkCrew, BulkPart, copy_part
from orgsync_reconcile.workers.threads import ThreadCrew

#: How many ranges are under way.
LANES = 2
#: From so many ranges on, more sessions pay.
WORTH = 4
#: How the thread's name begins that tells the source.
HERALD = "orgsync-herald"


@contextmanager
def bulk_lanes(pair: Pair, source: Side, clock: Clock) -> Iterator[BulkCrew]:
    """Those who copy ranges from `source` in this process, as long as the block. Raises UnreachableError and its kin."""
    free: SimpleQueue[Pair] = SimpleQueue()
    with ExitStack() as stack:
        # Its sessions stay open until its thread has ended.
        theirs = stack.enter_context(pair.another())
        thread = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix=HERALD))
        herald = _Herald(theirs, source, clock, thread)
        for _ in range(LANES):
            free.put(stack.enter_context(pair.another()))

        def copy(part: BulkPart) -> ObjectCounts:
            own = free.get()
            try:
                return copy_part(own, part, clock, herald.told)
            finally:
                free.put(own)

        yield BulkCrew(stack.enter_context(ThreadCrew(LANES)), copy, herald)


class _Herald:
    """Tells the source in a thread, over a pair of its own."""

    def __init__(self, pair: Pair, source: Side, clock: Clock, thread: ThreadPoolExecutor) -> None:
        self._pair = pair
        self._source = source
        self._clock = clock
        self._thread = thread
        self._telling: Future[None] | None = None

    def tell(self) -> None:
        begun = Event()
        self._telling = self._thread.submit(self._tell, begun)
        # A lane that had the lease first would wait for this one, and this one for a drain that waits for the lane.
        begun.wait()

    def told(self) -> None:
        if self._telling is not None:
            self._telling.result()

    def _tell(self, begun: Event) -> None:
        try:
            with self._pair.lease(shared=True):
                begun.set()
                again(partial(flows_of(self._pair)[self._source].finish, self._clock()))
            reach(FailPoint.BULK_AFTER_SOURCE_MIRROR)
        finally:
            begun.set()
