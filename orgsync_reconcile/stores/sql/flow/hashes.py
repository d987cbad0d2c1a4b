"""One org's linked records of a path as sums over ranges of Ids, read from this org alone (VER-1).

Records go by the primary's Id in both orgs, and so do references: the secondary translates its own by its links. A
reference that waits for a record which only the secondary has is told by that Id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.canonical import Encoder, RangeSum, add_hash, encoder, record_hash
from orgsync_reconcile.stores.sql.flow.mentions import PlainTexts
from orgsync_reconcile.stores.sql.flow.paths import Path
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.stores.sql.text import commas, literal, quote


@dataclass(frozen=True, kw_only=True)
class Row:
    """One record. `texts` are its canonical values, None where it is deleted or gone; `changed` its SystemModstamp."""

    #: Its Id in this org.
    record: str
    #: The row is there, deleted or not.
    changed: str | None
    texts: tuple[str | None, ...] | None


class RangeReader:
    """The linked records of one object in one org. `primary` says which end of the connection the org is."""

    def __init__(self, org: Org, connection: int, side: Side, path: Path, texts: PlainTexts) -> None:
        self.db = org.db
        self.columns = [column.name for column in path.columns]
        primary = side is Side.PRIMARY
        objects = Objects(org)
        definition = objects[path.object]
        fields = [definition.fields[name] for name in self.columns]
        self._encoders: list[Encoder] = [
            _plain(encoder(field), texts) if column.mentions else encoder(field)
            for column, field in zip(path.columns, fields, strict=True)
        ]
        self._key = "k.local" if primary else "k.partner"
        waits = self.db.execute(
            "SELECT EXISTS (SELECT 1 FROM main.orgsync_waiting WHERE connection = ?)", [connection]
        ).fetchone()[0]
        values = [
            _reference(field.name, connection, primary=primary, waits=bool(waits))
            if field.is_reference
            else f"r.{quote(field.name)}"
            for field in fields
        ]
        self._values = commas(
            [self._key, "k.local", 'coalesce(r."IsDeleted" = FALSE, FALSE)', 'r."SystemModstamp"', *values]
        )
        self._from = (
            f'FROM main.orgsync_link AS k LEFT JOIN main.{quote(path.object)} AS r ON r."Id" = k.local'
            f" WHERE k.connection = {connection} AND k.status = 1 AND {self._key} > ? AND {self._key} <= ?"
        )

    def boundaries(self, low: str, high: str, step: int) -> list[str]:
        """Keys that cut (low, high] into parts of `step` records; the last one is `high`."""
        keys = self.db.stream(f"SELECT {self._key} {self._from} ORDER BY 1", [low, high])
        cuts = [key for number, (key,) in enumerate(keys, 1) if number % step == 0]
        return cuts if cuts and cuts[-1] == high else [*cuts, high]

    def sum(self, low: str, high: str) -> RangeSum:
        """Count and sum of the records with keys in (low, high]."""
        count, total = 0, 0
        encoders = self._encoders
        for key, _, alive, _, *values in self._read(low, high):
            texts = [encode(value) for encode, value in zip(encoders, values, strict=True)] if alive else None
            total = add_hash(total, record_hash(key, texts))
            count += 1
        return RangeSum(count=count, total=total)

    def rows(self, low: str, high: str) -> dict[str, Row]:
        """Key -> record, of the keys in (low, high]."""
        found: dict[str, Row] = {}
        for key, record, alive, changed, *values in self._read(low, high):
            texts = tuple(encode(value) for encode, value in zip(self._encoders, values, strict=True))
            found[key] = Row(record=record, changed=changed, texts=texts if alive else None)
        return found

    def _read(self, low: str, high: str) -> Iterator[Sequence[Any]]:
        # A value that is no text has a hash all the same.
        with self.db.any_text():
            yield from self.db.execute(f"SELECT {self._values} {self._from}", [low, high])


def _plain(encode: Encoder, texts: PlainTexts) -> Encoder:
    """The encoder of a text that travels without its mentions."""
    return lambda value: encode(texts.plain(value) if isinstance(value, str) else value)


def _reference(column: str, connection: int, *, primary: bool, waits: bool) -> str:
    """The SQL expression of a reference as the primary's Id, or as `secondary:` and the Id that only that org has."""
    name = f"r.{quote(column)}"
    awaited = (
        f'(SELECT w.parent FROM main.orgsync_waiting AS w WHERE w.record = r."Id" AND w.field = {literal(column)}'
        f" AND w.connection = {connection} AND w.placeholder IS {name})"
    )
    if primary:
        return f"coalesce('secondary:' || {awaited}, {name})" if waits else name
    linked = f"(SELECT l.partner FROM main.orgsync_link AS l WHERE l.local = {name} AND l.connection = {connection})"
    parts = [awaited, linked] if waits else [linked]
    return f"coalesce({commas(parts)}, 'secondary:' || {name})"


def pending_records(org: Org, connection: int, watermark: int) -> frozenset[str]:
    """The records of this org with a change on its way: logged beyond the partner's watermark, or held for a retry."""
    rows = org.db.execute(
        "SELECT record FROM main.orgsync_change WHERE seq > ?1 AND (origin IS NULL OR origin <> ?2)"
        " UNION SELECT record FROM main.orgsync_held WHERE connection = ?2 AND next_retry IS NOT NULL",
        [watermark, connection],
    )
    return frozenset(row[0] for row in rows)


def differing(columns: Sequence[object], ours: Row, theirs: Row) -> list[int]:
    """The places of the columns that two living records disagree on."""
    if ours.texts is None or theirs.texts is None:
        return []
    return [place for place in range(len(columns)) if ours.texts[place] != theirs.texts[place]]
