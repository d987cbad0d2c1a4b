"""Proving that both orgs agree on every published field of every linked record (VER-1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sqlite.flow import Flow, Pair
from orgsync_reconcile.stores.sqlite.flow.compare import Comparison

#: Records whose differences are listed per object; the counts are always complete.
LISTED = 100
#: A value as an org stores it: text, number or nothing.
Value = str | int | float | bytes | None


@dataclass(frozen=True, kw_only=True)
class ObjectResult:
    """One object: linked records, and how many are equal, different, or missing in one of the orgs."""

    object: str
    linked: int
    equal: int
    different: int
    missing_primary: int
    missing_secondary: int


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field of one record that differs. Values as the orgs store them, references as the secondary's Ids."""

    object: str
    primary_record: str
    secondary_record: str
    field: str
    primary_value: Value
    secondary_value: Value


@dataclass(frozen=True, kw_only=True)
class VerifyReport:
    """The result of a verification."""

    objects: tuple[ObjectResult, ...]
    differences: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        """Whether nothing differs and nothing is missing."""
        return all(item.linked == item.equal for item in self.objects)


def verify(pair: Pair, *, clock: Clock, objects: Sequence[str] = (), listed: int = LISTED) -> VerifyReport:
    """Compares every linked record over the paths from primary to secondary, in one snapshot of the secondary.

    Lookups that wait for their parent and users that a stand-in replaces count as equal: they are recorded as such.
    At most `listed` records per object are listed; the counts cover all.
    """
    flow = Flow(pair, Side.PRIMARY)
    results: list[ObjectResult] = []
    differences: list[Difference] = []
    with pair.lease():
        flow.finish(clock())
    with flow.target.snapshot():
        facts = flow.target_facts(clock())
        for path in flow.paths.values():
            if objects and path.object not in objects:
                continue
            comparison = Comparison(flow, path, facts)
            counts = comparison.counts()
            results.append(
                ObjectResult(
                    object=path.object,
                    linked=counts.linked,
                    equal=counts.equal,
                    different=counts.different,
                    missing_primary=counts.missing_source,
                    missing_secondary=counts.missing_target,
                )
            )
            if counts.different:
                differences.extend(
                    Difference(
                        object=path.object,
                        primary_record=item.source_record,
                        secondary_record=item.target_record,
                        field=item.field,
                        primary_value=item.source_value,
                        secondary_value=item.target_value,
                    )
                    for item in comparison.differences(listed)
                )
    return VerifyReport(objects=tuple(results), differences=tuple(differences))
