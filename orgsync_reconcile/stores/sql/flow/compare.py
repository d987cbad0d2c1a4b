"""Comparing both orgs through their links, inside the database (VER-1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orgsync_reconcile.stores.sql.flow import writes
from orgsync_reconcile.stores.sql.flow.flow import Flow
from orgsync_reconcile.stores.sql.flow.mentions import plain
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


#: Records with texts that may hold mentions are compared so many at once.
_TEXTS = 20_000


class Comparison:
    """Compares what flows along one path."""

    def __init__(self, flow: Flow, path: Path, target: writes.Target) -> None:
        self.flow = flow
        self.path = path
        self.target = target
        (prefix,) = flow.partner.row("SELECT key_prefix FROM partner.orgsync_object WHERE number = ?", [path.source])
        #: The source's Ids that are looked at: (low, high].
        self._range = (str(prefix), f"{prefix}~")
        #: A condition on what is listed, beyond that it differs.
        self._less = ""
        #: The links that are looked at, as a condition on `k` with the bounds of a range.
        self._linked = f"k.partner > ? AND k.partner <= ? AND k.connection = {flow.numbers[1]} AND k.status = 1"
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
            " WHERE "
        )
        self._alive_source = '(s."IsDeleted" IS FALSE)'
        self._alive_target = '(t."IsDeleted" IS FALSE)'

    def within(self, low: str, high: str) -> None:
        """Looks at the records whose Id in the source is in (low, high] from here on."""
        self._range = (low, high)

    def _parts(self) -> Iterator[tuple[str, str]]:
        """The ranges of the source's Ids that are compared at once, each with the source's records at hand."""
        partner, (low, last) = self.flow.partner, self._range
        texts = [column.name for column in self.path.columns if column.mentions]
        size = partner.part_size() or (_TEXTS if texts else None)
        with partner.reading():
            while low < last:
                high = last if size is None else self._cut(low, last, size)
                if size is not None:
                    partner.forget()
                    self._bring(low, high)
                if texts:
                    self._make_plain(texts, low, high)
                yield low, high
                low = high

    def _make_plain(self, columns: Sequence[str], low: str, high: str) -> None:
        """Makes the mentions in both orgs' texts plain, so that they are compared as such."""
        mentions, name = self.flow.mentions, quote(self.path.object)
        mentions.clear()
        for column in columns:
            for table, record in (("partner", "partner"), ("main", "local")):
                linked = f"SELECT k.{record} FROM main.orgsync_link AS k WHERE {self._linked}"
                mentions.stage(f"{table}.{name}", column, f's."Id" IN ({linked})', [low, high])

    def _cut(self, low: str, last: str, size: int) -> str:
        (high, count) = self.flow.db.execute(
            "SELECT max(partner), count(*) FROM (SELECT k.partner FROM main.orgsync_link AS k"
            f" WHERE {self._linked} ORDER BY k.partner LIMIT ?) AS part",
            [low, last, size],
        ).fetchone()
        return str(high) if count == size else last

    def _bring(self, low: str, high: str) -> None:
        """Brings the source's records of a range, and what it knows of them."""
        wanted = f"SELECT k.partner FROM main.orgsync_link AS k WHERE {self._linked}"
        self.flow.partner.bring_by(self.path.object, 's."Id"', wanted, [low, high])
        self.flow.partner.bring_by("orgsync_waiting", "s.record", wanted, [low, high])

    def _same(self, column: PathColumn) -> str:
        """Whether a column is equal, allowing for stand-ins and lookups that wait (USR-5, LKP-2); never NULL."""
        name = quote(column.name)
        if not column.reference:
            if column.mentions:
                return f"{plain('s', column.name)} IS {plain('t', column.name)}"
            return f"s.{name} IS t.{name}"
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
        return f"CASE WHEN {equal} THEN TRUE ELSE {waits} OR {waits_there} END"

    def counts(self) -> Counts:
        """Reads every linked pair once; where all are alive and equal, that is all."""
        same = " AND ".join(self._same(column) for column in self.path.columns) or "TRUE"
        source, target = self._alive_source, self._alive_target
        linked = equal = gone = missing_source = missing_target = 0
        for part in self._parts():
            all_, same_ = self._count("TRUE", f"{source} AND {target} AND {same}", part=part)
            linked, equal = linked + all_, equal + same_
            if all_ == same_:
                continue
            both, left, right = self._count(
                f"NOT {source} AND NOT {target}",
                f"NOT {source} AND {target}",
                f"{source} AND NOT {target}",
                part=part,
            )
            gone, missing_source, missing_target = gone + both, missing_source + left, missing_target + right
        # Deleted in both is equal too.
        equal += gone
        return Counts(
            linked=linked,
            equal=equal,
            different=linked - equal - missing_source - missing_target,
            missing_source=missing_source,
            missing_target=missing_target,
        )

    def _count(self, *tests: str, part: tuple[str, str], where: str = "TRUE") -> tuple[int, ...]:
        """How many pairs of a range pass each of the tests."""
        sums = commas(f"coalesce(sum(CASE WHEN {test} THEN 1 ELSE 0 END), 0)" for test in tests)
        row = self.flow.db.execute(f"SELECT {sums} {self._from}{self._linked} AND {where}", part).fetchone()
        return tuple(int(number) for number in row)

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
        left = limit
        for part in self._parts():
            rows = self.flow.db.execute(
                f"SELECT k.partner, k.local, {values} {self._from}{self._linked} AND {both} AND NOT ({same})"
                f"{self._less} ORDER BY k.partner LIMIT ?",
                [*part, left],
            ).fetchall()
            unfit = {(item.record, item.field): item.value for item in self.flow.partner.unfit(self.path)}
            for source_record, target_record, *cells in rows:
                for place, column in enumerate(columns):
                    equal, theirs, ours = cells[place * 3 : place * 3 + 3]
                    if not equal:
                        yield FieldDifference(
                            source_record=source_record,
                            target_record=target_record,
                            field=column.name,
                            source_value=unfit.get((source_record, column.name), theirs),
                            target_value=ours,
                        )
            left -= len(rows)
            if left <= 0:
                return
