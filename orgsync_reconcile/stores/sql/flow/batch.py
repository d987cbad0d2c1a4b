"""One batch of the source's log: staged, settled and written in one transaction of the target (QUE-3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from orgsync_reconcile.model.records import ObjectCounts
from orgsync_reconcile.stores.sql.flow import backlog, bringing, delivery, settling, staging, stamps
from orgsync_reconcile.stores.sql.flow.disturbance import require_undisturbed
from orgsync_reconcile.stores.sql.flow.flow import Flow
from orgsync_reconcile.stores.sql.flow.references import refresh_references
from orgsync_reconcile.stores.sql.flow.waiting import fill_waiting, has_waiting
from orgsync_reconcile.stores.sql.flow.writes import Target
from orgsync_reconcile.stores.sql.layout import MAX_HOPS


@dataclass(kw_only=True)
class BatchResult:
    """What one batch did. `seq` is the new watermark; `more` says that the log goes on."""

    seq: int
    more: bool
    counts: dict[str, ObjectCounts] = field(default_factory=dict)
    #: How many staged records were held ones that got their next try.
    retried: int = 0


def send_batch(flow: Flow, limit: int, now: datetime) -> BatchResult:
    """Moves the next `limit` entries of the log, and the held records that are due. One transaction in the target.

    The caller holds the pair's lease. After it, `Flow.finish` tells the source. Raises DisturbedError where others have
    changed meanwhile what the batch writes.
    """
    with flow.target.transaction(), flow.partner.reading():
        if flow.stamped:
            stamps.fold(flow.db, flow.target.org_id, staging.Words(width=flow.target.engine.mask_width()))
        low = flow.watermark()
        high, hops, head = backlog.window(flow, low, limit)
        flow.partner.bring("orgsync_change", "s.seq > ? AND s.seq <= ?", [low, high])
        staged = staging.stage_log(flow.db, flow.words, flow.paths, flow.numbers, (low, high))
        retried = _stage_held(flow, now, staged)
        if staged or retried:
            staging.leave_severed(flow.db, flow.numbers[1])
        result = BatchResult(seq=high, more=high < head, retried=retried)
        waits = has_waiting(flow)
        if staged or retried or waits:
            facts = flow.target_facts(now)
            refresh_references(flow.db, flow.partner, flow.numbers[1], facts.now_ms)
            if staged or retried:
                result.counts = move_staged(flow, facts, (low, high), hops)
            with flow.guard.marked(hops + 1):
                fill_waiting(flow)
        flow.move_watermark(high)
    return result


def move_staged(flow: Flow, facts: Target, window: tuple[int, int], hops: int) -> dict[str, ObjectCounts]:
    """Settles what both orgs changed, and writes temp.stage; `window` holds the staged entries of the log. Counts per object.

    Raises DisturbedError where others have changed meanwhile what it writes.
    """
    # From here on: whatever is committed before it is seen when conflicts are looked for.
    moment = flow.db.moment()
    staged = bringing.bring_logged(flow, window)
    if not staged.alone:
        known = settling.adopt_known(flow, staged, facts)
        settling.widen_replaced(flow, facts)
        settling.settle_conflicts(flow, staged, facts, window, ring=flow.pair.ring or known > 0)
    with flow.guard.marked(hops + 1):
        kinds = staged.kinds if staged.alone else ()
        counts = delivery.write_staged(flow, facts, kinds, looping=hops >= MAX_HOPS)
    if moment is not None:
        require_undisturbed(flow.db, moment)
    return counts


def _stage_held(flow: Flow, now: datetime, staged: int) -> int:
    if not bringing.bring_held(flow):
        return 0
    return staging.stage_held(flow.db, flow.words, flow.numbers, backlog.not_due(flow, now)) - staged
