"""Verifying without a join: each org sums up its own records, and ranges that disagree are cut until they are found.

The way for stores that cannot be attached to one another (VER-1). Only sums, and the records of small ranges that
disagree, leave an org.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.flow import Flow
from orgsync_reconcile.stores.sql.flow.hashes import RangeReader, Row, differing, pending_records
from orgsync_reconcile.stores.sql.flow.paths import Path
from orgsync_reconcile.sync.verify_report import Difference, ObjectResult

#: Records per range at first, and into how many parts a range that disagrees is cut.
RANGE = 20_000
PARTS = 16
#: Ranges of up to this many records are read and compared record by record.
LEAF = 100


@dataclass(kw_only=True)
class _Tally:
    linked: int = 0
    different: int = 0
    missing_primary: int = 0
    missing_secondary: int = 0
    edited: int = 0
    listed: int = 0
    differences: list[Difference] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _Ends:
    """What comparing one object needs: both readers, and, one-way, what the primary has still to send."""

    path: Path
    primary: RangeReader
    secondary: RangeReader
    one_way: bool
    queued: frozenset[str]


def compare_hashes(
    flow: Flow, path: Path, *, one_way: bool, listed: int, within: tuple[str, str] | None = None
) -> tuple[ObjectResult, list[Difference]]:
    """Compares one object by sums, or its records whose Ids are `within` (low, high].

    The caller holds a snapshot of each org, primary and secondary. A link that only one org has counts as missing in
    the other. Values are canonical texts, references the primary's Ids.
    """
    numbers = flow.pair.numbers
    ends = _Ends(
        path=path,
        primary=RangeReader(flow.source, numbers[Side.PRIMARY], Side.PRIMARY, path, flow.mentions),
        secondary=RangeReader(flow.target, numbers[Side.SECONDARY], Side.SECONDARY, path, flow.mentions),
        one_way=one_way,
        queued=pending_records(flow.source, numbers[Side.PRIMARY], flow.watermark()) if one_way else frozenset(),
    )
    tally = _Tally()
    low, last = within or _all(flow, path)
    for high in ends.primary.boundaries(low, last, RANGE):
        _compare(ends, low, high, tally, listed)
        low = high
    faults = tally.different + tally.missing_primary + tally.missing_secondary
    result = ObjectResult(
        object=path.object,
        linked=tally.linked,
        equal=tally.linked - faults - tally.edited,
        different=tally.different,
        missing_primary=tally.missing_primary,
        missing_secondary=tally.missing_secondary,
        edited_in_secondary=tally.edited,
    )
    return result, tally.differences


def _all(flow: Flow, path: Path) -> tuple[str, str]:
    """A range of all Ids of the object in the primary."""
    (prefix,) = flow.source.db.execute(
        "SELECT key_prefix FROM main.orgsync_object WHERE number = ?", [path.source]
    ).fetchone()
    return prefix, f"{prefix}~"


def _compare(ends: _Ends, low: str, high: str, tally: _Tally, listed: int) -> None:
    """Counts one range; cuts it where the sums disagree."""
    ours, theirs = ends.primary.sum(low, high), ends.secondary.sum(low, high)
    if ours == theirs:
        tally.linked += ours.count
        return
    if max(ours.count, theirs.count) <= LEAF:
        _compare_rows(ends, low, high, tally, listed)
        return
    larger = ends.primary if ours.count >= theirs.count else ends.secondary
    step = -(-max(ours.count, theirs.count) // PARTS)
    for cut in larger.boundaries(low, high, step):
        _compare(ends, low, cut, tally, listed)
        low = cut


def _compare_rows(ends: _Ends, low: str, high: str, tally: _Tally, listed: int) -> None:
    primary, secondary = ends.primary.rows(low, high), ends.secondary.rows(low, high)
    for key in sorted(primary.keys() | secondary.keys()):
        tally.linked += 1
        ours, theirs = primary.get(key), secondary.get(key)
        if ours is None or theirs is None:
            tally.missing_primary += ours is None
            tally.missing_secondary += theirs is None
        elif ours.texts != theirs.texts:
            _disagreement(ends, key, ours, theirs, tally, listed)


def _disagreement(ends: _Ends, key: str, ours: Row, theirs: Row, tally: _Tally, listed: int) -> None:
    if _stands(ends, key, ours, theirs):
        tally.edited += 1
    elif ours.texts is None:
        tally.missing_primary += 1
    elif theirs.texts is None:
        tally.missing_secondary += 1
    else:
        tally.different += 1
        if tally.listed < listed:
            tally.listed += 1
            tally.differences.extend(_listed(ends, key, ours, theirs))


def _stands(ends: _Ends, key: str, ours: Row, theirs: Row) -> bool:
    """Whether this is an edit of the secondary that stands (PUB-7), by the same rule as the comparison by a join."""
    if not ends.one_way or ours.changed is None or theirs.changed is None:
        return False
    return theirs.changed > ours.changed and key not in ends.queued


def _listed(ends: _Ends, key: str, ours: Row, theirs: Row) -> Iterator[Difference]:
    for place in differing(ends.primary.columns, ours, theirs):
        yield Difference(
            object=ends.path.object,
            primary_record=key,
            secondary_record=theirs.record,
            field=ends.primary.columns[place],
            primary_value=ours.texts[place] if ours.texts else None,
            secondary_value=theirs.texts[place] if theirs.texts else None,
        )
