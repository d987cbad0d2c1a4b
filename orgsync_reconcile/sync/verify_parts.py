"""A verification in parts: ranges of the primary's Ids, compared wherever both orgs can be opened (VER-1).

The parts together find what one comparison of each object finds, in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.flow import Flow, Pair
from orgsync_reconcile.stores.sql.flow.disagreements import Disagreements
from orgsync_reconcile.stores.sql.flow.paths import Path
from orgsync_reconcile.sync.verify_hashes import compare_hashes
from orgsync_reconcile.sync.verify_report import Difference, ObjectResult, VerifyReport
from orgsync_reconcile.workers.crew import Done

#: Links per part. A worker opens both orgs for each part, which takes a fraction of the comparison.
PART = 50_000


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifyPart:
    """The links of one object whose Id in the primary is in (low, high]: so many, as they were cut."""

    object: str
    low: str
    high: str
    links: int
    #: Differing records that are listed at most.
    listed: int
    hashes: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """What comparing one part found."""

    result: ObjectResult
    differences: tuple[Difference, ...]


#: Does all parts, here or elsewhere, and tells of each as it ends.
RunParts = Callable[[Sequence[VerifyPart]], Iterator[Done[VerifyPart, Compared]]]


def cut(flow: Flow, path: Path, *, listed: int, hashes: bool) -> Iterator[VerifyPart]:
    """The parts of an object, in order; they leave no Id out."""
    (prefix,) = flow.source.db.execute(
        "SELECT key_prefix FROM orgsync_object WHERE number = ?", [path.source]
    ).fetchone()
    low, last = prefix, f"{prefix}~"
    while low < last:
        end, links = flow.db.execute(
            "SELECT max(partner), count(*) FROM (SELECT partner FROM main.orgsync_link WHERE partner > ? AND partner <= ?"
            " AND connection = ? AND status = 1 ORDER BY partner LIMIT ?) AS part",
            [low, last, flow.numbers[1], PART],
        ).fetchone()
        high = end if links == PART else last
        yield VerifyPart(object=path.object, low=low, high=high, links=links, listed=listed, hashes=hashes)
        low = high


def compare_part(pair: Pair, part: VerifyPart, clock: Clock) -> Compared:
    """Compares one part in a snapshot of each org. Raises OrgsyncError where the object does not flow any more."""
    flow, back = Flow(pair, Side.PRIMARY), Flow(pair, Side.SECONDARY)
    path = flow.paths.get(part.object)
    if path is None:
        raise OrgsyncError(f"{part.object} does not flow over {pair.connection} any more", hint="verify again")
    if not part.hashes:
        with flow.target.snapshot():
            found = Disagreements(flow, path, flow.target_facts(clock()), back.paths.get(path.object))
            found.within(part.low, part.high)
            return compare_joined(found, part.listed)
    with flow.source.snapshot(), flow.target.snapshot():
        one_way = path.object not in back.paths
        result, differences = compare_hashes(
            flow, path, one_way=one_way, listed=part.listed, within=(part.low, part.high)
        )
        return Compared(result=result, differences=tuple(differences))


def compare_joined(found: Disagreements, listed: int) -> Compared:
    """Compares by the join. The caller holds a snapshot of the secondary."""
    counts, edited = found.less_exceptions(found.counts())
    result = ObjectResult(
        object=found.path.object,
        linked=counts.linked,
        equal=counts.equal,
        different=counts.different,
        missing_primary=counts.missing_source,
        missing_secondary=counts.missing_target,
        edited_in_secondary=edited,
    )
    differences = (
        Difference(
            object=found.path.object,
            primary_record=item.source_record,
            secondary_record=item.target_record,
            field=item.field,
            primary_value=item.source_value,
            secondary_value=item.target_value,
        )
        for item in (found.differences(listed) if counts.different else ())
    )
    return Compared(result=result, differences=tuple(differences))


def join_parts(names: Iterable[str], found: Sequence[tuple[VerifyPart, Compared]], listed: int) -> VerifyReport:
    """The report of these objects, in this order, as if each had been compared in one go."""
    results: list[ObjectResult] = []
    differences: list[Difference] = []
    for name in names:
        ordered = sorted((item for item in found if item[0].object == name), key=lambda item: item[0].low)
        result = ordered[0][1].result
        for _, part in ordered[1:]:
            result = _sum(result, part.result)
        results.append(result)
        records = groupby((item for _, part in ordered for item in part.differences), lambda item: item.primary_record)
        for place, (_, fields) in enumerate(records):
            if place < listed:
                differences.extend(fields)
    return VerifyReport(objects=tuple(results), differences=tuple(differences))


def _sum(one: ObjectResult, other: ObjectResult) -> ObjectResult:
    return replace(
        one,
        linked=one.linked + other.linked,
        equal=one.equal + other.equal,
        different=one.different + other.different,
        missing_primary=one.missing_primary + other.missing_primary,
        missing_secondary=one.missing_secondary + other.missing_secondary,
        edited_in_secondary=one.edited_in_secondary + other.edited_in_secondary,
    )
