"""Bulk sync: the records that are already there, copied in one direction, parents first (BLK-*)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import itemgetter

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.errors import (
    LockHeldError,
    OrgsyncError,
    PartialError,
    StoreBusyError,
    UnreachableError,
    UsageError,
)
from orgsync_reconcile.failpoints import FailPoint, reach
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.model.records import ObjectCounts
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.stores.sql.flow import Flow, Pair
from orgsync_reconcile.stores.sql.flow.bulk import BulkFlow, Checkpoint
from orgsync_reconcile.stores.sql.flow.continuity import check_continuity
from orgsync_reconcile.stores.sql.flow.network import exchange
from orgsync_reconcile.stores.sql.flow.paths import Path
from orgsync_reconcile.stores.sql.leases import bulk_lease, lease
from orgsync_reconcile.sync.again import again
from orgsync_reconcile.sync.bulk_lanes import WORTH, bulk_lanes
from orgsync_reconcile.sync.bulk_parts import BulkCrew, BulkPart
from orgsync_reconcile.sync.control import is_active
from orgsync_reconcile.sync.drain import Progress, finish_both

#: Source rows per range; each range is one transaction of the target.
RANGE = 50_000
#: Ranges per worker before the source learns of them.
_ROUND = 2


def bulk_sync(
    pair: Pair,
    *,
    source: Side,
    objects: Sequence[str] = (),
    cutoff: datetime | None,
    limit: int | None = None,
    clock: Clock,
    progress: Progress | None = None,
    holder: str = "orgsync",
    lock_timeout: float = 0.0,
    crew: BulkCrew | None = None,
) -> list[ObjectCounts]:
    """Copies records of published and subscribed objects that were created or modified since `cutoff` (None: all).

    `objects` empty means all; `limit` is a total over all objects, parents first, newest first. Records that are
    linked already are not copied again. Returns the counts per object in the order of copying. Raises UsageError for
    an object that does not flow, OrgsyncError while the connection is not active, StoreError where an org was restored
    from a backup.

    It is alone per connection and direction (BLK-4): `holder` is who others are told of, `lock_timeout` the seconds to
    wait for another one. The lock of a process that is gone is taken over. Raises LockHeldError.

    With a `crew`, and without `limit`, the ranges of each object are copied by others, several at a time where both
    stores take several writers. Raises PartialError where ranges failed: another run goes on with them.
    """
    for side in Side:
        if pair.status(side) is not ConnectionStatus.ACCEPTED:
            raise OrgsyncError(
                f"connection {pair.connection} is {pair.status(side).shown} in the {side} org",
                where=pair.orgs[side].label,
                hint=f"bring it to Active first: orgsync resume {pair.connection}, or orgsync apply",
            )
    name = bulk_lease(pair.connection, source)
    with lease(pair.orgs[Side.PRIMARY], name, holder, clock, lock_timeout):
        return _copy(pair, source, objects, cutoff, limit, clock, progress, crew)


def _copy(
    pair: Pair,
    source: Side,
    objects: Sequence[str],
    cutoff: datetime | None,
    limit: int | None,
    clock: Clock,
    progress: Progress | None,
    crew: BulkCrew | None,
) -> list[ObjectCounts]:
    """The bulk sync itself; nobody else runs one in this direction meanwhile."""
    check_continuity(pair)
    exchange(pair)
    flow = Flow(pair, source)
    paths = _chosen(flow, objects)
    back = Flow(pair, source.other)
    with pair.lease():
        finish_both(flow, back, clock)
    flow.watch_own_triggers()
    bulk = BulkFlow(flow, cutoff)
    done: list[ObjectCounts] = []
    if limit is None:
        # All of them stand in the queue from the start, so that a run that is cut off is known as a whole (BLK-4).
        for path in paths:
            bulk.start(path, clock())
    for path in paths:
        if limit is None:
            done.append(_copy_all(flow, back, bulk, path, clock, progress, crew))
            continue
        left = limit - sum(item.copied for item in done)
        done.append(_copy_some(flow, back, bulk, path, left, clock))
    return done


def resume_bulk(pair: Pair, *, source: Side, clock: Clock) -> list[ObjectCounts]:
    """Goes on with bulk syncs from `source` that were cut off, unless a process is at them (BLK-4, QUE-2).

    Cheap where there are none. Raises what `bulk_sync` raises.
    """
    there = pair.numbers[source.other]
    target = pair.orgs[source.other].db
    rows = target.execute(
        "SELECT cutoff, object FROM main.orgsync_bulk WHERE connection = ? AND finished IS NULL ORDER BY cutoff, object",
        [there],
    ).fetchall()
    if not rows or not is_active(pair):
        return []
    done: list[ObjectCounts] = []
    flowing = Flow(pair, source).paths
    for cutoff, group in groupby(rows, key=itemgetter(0)):
        objects = [name for _, name in group if name in flowing]
        if objects:
            moment = datetime.fromisoformat(cutoff) if cutoff else None
            try:
                done += bulk_sync(pair, source=source, objects=objects, cutoff=moment, clock=clock)
            except LockHeldError:
                # Somebody is at it: only the lock itself can tell, numbers of processes repeat.
                return done
    return done


def _chosen(flow: Flow, objects: Sequence[str]) -> list[Path]:
    unknown = [name for name in objects if name not in flow.paths]
    if unknown:
        raise UsageError(
            f"{', '.join(unknown)} is not published by {flow.source.label} and subscribed by {flow.target.label}",
            hint="add a Publication to the manifests and apply it first",
        )
    return [path for path in flow.paths.values() if not objects or path.object in objects]


def _copy_all(
    flow: Flow,
    back: Flow,
    bulk: BulkFlow,
    path: Path,
    clock: Clock,
    progress: Progress | None,
    crew: BulkCrew | None,
) -> ObjectCounts:
    """Copies one object range by range."""
    before = bulk.start(path, clock())
    reach(FailPoint.BULK_AFTER_CHECKPOINT)
    end = bulk.last_row(path)
    missing = bulk.missing(path, end, RANGE)
    with ExitStack() as stack:
        if crew is None and len(missing) >= WORTH and flow.pair.many_writers and bulk.goes_in_any_order(path):
            # A server may have no room for more sessions than the ones that are there.
            with suppress(StoreBusyError):
                crew = stack.enter_context(bulk_lanes(flow.pair, flow.side, clock))
        if crew is None:
            ranges = _copy_here(flow, back, bulk, path, missing, clock)
        else:
            parts = [
                BulkPart(
                    source=flow.side, object=path.object, cutoff=bulk.moment, started=before.started, low=low, high=high
                )
                for low, high in missing
            ]
            ranges = _copy_there(flow, back, bulk, parts, clock, crew)
        for _ in ranges:
            if progress:
                moved = _since(bulk.counts(path), before)
                progress(path.object, min(moved.copied + moved.failed, before.remaining), before.remaining)
    with flow.pair.lease():
        bulk.finish(path, end, clock())
    return _since(bulk.counts(path), before)


def _since(counts: ObjectCounts, before: Checkpoint) -> ObjectCounts:
    """What was copied, and what failed, since a checkpoint."""
    return ObjectCounts(
        object=counts.object, copied=counts.copied - before.copied, failed=counts.failed - before.failed
    )


def _copy_here(
    flow: Flow, back: Flow, bulk: BulkFlow, path: Path, missing: Sequence[tuple[int, int]], clock: Clock
) -> Iterator[None]:
    """Copies these ranges in this process; yields after each."""
    for low, high in missing:
        with flow.pair.lease():
            now = clock()
            finish_both(flow, back, clock)
            _commit(flow, partial(bulk.copy, path, low, high, now), now)
        yield


def _copy_there(
    flow: Flow, back: Flow, bulk: BulkFlow, parts: Sequence[BulkPart], clock: Clock, crew: BulkCrew
) -> Iterator[None]:
    """Has these ranges copied by others; yields after each. Raises PartialError where some failed.

    In rounds: after each one a drain that waits gets its turn, and the source learns of its links: by a herald while the
    next round is copied, where there is one.
    """
    at_once = None if all(org.many_writers for org in flow.pair.orgs.values()) else 1
    left = list(parts)
    with flow.pair.lease():
        again(partial(bulk.pair_references, clock()))
    while left:
        size = max(crew.crew.size(), 1) * _ROUND
        batch, left = left[:size], left[size:]
        failed: list[Exception] = []
        for done in crew.run(batch, at_once):
            if done.error is not None:
                failed.append(done.error)
            yield
        if crew.herald is not None:
            crew.herald.told()
        with flow.pair.lease():
            again(bulk.fill)
            if crew.herald is None or failed or not left:
                finish_both(flow, back, clock)
                reach(FailPoint.BULK_AFTER_SOURCE_MIRROR)
        if crew.herald is not None and left and not failed:
            crew.herald.tell()
        if failed:
            raise _explain(failed, parts[0].object) if crew.herald is None else failed[0]


def _explain(failed: Sequence[Exception], name: str) -> OrgsyncError:
    """What to tell of ranges that were not copied; an org that cannot be reached is told as such (SUS-3)."""
    first = failed[0]
    if isinstance(first, UnreachableError):
        return first
    error = PartialError(
        f"{counted(len(failed), 'range')} of {name} could not be copied: {first}",
        hint="run it again: it goes on with what is missing",
    )
    error.__cause__ = first
    return error


def _copy_some(flow: Flow, back: Flow, bulk: BulkFlow, path: Path, limit: int, clock: Clock) -> ObjectCounts:
    if limit <= 0:
        return ObjectCounts(object=path.object)
    with flow.pair.lease():
        now = clock()
        finish_both(flow, back, clock)

        def copy() -> ObjectCounts:
            # In one transaction: a limited run that is cut off must not go on as one without a limit.
            bulk.start(path, now)
            return bulk.copy_newest(path, limit, now)

        return _commit(flow, copy, now)


def _commit(flow: Flow, copy: Callable[[], ObjectCounts], now: datetime) -> ObjectCounts:
    """One range in the target's transaction, then the source learns of it. The caller holds the lease."""

    def whole() -> ObjectCounts:
        with flow.target.transaction():
            counts = copy()
            reach(FailPoint.BULK_BEFORE_TARGET_COMMIT)
        return counts

    counts = again(whole)
    reach(FailPoint.BULK_AFTER_TARGET_COMMIT)
    again(partial(flow.finish, now))
    reach(FailPoint.BULK_AFTER_SOURCE_MIRROR)
    return counts
