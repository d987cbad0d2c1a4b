"""Syncing on after one of the two orgs was restored from a backup (QUE-3, VER-1)."""

from __future__ import annotations

from dataclasses import dataclass

from orgsync_reconcile.clock import Clock, milliseconds
from orgsync_reconcile.failpoints import FailPoint, reach
from orgsync_reconcile.model.connection import ConflictPolicy, Side
from orgsync_reconcile.stores.sql.flow import Flow, Pair
from orgsync_reconcile.stores.sql.flow.continuity import find_break
from orgsync_reconcile.stores.sql.flow.rejoin import Rejoined, Rejoining, forget_mark
from orgsync_reconcile.sync.verify import VerifyReport, verify_joined

_WINS = {Side.PRIMARY: ConflictPolicy.PRIMARY_WINS, Side.SECONDARY: ConflictPolicy.SECONDARY_WINS}


@dataclass(frozen=True, kw_only=True)
class Resynced:
    """Which org was restored (None: neither), what joining it again did, and what the comparison has queued."""

    restored: Side | None
    rejoined: Rejoined
    report: VerifyReport


def resync(pair: Pair, *, source: Side | None = None, clock: Clock) -> Resynced:
    """Joins a restored org to its partner again, compares all linked records, and queues what differs.

    Where a record differs, `source` wins; without it the org that was not restored, since it has what the backup lacks;
    and the connection's policy where neither was. May be done twice: a run that was killed is finished by the next, and
    no other sync runs before that.
    """
    with pair.lease():
        found = find_break(pair)
        rejoined = _rejoin(pair, found.side, milliseconds(clock())) if found else Rejoined()
        for side in Side:
            Flow(pair, side).finish(clock())
    winner = source or (found.side.other if found else None)
    policy = _WINS[winner] if winner else None
    report = verify_joined(
        pair,
        clock=clock,
        repair=True,
        policy=policy,
        edits_stand=source is not Side.PRIMARY,
        same_ids=found is not None,
    )
    if found:
        reach(FailPoint.RESYNC_AFTER_REPAIR)
        with pair.lease():
            forget_mark(pair, found.side)
    return Resynced(restored=found.side if found else None, rejoined=rejoined, report=report)


def _rejoin(pair: Pair, restored: Side, now_ms: int) -> Rejoined:
    """Positions, counters and links. The caller holds the lease."""
    joining = Rejoining(pair, restored, now_ms)
    joining.keep_apart()
    reach(FailPoint.RESYNC_AFTER_KEPT_APART)
    ended, kept = joining.end_links()
    reach(FailPoint.RESYNC_AFTER_PARTNER_COMMIT)
    linked, sent_again = joining.restore_links()
    reach(FailPoint.RESYNC_AFTER_RESTORED_COMMIT)
    return Rejoined(linked=linked, ended=ended, sent_again=sent_again, kept=kept)
