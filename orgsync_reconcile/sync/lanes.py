"""Several processes that drain one connection share the work: they take lanes of a round, side by side (QUE-3).

Whoever holds the lease and finds much to send opens a round; whoever comes next finds it open, and helps. A lane whose
process dies is taken by another at once: what was claimed ends with the claiming session, and what was done is noted
with the data.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from functools import partial

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.errors import DisturbedError
from orgsync_reconcile.failpoints import FailPoint, reach
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.records import add_counts
from orgsync_reconcile.stores.sql.flow import BatchResult, Flow, keep_up
from orgsync_reconcile.stores.sql.flow.rounds import Round, Rounds
from orgsync_reconcile.stores.sql.leases import bulk_lease, leases
from orgsync_reconcile.sync.again import again

#: More processes than this wait for one another more than they send.
MOST = 16


def open_round(flow: Flow, size: int, clock: Clock) -> Round | None:
    """Opens a round of `size` log entries per process, where there are several and it is worth it.

    The caller holds the lease and has finished both directions; no round is open.
    """
    workers = min(flow.pair.workers(), MOST)
    if workers < 2 or _copies_in_bulk(flow):
        return None
    return Rounds(flow).open(size * workers, workers, clock())


def _copies_in_bulk(flow: Flow) -> bool:
    """Whether a bulk sync is under way: its ranges are written under the shared lease as well."""
    names = {bulk_lease(flow.pair.connection, side) for side in Side}
    return any(item.name in names for item in leases(flow.pair.orgs[Side.PRIMARY]))


def help_with(flow: Flow, clock: Clock) -> BatchResult:
    """Takes part in the open round of a direction as long as there is something to take; returns what this process did.

    Whoever finds all lanes done goes on to the next phase, or closes the round and tells the source.
    """
    rounds = Rounds(flow)
    with flow.pair.lease(shared=True):
        keep_up(flow)
        current = rounds.current()
        if current is None:
            return BatchResult(seq=flow.watermark(), more=True)
        result = BatchResult(seq=current.low, more=True)
        try:
            for lane in _in_some_order(current.lanes):
                _take_claimed(rounds, current, lane, clock, result)
        except DisturbedError:
            # Others hold what this lane writes, again and again: it goes when nobody else is at work.
            pass
    with flow.pair.lease():
        now_open = rounds.current()
        if now_open != current:
            return result
        _take_what_is_left(rounds, current, clock, result)
        step = again(partial(rounds.advance, current))
        reach(FailPoint.DRAIN_AFTER_TARGET_COMMIT)
        if rounds.current() is None:
            again(partial(flow.finish, clock()))
            reach(FailPoint.DRAIN_AFTER_SOURCE_MIRROR)
    result.seq, result.more = step.seq, step.more
    return result


def close_rounds(flow: Flow, back: Flow, clock: Clock) -> None:
    """Does alone what is left of rounds that processes which are gone had opened, and tells their sources.

    The caller holds the lease, and begins what cannot stand on half a round.
    """
    for one in (back, flow):
        _close_round(one, clock)


def _close_round(flow: Flow, clock: Clock) -> None:
    rounds = Rounds(flow)
    current = rounds.current()
    if current is None:
        return
    while current is not None:
        _take_what_is_left(rounds, current, clock, BatchResult(seq=current.low, more=True))
        again(partial(rounds.advance, current))
        current = rounds.current()
    again(partial(flow.finish, clock()))


def _take_claimed(rounds: Rounds, current: Round, lane: int, clock: Clock, result: BatchResult) -> None:
    release = rounds.claim(current.phase, lane)
    if release is None:
        return
    try:
        if lane not in rounds.done(current.phase):
            _take(rounds, current, lane, clock, result)
    finally:
        release()


def _take_what_is_left(rounds: Rounds, current: Round, clock: Clock, result: BatchResult) -> None:
    """Under the lease nobody else has a lane: what is not done was left by a process that is gone, or refused to be shared."""
    for lane in sorted(set(range(current.lanes)) - rounds.done(current.phase)):
        _take(rounds, current, lane, clock, result)


def _take(rounds: Rounds, current: Round, lane: int, clock: Clock, result: BatchResult) -> None:
    reach(FailPoint.ROUND_BEFORE_LANE)
    taken = again(partial(rounds.take, current, lane, clock()))
    reach(FailPoint.ROUND_AFTER_LANE)
    for counts in taken.counts.values():
        add_counts(result.counts, counts)


def _in_some_order(lanes: int) -> Iterable[int]:
    """All lanes, beginning anywhere: processes that begin at the same moment seldom ask for the same one."""
    first = random.randrange(lanes)
    return [(first + step) % lanes for step in range(lanes)]
