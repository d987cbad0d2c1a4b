"""Comparing both orgs through their links, inside the database (VER-1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orgsync_reconcile.stores.sql.flow import writes
from orgsync_reconcile.stores.sql.flow.flow import Flow
from orgsync_reconcile.stores.sql.flow.mentions import PLAIN
from orgsync_reconcile.stores.sql.flow.paths import Path, PathColumn
from orgsync_reconcile.stores.sql.text import commas, quote


@dataclass(frozen=True, kw_only=True)
class Counts:
    """One object's linked records: how many are equal, differ, or are missing (or deleted) in one org only."""

    linked: int
    equal: int
    different: int
    missing_source: int
    missing_target: int


@dataclass(frozen=True, kw_only=True)
class FieldDifference:
    """One field of one linked record that is not equal. Values as stored; the target's as it should be and as it is."""

    source_record: str
    target_record: str
    field: str
    source_value: str | int | float | bytes | None
    target_value: str | int | float | bytes | None


#: SQLite joins up to 64 tables; references beyond this many are looked up one by one.
_JOINED = 40


class Comparison:
    """Compares what flows along one path."""

    def __init__(self, flow: Flow, path: Path, target: writes.Target) -> None:
        self.flow = flow
        self.path = path
        self.target = target
        prefix = flow.db.execute(
            "SELECT key_prefix FROM partner.orgsync_object WHERE number = ?", [path.source]
        ).fetchone()[0]
        name = quote(path.object)
        joined = path.references[:_JOINED]
        # A join costs a third of a subquery per row.
        links = "".join(
            f" LEFT JOIN main.orgsync_link AS l{column.number} ON l{column.number}.partner = s.{quote(column.name)}"
            f" AND l{column.number}.connection = {flow.numbers[1]}"
            for column in joined
        )
        self._translated = {
            column.name: f"l{column.number}.local" if column in joined else writes.translated(column.name, target)
            for column in path.references
        }
        self._from = (
            f'FROM main.orgsync_link AS k LEFT JOIN partner.{name} AS s ON s."Id" = k.partner'
            f' LEFT JOIN main.{name} AS t ON t."Id" = k.local{links}'
            f" WHERE k.partner >= '{prefix}' AND k.partner < '{prefix}~' AND k.connection = {flow.numbers[1]} AND k.status = 1"
        )
        self._alive_source = '(s."IsDeleted" IS 0)'
        self._alive_target = '(t."IsDeleted" IS 0)'

    def _same(self, column: PathColumn) -> str:
        """Whether a column is equal, allowing for stand-ins and lookups that wait (USR-5, LKP-2); never NULL."""
        name = quote(column.name)
        if not column.reference:
            plain = PLAIN if column.mentions else ""
            return f"{plain}(s.{name}) IS {plain}(t.{name})"
        # A lookup whose parent is not here is equal only where it is known to wait: otherwise nobody would fill it in.
        equal = f"t.{name} IS {self._translated[column.name]} AND (t.{name} IS NOT NULL OR s.{name} IS NULL)"
        waits = (
            f"EXISTS (SELECT 1 FROM main.orgsync_waiting AS w WHERE w.record = t.\"Id\" AND w.field = '{column.name}'"
            f" AND w.placeholder IS t.{name} AND w.parent IS s.{name})"
        )
        # Two-way: the source waits for a parent that was made in the target.
        waits_there = (
            f"EXISTS (SELECT 1 FROM partner.orgsync_waiting AS w WHERE w.record = s.\"Id\" AND w.field = '{column.name}'"
            f" AND w.placeholder IS s.{name} AND w.parent IS t.{name})"
        )
        # CASE, because SQLite prepares for the rare cases of an OR with every row.
        return f"CASE WHEN {equal} THEN 1 ELSE {waits} OR {waits_there} END"

    def counts(self) -> Counts:
        """Reads every linked pair once; where all are alive and equal, that is all."""
        same = " AND ".join(self._same(column) for column in self.path.columns) or "1"
        both = f"{self._alive_source} AND {self._alive_target}"
        linked, equal = self.flow.db.execute(
            f"SELECT count(*), coalesce(sum({both} AND {same}), 0) {self._from}"
        ).fetchone()
        if linked == equal:
            return Counts(linked=linked, equal=equal, different=0, missing_source=0, missing_target=0)
        gone, missing_source, missing_target = self.flow.db.execute(
            f"SELECT coalesce(sum(NOT {self._alive_source} AND NOT {self._alive_target}), 0),"
            f" coalesce(sum(NOT {self._alive_source} AND {self._alive_target}), 0),"
            f" coalesce(sum({self._alive_source} AND NOT {self._alive_target}), 0) {self._from}"
        ).fetchone()
        # Deleted in both is equal too.
        equal += gone
        return Counts(
            linked=linked,
            equal=equal,
            different=linked - equal - missing_source - missing_target,
            missing_source=missing_source,
            missing_target=missing_target,
        )

    def differences(self, limit: int) -> Iterator[FieldDifference]:
        """The fields that differ, of at most `limit` records, by record."""
        columns = self.path.columns
        if not columns:
            return
        both = f"{self._alive_source} AND {self._alive_target}"
        values = commas(
            f"{self._same(c)}, {self._translated.get(c.name, 's.' + quote(c.name))}, t.{quote(c.name)}" for c in columns
        )
        same = " AND ".join(self._same(column) for column in columns)
        rows = self.flow.db.execute(
            f"SELECT k.partner, k.local, {values} {self._from} AND {both} AND NOT ({same}) ORDER BY k.partner LIMIT ?",
            [limit],
        )
        for source_record, target_record, *cells in rows:
            for place, column in enumerate(columns):
                equal, theirs, ours = cells[place * 3 : place * 3 + 3]
                if not equal:
                    yield FieldDifference(
                        source_record=source_record,
                        target_record=target_record,
                        field=column.name,
                        source_value=theirs,
                        target_value=ours,
                    )
