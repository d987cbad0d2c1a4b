"""One linked record as either org has it, each asked by itself: nothing is written, so a standby answers too (DIA-1)."""

from __future__ import annotations

from dataclasses import dataclass

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.flow.hashes import RangeReader, Row, differing, pending_records
from orgsync_reconcile.stores.sql.flow.mentions import PlainTexts
from orgsync_reconcile.stores.sql.flow.pair import Pair
from orgsync_reconcile.stores.sql.flow.paths import Path


@dataclass(frozen=True, kw_only=True)
class OneRecord:
    """How a record of the source and its partner agree."""

    #: Both orgs have the link.
    linked: bool = True
    #: One of the two is deleted or gone, the other one is not.
    missing: bool = False
    #: The fields that differ.
    fields: tuple[str, ...] = ()
    #: One-way: the difference is a later edit in the secondary, which stands (PUB-7).
    edited: bool = False

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return self.linked and not self.missing and not self.fields


def compare_one(pair: Pair, side: Side, path: Path, record: str, partner: str, *, one_way: bool) -> OneRecord:
    """Compares a record of the org at `side` with its partner, over a path that begins there."""
    # No two Ids differ in their last character alone.
    key = record if side is Side.PRIMARY else partner
    texts = PlainTexts([org.db for org in pair.orgs.values()])

    def read(end: Side) -> Row | None:
        return RangeReader(pair.orgs[end], pair.numbers[end], end, path, texts).rows(key[:-1], key).get(key)

    ours, theirs = read(side), read(side.other)
    if ours is None or theirs is None:
        return OneRecord(linked=False)
    later = bool(ours.changed and theirs.changed and theirs.changed > ours.changed)
    return OneRecord(
        missing=(ours.texts is None) != (theirs.texts is None),
        fields=tuple(path.columns[place].name for place in differing(path.columns, ours, theirs)),
        edited=one_way and ours.texts != theirs.texts and later and not _is_on_its_way(pair, side, record),
    )


def _is_on_its_way(pair: Pair, side: Side, record: str) -> bool:
    """Whether a change of a record of the org at `side` has not arrived."""
    target = pair.orgs[side.other]
    (watermark,) = target.db.execute(
        "SELECT seq FROM main.orgsync_inbox WHERE connection = ?", [pair.numbers[side.other]]
    ).fetchone()
    return record in pending_records(pair.orgs[side], pair.numbers[side], int(watermark))
