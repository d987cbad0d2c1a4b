"""Verifying by sample: a bounded number of ranges of linked records, chosen by chance from a seed (VER-1, REC-10).

Cheap enough for every unattended run: what it costs goes by the sample, not by what is linked.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.flow import Flow, Pair
from orgsync_reconcile.stores.sql.flow.continuity import check_continuity
from orgsync_reconcile.stores.sql.flow.hashes import RangeReader, Row, pending_records
from orgsync_reconcile.stores.sql.flow.paths import Path

#: Ranges of a sample, and the most records of one.
RANGES = 20
RECORDS = 100


@dataclass(frozen=True, kw_only=True)
class SampledDifference:
    """A pair of linked records that disagree; `fields` is empty where one of them is deleted or gone."""

    object: str
    primary_record: str
    secondary_record: str
    fields: tuple[str, ...]

    @property
    def line(self) -> str:
        """One line for people."""
        what = f"differs in {', '.join(self.fields)}" if self.fields else "is missing in one of the orgs"
        return f"{self.object} {self.primary_record}: {what}"


@dataclass(frozen=True, kw_only=True)
class SampleReport:
    """What a sample found. `in_flight` records have a change on its way and count as neither equal nor different."""

    ranges: int
    records: int
    in_flight: int
    differences: tuple[SampledDifference, ...]


@dataclass(frozen=True, kw_only=True)
class _Range:
    """Keys in (low, high] of one path, as Ids of the primary."""

    path: Path
    low: str
    high: str


def verify_sample(pair: Pair, *, clock: Clock, seed: int, ranges: int = RANGES, records: int = RECORDS) -> SampleReport:
    """Compares up to `ranges` ranges of up to `records` linked records each. One seed and the same links: one sample.

    An edit that stands in the secondary of a one-way object is no difference (PUB-7). No sync runs meanwhile. Raises
    StoreError where an org was restored from a backup.
    """
    check_continuity(pair)
    flow, back = Flow(pair, Side.PRIMARY), Flow(pair, Side.SECONDARY)
    with pair.lease():
        flow.finish(clock())
        back.finish(clock())
        with flow.source.snapshot(), flow.target.snapshot():
            return _compare(flow, back, list(_choose(flow, random.Random(seed), ranges, records)))


def _choose(flow: Flow, chance: random.Random, ranges: int, records: int) -> Iterator[_Range]:
    """Ranges that begin at links chosen by chance, so that an object is chosen as often as it has records."""
    db, number = flow.source.db, flow.pair.numbers[Side.PRIMARY]
    first, last = db.execute(
        "SELECT min(number), max(number) FROM main.orgsync_link WHERE connection = ? AND status = 1", [number]
    ).fetchone()
    if first is None:
        return
    paths = {path.source: path for path in flow.paths.values()}
    seen: set[tuple[str, str]] = set()
    for _ in range(ranges):
        object_number, start = db.execute(
            "SELECT object, local FROM main.orgsync_link WHERE connection = ? AND status = 1 AND number >= ?"
            " ORDER BY number LIMIT 1",
            [number, chance.randint(first, last)],
        ).fetchone()
        path = paths.get(object_number)
        if path is None or (path.object, start) in seen:
            continue
        seen.add((path.object, start))
        end = db.execute(
            "SELECT local FROM main.orgsync_link WHERE local >= ? AND local < ? AND connection = ? AND status = 1"
            " ORDER BY local LIMIT 1 OFFSET ?",
            [start, f"{start[:3]}~", number, records - 1],
        ).fetchone()
        # The key before the first one: no two Ids differ in their last character alone.
        yield _Range(path=path, low=start[:-1], high=end[0] if end else f"{start[:3]}~")


def _compare(flow: Flow, back: Flow, chosen: list[_Range]) -> SampleReport:
    numbers = flow.pair.numbers
    compared: set[str] = set()
    suspects: list[SampledDifference] = []
    for item in chosen:
        path = item.path
        ours = RangeReader(flow.source, numbers[Side.PRIMARY], Side.PRIMARY, path, flow.mentions).rows(
            item.low, item.high
        )
        theirs = RangeReader(flow.target, numbers[Side.SECONDARY], Side.SECONDARY, path, flow.mentions).rows(
            item.low, item.high
        )
        one_way = path.object not in back.paths
        for key in sorted((ours.keys() | theirs.keys()) - compared):
            compared.add(key)
            found = _difference(path, key, ours.get(key), theirs.get(key), one_way=one_way)
            if found is not None:
                suspects.append(found)
    on_the_way = _on_the_way(flow, back) if suspects else frozenset()
    differences = tuple(item for item in suspects if not {item.primary_record, item.secondary_record} & on_the_way)
    return SampleReport(
        ranges=len(chosen),
        records=len(compared),
        in_flight=len(suspects) - len(differences),
        differences=differences,
    )


def _difference(
    path: Path, key: str, ours: Row | None, theirs: Row | None, *, one_way: bool
) -> SampledDifference | None:
    if ours is not None and theirs is not None:
        if ours.texts == theirs.texts:
            return None
        if one_way and ours.changed and theirs.changed and theirs.changed > ours.changed:
            return None
    fields: tuple[str, ...] = ()
    if ours and theirs and ours.texts is not None and theirs.texts is not None:
        pairs = zip(path.columns, ours.texts, theirs.texts, strict=True)
        fields = tuple(column.name for column, one, other in pairs if one != other)
    return SampledDifference(
        object=path.object, primary_record=key, secondary_record=theirs.record if theirs else "", fields=fields
    )


def _on_the_way(flow: Flow, back: Flow) -> frozenset[str]:
    """The records of both orgs with a change that has not arrived."""
    numbers = flow.pair.numbers
    return pending_records(flow.source, numbers[Side.PRIMARY], flow.watermark()) | pending_records(
        back.source, numbers[Side.SECONDARY], back.watermark()
    )
