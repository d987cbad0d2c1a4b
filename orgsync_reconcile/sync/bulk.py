"""Bulk sync: the records that are already there, copied in one direction, parents first (BLK-*)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.errors import OrgsyncError, UsageError
from orgsync_reconcile.failpoints import FailPoint, reach
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.model.records import ObjectCounts
from orgsync_reconcile.stores.sqlite.flow import Flow, Pair
from orgsync_reconcile.stores.sqlite.flow.bulk import BulkFlow, Checkpoint, checkpoints
from orgsync_reconcile.stores.sqlite.flow.continuity import check_continuity
from orgsync_reconcile.stores.sqlite.flow.network import exchange
from orgsync_reconcile.stores.sqlite.flow.paths import Path
from orgsync_reconcile.sync.drain import Progress, finish_both

#: Source rows per range; each range is one transaction of the target.
RANGE = 50_000


def bulk_sync(
    pair: Pair,
    *,
    source: Side,
    objects: Sequence[str] = (),
    cutoff: datetime | None,
    limit: int | None = None,
    clock: Clock,
    progress: Progress | None = None,
) -> list[ObjectCounts]:
    """Copies records of published and subscribed objects that were created or modified since `cutoff` (None: all).

    `objects` empty means all; `limit` is a total over all objects, parents first, newest first. Records that are
    linked already are not copied again. Returns the counts per object in the order of copying. Raises UsageError for
    an object that does not flow, OrgsyncError while the connection is not active, StoreError where an org was restored from a
    backup.
    """
    for side in Side:
        if pair.status(side) is not ConnectionStatus.ACCEPTED:
            raise OrgsyncError(
                f"connection {pair.connection} is {pair.status(side).shown} in the {side} org",
                where=pair.orgs[side].label,
                hint=f"bring it to Active first: orgsync resume {pair.connection}, or orgsync apply",
            )
    check_continuity(pair)
    exchange(pair)
    flow = Flow(pair, source)
    paths = _chosen(flow, objects)
    back = Flow(pair, source.other)
    with pair.lease():
        finish_both(flow, back, clock())
    flow.watch_own_triggers()
    bulk = BulkFlow(flow, cutoff)
    done: list[ObjectCounts] = []
    for path in paths:
        if limit is None:
            done.append(_copy_all(flow, back, bulk, path, clock, progress))
            continue
        left = limit - sum(item.copied for item in done)
        done.append(_copy_some(flow, back, bulk, path, left, clock))
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
    flow: Flow, back: Flow, bulk: BulkFlow, path: Path, clock: Clock, progress: Progress | None
) -> ObjectCounts:
    """Copies one object range by range."""
    checkpoint = bulk.start(path, clock())
    reach(FailPoint.BULK_AFTER_CHECKPOINT)
    counts = ObjectCounts(object=path.object)
    total = checkpoint.remaining
    position, end = checkpoint.position, bulk.last_row(path)
    while True:
        high = min(position + RANGE, end)
        with flow.pair.lease():
            now = clock()
            finish_both(flow, back, now)
            part = _commit(flow, partial(bulk.copy, path, position, high, now), now)
        counts.copied += part.copied
        counts.failed += part.failed
        if progress:
            progress(path.object, min(counts.copied + counts.failed, total), total)
        position = high
        if position >= end:
            return counts


def _copy_some(flow: Flow, back: Flow, bulk: BulkFlow, path: Path, limit: int, clock: Clock) -> ObjectCounts:
    if limit <= 0:
        return ObjectCounts(object=path.object)
    with flow.pair.lease():
        now = clock()
        finish_both(flow, back, now)
        bulk.start(path, now)
        return _commit(flow, partial(bulk.copy_newest, path, limit, now), now)


def _commit(flow: Flow, copy: Callable[[], ObjectCounts], now: datetime) -> ObjectCounts:
    """One range in the target's transaction, then the source learns of it. The caller holds the lease."""
    with flow.target.transaction():
        counts = copy()
        reach(FailPoint.BULK_BEFORE_TARGET_COMMIT)
    reach(FailPoint.BULK_AFTER_TARGET_COMMIT)
    flow.finish(now)
    reach(FailPoint.BULK_AFTER_SOURCE_MIRROR)
    return counts


def progress_of(pair: Pair, source: Side) -> list[Checkpoint]:
    """How far the bulk syncs from `source` have come, as any process can see it (BLK-5)."""
    return list(checkpoints(Flow(pair, source)))
