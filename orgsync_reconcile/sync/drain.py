"""Sending queued changes: each org's log, in order, to the other org (QUE-1, QUE-3, QUE-4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.failpoints import FailPoint, reach
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.records import ObjectCounts, add_counts
from orgsync_reconcile.stores.sql.flow import BatchResult, Flow, Pair, backlog, flows_of, keep_up, send_batch
from orgsync_reconcile.stores.sql.flow.continuity import check_continuity
from orgsync_reconcile.stores.sql.flow.network import exchange
from orgsync_reconcile.stores.sql.flow.rounds import Rounds
from orgsync_reconcile.stores.sql.flow.waiting import has_waiting
from orgsync_reconcile.sync.again import again
from orgsync_reconcile.sync.control import deliver, is_active
from orgsync_reconcile.sync.lanes import close_rounds, help_with, open_round
from orgsync_reconcile.sync.users import finish_users, upsert_users

#: Log entries per batch: large enough for set statements, small enough to keep the target's lock short.
BATCH = 20_000
#: The same where others write to the target meanwhile: there larger sets cost less for each entry.
SERVER_BATCH = 50_000

#: Called with (object or "", entries done, entries in all).
Progress = Callable[[str, int, int], None]


def drain(
    pair: Pair,
    *,
    sides: Sequence[Side] = (Side.PRIMARY, Side.SECONDARY),
    clock: Clock,
    max_records: int | None = None,
    progress: Progress | None = None,
) -> list[ObjectCounts]:
    """Sends what is queued, from each of `sides` in turn, until its queue is empty or `max_records` entries are done.

    Returns the counts per object over both directions, sorted by object. Control events go ahead of the records
    (QUE-2). A suspended side sends nothing but that it is (SUS-1). Raises StoreError where an org was restored from a
    backup.
    """
    with pair.at_work():
        return _drain(pair, sides, clock, max_records, progress)


def _drain(
    pair: Pair, sides: Sequence[Side], clock: Clock, max_records: int | None, progress: Progress | None
) -> list[ObjectCounts]:
    check_continuity(pair)
    exchange(pair)
    totals: dict[str, ObjectCounts] = {}
    left = max_records
    flows: dict[Side, Flow] = {}
    deliver(pair, sides=sides, clock=clock)
    for side in sides:
        if not is_active(pair):
            break
        finish_users(pair.orgs[side], pair.orgs[side.other], pair.connection, side, clock)
        if not flows:
            flows = flows_of(pair)
            _begin(flows[side], flows[side.other], clock, totals)
        left = _drain_side(flows[side], flows[side.other], clock, left, totals, progress)
        if left == 0:
            break
    return [totals[name] for name in sorted(totals)]


def _drain_side(
    flow: Flow, back: Flow, clock: Clock, left: int | None, totals: dict[str, ObjectCounts], progress: Progress | None
) -> int | None:
    """Drains one direction; returns what is left of the allowance."""
    flow.watch_own_triggers()
    start = flow.watermark()
    # A log that is trimmed empty may say nothing of how far it went.
    end = max(flow.head(), start)
    more = end > start or backlog.due(flow, clock()) or has_waiting(flow)
    most = SERVER_BATCH if flow.target.many_writers else BATCH
    while more and left != 0:
        size = most if left is None else min(most, left)
        before = flow.watermark()
        if deliver(flow.pair, sides=(flow.side,), clock=clock):
            if not is_active(flow.pair):
                return left
            flow.refresh()
            back.refresh()
        _send_people(flow, size * flow.pair.workers(), clock)
        result = _step(flow, back, size, clock, alone=left is not None)
        for counts in result.counts.values():
            add_counts(totals, counts)
        if left is not None:
            left = max(left - max(result.seq - before, 1), 0)
        if progress:
            progress("", min(result.seq, end) - start, end - start)
        more = result.more or (backlog.due(flow, clock()) and bool(result.seq > before or result.retried))
    return left


def _step(flow: Flow, back: Flow, size: int, clock: Clock, *, alone: bool) -> BatchResult:
    """A batch, or what this process takes of a round that several share."""
    with flow.pair.lease():
        keep_up(flow, back)
        under_way = _under_way(flow, back)
        if under_way is None:
            _tell(flow, back, clock)
            if alone or open_round(flow, size, clock) is None:
                now = clock()
                result = again(partial(_batch, flow, size, now))
                reach(FailPoint.DRAIN_AFTER_TARGET_COMMIT)
                again(partial(flow.finish, now))
                reach(FailPoint.DRAIN_AFTER_SOURCE_MIRROR)
                return result
            under_way = flow
    result = help_with(under_way, clock)
    if under_way is back:
        result.seq, result.more = flow.watermark(), True
    return result


def _begin(flow: Flow, back: Flow, clock: Clock, totals: dict[str, ObjectCounts]) -> None:
    """Makes good what a killed process left, once this one has taken part in what others share."""
    while True:
        with flow.pair.lease():
            under_way = _under_way(flow, back)
            if under_way is None:
                _tell(flow, back, clock)
                return
        for counts in help_with(under_way, clock).counts.values():
            add_counts(totals, counts)


def _under_way(flow: Flow, back: Flow) -> Flow | None:
    """The direction in which a round is open; there is one at most."""
    return next((one for one in (back, flow) if Rounds(one).current() is not None), None)


def _batch(flow: Flow, size: int, now: datetime) -> BatchResult:
    with flow.target.transaction():
        flow.take_turn()
        result = send_batch(flow, size, now)
        reach(FailPoint.DRAIN_BEFORE_TARGET_COMMIT)
    return result


def finish_both(flow: Flow, back: Flow, clock: Clock) -> None:
    """Makes good what a killed process left, in both directions, before anything is sent. The caller holds the lease.

    `back` is the way back: a record that came over it, but whose link only the receiving org knows, would otherwise be
    sent to where it came from as a new one.
    """
    close_rounds(flow, back, clock)
    _tell(flow, back, clock)


def _tell(flow: Flow, back: Flow, clock: Clock) -> None:
    """Lets both orgs know what became of what they sent. The caller holds the lease, and no round is open."""
    for one in (back, flow):
        again(partial(one.finish, clock()))


def _send_people(flow: Flow, size: int, clock: Clock) -> None:
    """Users go before the records that name them (USR-3, USR-5)."""
    changed = backlog.people(flow, size)
    if changed:
        upsert_users(flow.source, flow.target, flow.pair.connection, flow.side, changed, clock=clock)
