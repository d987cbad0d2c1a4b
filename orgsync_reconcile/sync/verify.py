"""Proving that both orgs agree on every published field of every linked record, and queueing what mends them (VER-1)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace

from orgsync_reconcile.clock import Clock, milliseconds
from orgsync_reconcile.model.connection import ConflictPolicy, Side
from orgsync_reconcile.stores.sql.flow import Flow, Pair
from orgsync_reconcile.stores.sql.flow.continuity import check_continuity
from orgsync_reconcile.stores.sql.flow.disagreements import Disagreements
from orgsync_reconcile.stores.sql.flow.paths import Path
from orgsync_reconcile.stores.sql.flow.repair import plan_repair, queue_repair
from orgsync_reconcile.sync.drain import Progress
from orgsync_reconcile.sync.lanes import close_rounds
from orgsync_reconcile.sync.verify_hashes import compare_hashes
from orgsync_reconcile.sync.verify_parts import Compared, RunParts, VerifyPart, compare_joined, cut, join_parts
from orgsync_reconcile.sync.verify_report import Difference, ObjectResult, RepairResult, VerifyReport

__all__ = ["LISTED", "Difference", "ObjectResult", "RepairResult", "VerifyReport", "verify", "verify_by_hashes"]

#: Records whose differences are listed per object; the counts are always complete.
LISTED = 100


def verify(
    pair: Pair,
    *,
    clock: Clock,
    objects: Sequence[str] = (),
    listed: int = LISTED,
    repair: bool = False,
    policy: ConflictPolicy | None = None,
    edits_stand: bool = True,
) -> VerifyReport:
    """Compares every linked record over the paths from primary to secondary, in one snapshot of the secondary.

    Lookups that wait for their parent and users that a stand-in replaces count as equal: they are recorded as such.
    So do, one-way, records that were edited in the secondary after the primary's last change of them; they are counted
    apart (PUB-7). At most `listed` records per object are listed; the counts cover all.

    `repair` queues what differs in the org that wins by the connection's policy, so that the next drain mends it;
    records with a change on its way are left to that. No sync runs meanwhile. `policy` says otherwise who wins, and
    without `edits_stand` a one-way edit in the secondary is a difference too.

    Raises StoreError where an org was restored from a backup.
    """
    check_continuity(pair)
    return verify_joined(
        pair, clock=clock, objects=objects, listed=listed, repair=repair, policy=policy, edits_stand=edits_stand
    )


def verify_joined(
    pair: Pair,
    *,
    clock: Clock,
    objects: Sequence[str] = (),
    listed: int = LISTED,
    repair: bool = False,
    policy: ConflictPolicy | None = None,
    edits_stand: bool = True,
    same_ids: bool = False,
) -> VerifyReport:
    """`verify` of orgs whose positions are known to fit together; rows that are gone come back under the `same_ids`."""
    flow = Flow(pair, Side.PRIMARY)
    with pair.lease():
        flow.finish(clock())
    with pair.lease() if repair else nullcontext():
        back = Flow(pair, Side.SECONDARY)
        if repair:
            close_rounds(flow, back, clock)
        with flow.target.snapshot():
            report, unequal = _compare(flow, back, clock, objects, listed, edits_stand=edits_stand)
        if not repair:
            return report
        result = _repair(flow, back, unequal, policy or pair.policy, clock, same_ids=same_ids)
    return replace(report, repair=result)


def _repair(
    flow: Flow,
    back: Flow,
    unequal: Sequence[Disagreements],
    policy: ConflictPolicy,
    clock: Clock,
    *,
    same_ids: bool,
) -> RepairResult:
    """Queues what mends these objects, part by part. The caller holds the lease."""
    winners = {Side.PRIMARY: 0, Side.SECONDARY: 0}
    sent_as_new = 0
    for found in unequal:
        for part in plan_repair(found, policy):
            queue_repair(flow.pair, part, (flow, back), milliseconds(clock()), same_ids=same_ids)
            for item in part:
                winners[item.winner] += 1
                sent_as_new += item.op == "I" and not same_ids
    return RepairResult(
        from_primary=winners[Side.PRIMARY], from_secondary=winners[Side.SECONDARY], sent_as_new=sent_as_new
    )


def _compare(
    flow: Flow, back: Flow, clock: Clock, objects: Sequence[str], listed: int, *, edits_stand: bool
) -> tuple[VerifyReport, list[Disagreements]]:
    """The report, and the objects that are not equal."""
    facts = flow.target_facts(clock())
    results: list[ObjectResult] = []
    differences: list[Difference] = []
    unequal: list[Disagreements] = []
    for path in _chosen(flow, objects):
        found = Disagreements(flow, path, facts, back.paths.get(path.object), edits_stand=edits_stand)
        compared = compare_joined(found, listed)
        results.append(compared.result)
        differences.extend(compared.differences)
        if compared.result.faults:
            unequal.append(found)
    return VerifyReport(objects=tuple(results), differences=tuple(differences)), unequal


def _chosen(flow: Flow, objects: Sequence[str]) -> list[Path]:
    return [path for path in flow.paths.values() if not objects or path.object in objects]


def verify_by_hashes(pair: Pair, *, clock: Clock, objects: Sequence[str] = (), listed: int = LISTED) -> VerifyReport:
    """The same verification without reading one org from the other: by sums over ranges of Ids, cut where they differ.

    No sync runs meanwhile, since the two orgs are read in a snapshot each.
    """
    check_continuity(pair)
    flow, back = Flow(pair, Side.PRIMARY), Flow(pair, Side.SECONDARY)
    results: list[ObjectResult] = []
    differences: list[Difference] = []
    with pair.lease():
        close_rounds(flow, back, clock)
        flow.finish(clock())
        back.finish(clock())
        with flow.source.snapshot(), flow.target.snapshot():
            for path in _chosen(flow, objects):
                one_way = path.object not in back.paths
                result, found = compare_hashes(flow, path, one_way=one_way, listed=listed)
                results.append(result)
                differences.extend(found)
    return VerifyReport(objects=tuple(results), differences=tuple(differences))


def verify_in_parts(
    pair: Pair,
    run: RunParts,
    *,
    clock: Clock,
    objects: Sequence[str] = (),
    listed: int = LISTED,
    repair: bool = False,
    hashes: bool = False,
    progress: Progress | None = None,
) -> VerifyReport:
    """`verify`, or with `hashes` `verify_by_hashes`, whose parts are compared by `run`; the report is the same.

    Each part is read in snapshots of its own. `progress` is told of all links, under the name "". Raises what kept a
    part from being compared.
    """
    check_continuity(pair)
    flow, back = Flow(pair, Side.PRIMARY), Flow(pair, Side.SECONDARY)
    with pair.lease():
        flow.finish(clock())
        if hashes:
            back.finish(clock())
    paths = _chosen(flow, objects)
    with pair.lease() if repair or hashes else nullcontext():
        if repair or hashes:
            close_rounds(flow, back, clock)
        parts = [part for path in paths for part in cut(flow, path, listed=listed, hashes=hashes)]
        total = sum(part.links for part in parts)
        found: list[tuple[VerifyPart, Compared]] = []
        for done in run(parts):
            found.append((done.part, done.value()))
            if progress:
                progress("", sum(part.links for part, _ in found), total)
        report = join_parts([path.object for path in paths], found, listed)
        if not repair:
            return report
        faulty = {item.object for item in report.objects if item.faults}
        facts = flow.target_facts(clock())
        unequal = [
            Disagreements(flow, path, facts, back.paths.get(path.object)) for path in paths if path.object in faulty
        ]
        result = _repair(flow, back, unequal, pair.policy, clock, same_ids=False)
    return replace(report, repair=result)
