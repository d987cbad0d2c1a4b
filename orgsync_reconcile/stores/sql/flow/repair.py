"""Repairing what a comparison found: the winner's state is queued again, so that the next drain sends it (VER-1).

Nothing is written into a record. A repair is rows of the change log in the org that wins, and, where a linked row is
gone for good in the other org, the end of their link, so that the row is sent as a new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from orgsync_reconcile.failpoints import FailPoint, reach
from orgsync_reconcile.model.connection import ConflictPolicy, Side
from orgsync_reconcile.stores.sql.flow.disagreements import Disagreements, Unequal
from orgsync_reconcile.stores.sql.flow.flow import Flow
from orgsync_reconcile.stores.sql.flow.pair import Pair
from orgsync_reconcile.stores.sql.flow.paths import Path, PathColumn
from orgsync_reconcile.stores.sql.flow.writes import WAITING_AGAIN
from orgsync_reconcile.stores.sql.layout import WORD
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.text import commas, quote

#: Records of a repair that are held in memory and queued in one transaction per org.
PART = 20_000


@dataclass(frozen=True, kw_only=True)
class Again:
    """One record that the org of `winner` sends again: its Ids there and in the other org, and the bits per mask word."""

    winner: Side
    object: int
    record: str
    partner: str
    #: U update, R undelete (with the columns that differ), D delete, I insert: the partner's row is gone for good.
    op: str
    masks: dict[int, int]


def plan_repair(found: Disagreements, policy: ConflictPolicy) -> Iterator[list[Again]]:
    """What to send again so that the records of one path agree: by parts of up to PART records, each of one snapshot.

    The path leads from the primary to the secondary. Each part may be queued before the next is read. The policy says who wins, by the time of the record's last change
    where the latest does; a column that flows one way only is the primary's. A row that is gone for good never wins
    over a living one in two-way sync: a delete leaves the row. Records that are queued already are left alone.
    """
    back = {column.name for column in found.back.columns} if found.back else None
    last = ""
    while True:
        with found.flow.target.snapshot():
            pairs = list(found.mendable(last, PART))
        if not pairs:
            return
        yield [item for pair in pairs for item in _again(found.path, pair, back, policy)]
        last = pairs[-1].source_record


def _again(path: Path, pair: Unequal, back: Set[str] | None, policy: ConflictPolicy) -> Iterator[Again]:
    """What each org sends of one pair of records; `back` are the columns that flow to the primary, if the object does."""
    wins = back is not None and _secondary_wins(pair, policy)
    theirs = tuple(column for column in pair.columns if wins and back and column.name in back)
    ours = tuple(column for column in pair.columns if column not in theirs)
    winner = Side.SECONDARY if wins else Side.PRIMARY
    op = _operation(pair, wins)
    # The columns of a row that is gone all differ; the insert brings them.
    for side, columns in ((Side.PRIMARY, ours), (Side.SECONDARY, theirs)):
        if side is winner and (op != "U" or columns):
            yield _one(path, side, pair, op, columns if op in "UR" else ())
        elif side is not winner and op in "UR" and columns:
            yield _one(path, side, pair, "U", columns)


def _secondary_wins(pair: Unequal, policy: ConflictPolicy) -> bool:
    if not all(pair.present):
        return pair.present[1]
    return policy is ConflictPolicy.SECONDARY_WINS or (policy is ConflictPolicy.LATEST_WINS and pair.later)


def _operation(pair: Unequal, secondary_wins: bool) -> str:
    winner, loser = (1, 0) if secondary_wins else (0, 1)
    if pair.alive[winner] and not pair.present[loser]:
        return "I"
    if pair.alive[0] != pair.alive[1]:
        return "R" if pair.alive[winner] else "D"
    return "U"


def _one(path: Path, side: Side, pair: Unequal, op: str, columns: Sequence[PathColumn]) -> Again:
    masks: dict[int, int] = {}
    for column in columns:
        word, bit = divmod(column.number if side is Side.PRIMARY else column.target_number, WORD)
        masks[word] = masks.get(word, 0) | 1 << bit
    forth = side is Side.PRIMARY
    return Again(
        winner=side,
        object=path.source if forth else path.target,
        record=pair.source_record if forth else pair.target_record,
        partner=pair.target_record if forth else pair.source_record,
        op=op,
        masks=masks,
    )


def queue_repair(
    pair: Pair, items: Sequence[Again], flows: Sequence[Flow], now_ms: int, *, same_ids: bool = False
) -> None:
    """Writes the change-log rows of a repair, one transaction per org; the caller holds the pair's lease.

    Links of rows that are gone for good end in both orgs, unless they are to come back under the `same_ids`, as what an
    org lost that was restored from a backup. The secondary is written last: verifying goes by its links,
    so that a repair that was cut off in between is found and made again.
    """
    lookups = {flow.side.other: list(flow.paths.values()) for flow in flows}
    lost = [] if same_ids else [item for item in items if item.op == "I"]
    for side in Side:
        org = pair.orgs[side]
        with org.transaction():
            gone = [item for item in lost if item.winner is not side]
            if gone:
                _wait_for(org, lookups.get(side, []), gone, pair.numbers[side])
            org.db.executemany(
                "DELETE FROM main.orgsync_link WHERE local = ? AND connection = ?",
                [(item.record if item.winner is side else item.partner, pair.numbers[side]) for item in lost],
            )
            _log(org, [item for item in items if item.winner is side], now_ms)
        if side is Side.PRIMARY:
            reach(FailPoint.RESYNC_AFTER_FIRST_REPAIR)


def _log(org: Org, items: Sequence[Again], now_ms: int) -> None:
    width = org.engine.mask_width()
    names = commas(f"m{word}" for word in range(width))
    org.db.executemany(
        f"INSERT INTO main.orgsync_change (object, record, op, at, {names}) VALUES (?, ?, ?, ?, {commas('?' * width)})",
        [
            (item.object, item.record, item.op, now_ms, *(item.masks.get(word, 0) for word in range(width)))
            for item in items
        ],
    )


def _wait_for(org: Org, paths: Sequence[Path], gone: Sequence[Again], connection: int) -> None:
    """Lookups that name a row that is gone wait for the new one, as children wait for a parent (LKP-2)."""
    org.db.execute("CREATE TEMP TABLE IF NOT EXISTS gone (record TEXT PRIMARY KEY, partner TEXT)")
    org.db.execute("DELETE FROM temp.gone")
    org.db.executemany("INSERT INTO temp.gone VALUES (?, ?)", [(item.partner, item.record) for item in gone])
    for path in paths:
        for column in path.references:
            name = quote(column.name)
            org.db.execute(
                "INSERT INTO main.orgsync_waiting (connection, object, record, field, parent, placeholder)"
                f' SELECT ?, ?, c."Id", ?, g.partner, c.{name} FROM main.{quote(path.object)} AS c'
                f" CROSS JOIN temp.gone AS g ON g.record = c.{name} WHERE TRUE {WAITING_AGAIN}",
                [connection, path.target, column.name],
            )
