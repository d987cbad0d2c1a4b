"""What becomes of staged records of which the target knows something already: by another way, or changed there too."""

from __future__ import annotations

from orgsync_reconcile.stores.sql.flow import conflicts, staging, stamps, writes
from orgsync_reconcile.stores.sql.flow.flow import Flow
from orgsync_reconcile.stores.sql.flow.network import has_several
from orgsync_reconcile.stores.sql.flow.roots import adopt
from orgsync_reconcile.stores.sql.flow.staging import Staged
from orgsync_reconcile.stores.sql.flow.writes import Target


def adopt_known(flow: Flow, staged: Staged, facts: Target) -> int:
    """Links staged new records that the target has already over another connection (CON-10); returns how many."""
    if not has_several(flow.target):
        return 0
    moment = (facts.connection, facts.now_ms, facts.seen)
    return adopt(flow.db, flow.partner, staged.paths, flow.source, flow.target, moment)


def widen_replaced(flow: Flow, facts: Target) -> None:
    """Inserts under Ids that are linked already become updates of all columns (ORG-7)."""
    found = flow.db.execute("SELECT DISTINCT object FROM temp.stage WHERE ins = 1 AND local IS NOT NULL").fetchall()
    objects = {row[0] for row in found}
    for path in flow.paths.values():
        if path.source in objects:
            flow.db.execute(writes.mask_of_linked_inserts(path, flow.words.width, facts))


def may_conflict(flow: Flow, window: tuple[int, int]) -> bool:
    """Whether the target has changed any staged record too, as far as the source does not know."""
    return conflicts.may_conflict(flow.db, _case(flow, window))


def settle_conflicts(flow: Flow, staged: Staged, facts: Target, window: tuple[int, int], *, ring: bool) -> None:
    """Takes out of the stage what loses against the target's changes, and what the target has seen already.

    `window` holds the staged entries of the log: low < seq <= high. In a ring the later change wins, whatever the policy.
    """
    db, words, paths = flow.db, flow.words, staged.paths
    if staged.source_waits:
        staging.leave_placeholders(db, paths)
    case = _case(flow, window)
    if flow.stamped and not ring and stamps.stage_lost(db, words, older_too=False):
        conflicts.take_out_lost(db, words)
    pending = conflicts.stage_pending(db, flow.partner, words, paths, case)
    if flow.stamped and ring:
        if stamps.stage_lost(db, words, older_too=True):
            if pending:
                conflicts.log_lost(db, paths, facts)
            conflicts.take_out_lost(db, words)
    elif pending:
        conflicts.resolve(db, flow.partner, words, paths, case, flow.pair.policy, facts)


def _case(flow: Flow, window: tuple[int, int]) -> conflicts.Case:
    (seen,) = flow.partner.row("SELECT seq FROM partner.orgsync_inbox WHERE connection = ?", [flow.numbers[0]])
    return conflicts.Case(
        here=flow.numbers[1],
        there=flow.numbers[0],
        watermark=seen,
        window=window,
        source=flow.side,
        stamped=flow.target.org_id if flow.stamped else "",
    )
