"""Forwarding records by hand, with those that go along (FWD-1 to FWD-3)."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from orgsync_reconcile.catalog import checksum18
from orgsync_reconcile.clock import Clock
from orgsync_reconcile.errors import OrgsyncError, UsageError
from orgsync_reconcile.failpoints import FailPoint, reach
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.model.records import ObjectCounts, add_counts
from orgsync_reconcile.stores.sql.filters import compile_filter
from orgsync_reconcile.stores.sql.flow import Flow, Pair
from orgsync_reconcile.stores.sql.flow.continuity import check_continuity
from orgsync_reconcile.stores.sql.flow.forwarding import Forwarding
from orgsync_reconcile.stores.sql.flow.network import exchange
from orgsync_reconcile.stores.sql.flow.paths import Path
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.sync.drain import Progress, finish_both

#: Records per transaction of the target.
PART = 20_000
#: Records that exist only below another one follow it by themselves (FWD-3), with a case its team and feed among them
#: (FWD-2): object -> the field that names the record above. Members of a predefined team are case-team members.
CHILD_ONLY: Mapping[str, str] = MappingProxyType(
    {
        "CaseComment": "ParentId",
        "CaseTeamMember": "ParentId",
        "Attachment": "ParentId",
        "FeedItem": "ParentId",
        "FeedComment": "FeedItemId",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Forwarded:
    """What a forward did: counts per object, how many records were asked for, and went along, and links restored."""

    objects: tuple[ObjectCounts, ...]
    asked: int
    along: int
    restored: int


def forward(
    pair: Pair,
    *,
    source: Side,
    object_name: str,
    records: Sequence[str] = (),
    where: str | None = None,
    related: Sequence[str] = (),
    clock: Clock,
    progress: Progress | None = None,
) -> Forwarded:
    """Sends records as they are now: these Ids, or all that satisfy the filter `where`, whatever any cutoff (FWD-1).

    Records that are new to the other org are inserted (or matched, BLK-6), linked ones get the values that differ, cut
    links are restored, held and failed ones tried again. `related` are objects whose records point to the chosen ones.
    Raises UsageError for an object that does not flow, a filter that cannot be read, a related object without a lookup,
    and records that cannot go (nothing is sent then); OrgsyncError while the connection is not active.
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
    path = _path(flow, object_name)
    objects = Objects(flow.source)
    condition = None if where is None else compile_filter(objects[object_name], where, flow.partner.dialect)
    below = {name: _lookups(flow, objects, name, object_name) for name in dict.fromkeys(related)}
    back = Flow(pair, source.other)
    with pair.lease():
        finish_both(flow, back, clock)
    flow.watch_own_triggers()
    forwarding = Forwarding(flow)
    if condition is not None:
        forwarding.choose(path, condition)
    _refuse_missing(flow, path, forwarding.choose_ids(path, [full_id(item) for item in records]))
    asked = forwarding.last()
    for name in flow.paths:
        if name in below:
            forwarding.choose_children(flow.paths[name], below[name])
    for name in flow.paths:
        if name in CHILD_ONLY:
            forwarding.choose_children(flow.paths[name], [CHILD_ONLY[name]])
    along = forwarding.last() - asked
    counts, restored = _send(flow, back, forwarding, clock, progress)
    return Forwarded(objects=counts, asked=asked, along=along, restored=restored)


def _send(
    flow: Flow, back: Flow, forwarding: Forwarding, clock: Clock, progress: Progress | None
) -> tuple[tuple[ObjectCounts, ...], int]:
    totals: dict[str, ObjectCounts] = {}
    restored, place, end = 0, 0, forwarding.last()
    while place < end:
        high = min(place + PART, end)
        with flow.pair.lease():
            now = clock()
            finish_both(flow, back, clock)
            counts, links = forwarding.send(place, high, now)
            flow.finish(now)
            reach(FailPoint.FORWARD_AFTER_SOURCE_MIRROR)
        restored += links
        for item in counts.values():
            add_counts(totals, item)
        place = high
        if progress:
            progress("", place, end)
    return tuple(totals[name] for name in sorted(totals)), restored


def _nearest(name: str, known: Sequence[str], otherwise: str) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else otherwise


def _path(flow: Flow, name: str) -> Path:
    if name not in flow.paths:
        raise UsageError(
            f"{name} is not published by {flow.source.label} and subscribed by {flow.target.label}",
            hint=_nearest(name, list(flow.paths), "add a Publication to the manifests and apply it first"),
        )
    return flow.paths[name]


def _lookups(flow: Flow, objects: Objects, name: str, parent: str) -> list[str]:
    """The fields of a related object that point to the parent. Raises UsageError where it has none."""
    _path(flow, name)
    found = [item.name for item in objects[name].references() if {parent, "*"} & set(item.reference_to)]
    if not found:
        others = [
            other
            for other in flow.paths
            if any({parent, "*"} & set(item.reference_to) for item in objects[other].references())
        ]
        raise UsageError(
            f"{name} has no lookup to {parent}, so none of it is related",
            hint=f"related to {parent} are: {', '.join(others)}" if others else f"nothing published points to {parent}",
        )
    return found


def full_id(text: str) -> str:
    """An Id as orgs hold it: 15 characters get their suffix. Raises UsageError."""
    try:
        return text[:15] + checksum18(text[:15]) if len(text) in (15, 18) else text + checksum18(text)
    except ValueError:
        raise UsageError(f"{text[:40]!r} is no record Id", hint="an Id has 15 or 18 letters and digits") from None


def _refuse_missing(flow: Flow, path: Path, missing: Sequence[str]) -> None:
    if not missing:
        return
    problems = []
    for record in missing:
        row = flow.source.db.execute(
            f'SELECT "IsDeleted" FROM main."{path.object}" WHERE "Id" = ?', [record]
        ).fetchone()
        what = f"no {path.object} of this org" if row is None else "deleted" if row[0] else "of a kind that never syncs"
        problems.append(f"{record} is {what}")
    raise UsageError(
        "; ".join(problems),
        where=flow.source.label,
        hint="nothing was sent; undelete deleted records first, and forward from the org that has the record",
    )
