"""Syncing on after one of the two orgs was restored from a backup (QUE-3, VER-1)."""

from __future__ import annotations

from dataclasses import dataclass

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.model.connection import ConflictPolicy, Side
from orgsync_reconcile.stores.sql.flow import Flow, Pair
from orgsync_reconcile.stores.sql.flow.continuity import find_break
from orgsync_reconcile.stores.sql.flow.rejoin import Rejoined, rejoin
from orgsync_reconcile.sync.verify import VerifyReport, verify

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
    and the connection's policy where neither was. May be done twice: a run that was killed is finished by the next.
    """
    nothing = Rejoined(linked=0, ended=0, sent_again=0, kept=0)
    with pair.lease():
        found = find_break(pair)
        if found is not None:
            nothing = rejoin(pair, found.side, int(clock().timestamp() * 1000))
        for side in Side:
            Flow(pair, side).finish(clock())
    winner = source or (found.side.other if found else None)
    policy = _WINS[winner] if winner else None
    report = verify(pair, clock=clock, repair=True, policy=policy, edits_stand=source is not Side.PRIMARY)
    return Resynced(restored=found.side if found else None, rejoined=nothing, report=report)
