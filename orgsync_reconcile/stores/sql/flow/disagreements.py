"""What of a comparison is no fault: edits that stand in the secondary of a one-way path, and changes still queued."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from typing_extensions import override

from orgsync_reconcile.stores.sql.flow import writes
from orgsync_reconcile.stores.sql.flow.compare import Comparison, Counts
from orgsync_reconcile.stores.sql.flow.flow import Flow
from orgsync_reconcile.stores.sql.flow.paths import Path, PathColumn


@dataclass(frozen=True, kw_only=True)
class Unequal:
    """One pair of linked records that disagree; pairs of facts are (source, target)."""

    source_record: str
    target_record: str
    #: Whether the row is there at all, deleted or not.
    present: tuple[bool, bool]
    alive: tuple[bool, bool]
    #: The target's record was changed after the source's.
    later: bool
    columns: tuple[PathColumn, ...]


class Disagreements(Comparison):
    """The linked records of a path that are not equal. `back` is the same object's path the other way, if there is one.

    Without `edits_stand`, a later edit in the secondary of a one-way path is a difference like others.
    """

    def __init__(
        self, flow: Flow, path: Path, target: writes.Target, back: Path | None, *, edits_stand: bool = True
    ) -> None:
        super().__init__(flow, path, target)
        self.back = back
        same = " AND ".join(self._same(column) for column in path.columns) or "TRUE"
        both = f"{self._alive_source} AND {self._alive_target}"
        self.unequal = f"NOT CASE WHEN {both} THEN {same} ELSE {self._alive_source} = {self._alive_target} END"
        self.queued = self._queued()
        # Nothing but the time tells an edit of the secondary from a change that never arrived: the engine's writes are
        # never older than the change that they bring.
        self.stands = (
            f't."SystemModstamp" > s."SystemModstamp" AND NOT ({self.queued})'
            if back is None and path.columns and edits_stand
            else "FALSE"
        )

    def _queued(self) -> str:
        """Whether a change of the record is on its way: in a log beyond the other org's watermark, or held for a retry."""
        there, here = self.flow.numbers
        source = (
            f"SELECT record FROM partner.orgsync_change WHERE seq > {self.flow.watermark()}"
            f" AND (origin IS NULL OR origin <> {there}) UNION ALL"
            f" SELECT record FROM partner.orgsync_held WHERE connection = {there} AND next_retry IS NOT NULL"
        )
        if self.back is None:
            return f"k.partner IN ({source})"
        row = self.flow.partner.row("SELECT seq FROM partner.orgsync_inbox WHERE connection = ?", [there])
        target = (
            f"SELECT record FROM main.orgsync_change WHERE seq > {int(row[0])}"
            f" AND (origin IS NULL OR origin <> {here}) UNION ALL"
            f" SELECT record FROM main.orgsync_held WHERE connection = {here} AND next_retry IS NOT NULL"
        )
        return f"(k.partner IN ({source}) OR k.local IN ({target}))"

    @override
    def _bring(self, low: str, high: str) -> None:
        super()._bring(low, high)
        partner, (there, _) = self.flow.partner, self.flow.numbers
        partner.bring("orgsync_change", "s.object = ? AND s.seq > ?", [self.path.source, self.flow.watermark()])
        partner.bring("orgsync_held", "s.connection = ?", [there])

    def less_exceptions(self, counts: Counts) -> tuple[Counts, int]:
        """The counts without the edits that stand in the secondary (PUB-7), and how many those are.

        From here on `differences` leaves them out too.
        """
        if self.back is not None or counts.linked == counts.equal:
            return counts, 0
        source, target = self._alive_source, self._alive_target
        tests = ("TRUE", f"{target} AND NOT {source}", f"{source} AND NOT {target}")
        total = gone_source = gone_target = 0
        for part in self._parts():
            found = self._count(*tests, part=part, where=f"{self.unequal} AND {self.stands}")
            total, gone_source, gone_target = total + found[0], gone_source + found[1], gone_target + found[2]
        if total:
            self._less = f" AND NOT coalesce({self.stands}, FALSE)"
        left = replace(
            counts,
            different=counts.different - (total - gone_source - gone_target),
            missing_source=counts.missing_source - gone_source,
            missing_target=counts.missing_target - gone_target,
        )
        return left, total

    def mendable(self, after: str, limit: int) -> Iterator[Unequal]:
        """Pairs that disagree, less the exceptions and those with a change on its way, by the source's Id: the first
        `limit` of those whose Id there comes behind `after`.
        """
        columns = self.path.columns
        same = "".join(f", {self._same(column)}" for column in columns)
        left = limit
        for part in self._parts():
            if part[1] <= after:
                continue
            rows = self.flow.db.execute(
                f'SELECT k.partner, k.local, s."Id" IS NOT NULL, t."Id" IS NOT NULL, {self._alive_source},'
                f' {self._alive_target}, coalesce(t."LastModifiedDate" > s."LastModifiedDate", FALSE){same}'
                f" {self._from}{self._linked} AND {self.unequal} AND NOT ({self.queued})"
                f" AND NOT coalesce({self.stands}, FALSE) AND k.partner > ? ORDER BY k.partner LIMIT ?",
                [*part, after, left],
            ).fetchall()
            for source, target, there, here, alive, alive_here, later, *equal in rows:
                yield Unequal(
                    source_record=source,
                    target_record=target,
                    present=(bool(there), bool(here)),
                    alive=(bool(alive), bool(alive_here)),
                    later=bool(later),
                    columns=tuple(column for column, same in zip(columns, equal, strict=True) if not same),
                )
            left -= len(rows)
            if left <= 0:
                return
