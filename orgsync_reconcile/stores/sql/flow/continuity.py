"""Whether both orgs of a pair still tell one story: an org that was restored from a backup has forgotten a part of it.

The target notes which change its watermark stands at, so that a log that was written anew over the same positions is
known too. Everything else follows from the counters that every batch moves (QUE-3).
"""

from __future__ import annotations

from dataclasses import dataclass

from orgsync_reconcile.errors import StoreError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.flow.pair import Pair
from orgsync_reconcile.stores.sql.partner import Partner

#: The setting that holds the change at the watermark, by the connection's number.
SEEN = "orgsync.seen.{}"
#: The setting of an org that stands while its partner, which was restored, is joined to it again.
REJOINING = "orgsync.rejoining.{}"
_CHANGE = "CAST(seq AS TEXT) || ' ' || record || ' ' || op || ' ' || CAST(at AS TEXT)"
#: A transaction may have logged several under one position: one of them stands for it, always the same.
_LAST = "ORDER BY record DESC, op DESC, at DESC LIMIT 1"


@dataclass(frozen=True, kw_only=True)
class Break:
    """An org that is older than what its partner knows of it. `why` says by what it is known."""

    side: Side
    why: str


def note_seen(db: Database, partner: Partner, connection: int, position: int) -> None:
    """Notes in the target (main) the source's change at the watermark. Inside the transaction that moves it."""
    row = partner.row(f"SELECT {_CHANGE} FROM partner.orgsync_change WHERE seq = ? {_LAST}", [position])
    if row is not None:
        db.execute(
            "INSERT INTO main.orgsync_setting (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [SEEN.format(connection), row[0]],
        )


def seen_change(db: Database, connection: int) -> tuple[int, str] | None:
    """(position, the change as noted) at the target's watermark; None where nothing was noted yet."""
    row = db.execute("SELECT value FROM main.orgsync_setting WHERE name = ?", [SEEN.format(connection)]).fetchone()
    return (int(row[0].partition(" ")[0]), row[0]) if row else None


def find_break(pair: Pair) -> Break | None:
    """The org of the pair that was restored from a backup, if one was. The caller holds the lease for a sure answer."""
    for side in Side:
        if _is_rejoining(pair, side):
            return Break(side=side, why="joining it to the other org again was cut off")
    for side in Side:
        found = _break_of_source(pair, side) or _break_of_target(pair, side.other)
        if found:
            return found
    return None


def _is_rejoining(pair: Pair, side: Side) -> bool:
    """Whether a resync of `side`, restored, has begun and not ended."""
    row = (
        pair.orgs[side.other]
        .db.execute("SELECT 1 FROM main.orgsync_setting WHERE name = ?", [REJOINING.format(pair.numbers[side.other])])
        .fetchone()
    )
    return row is not None


def _break_of_source(pair: Pair, side: Side) -> Break | None:
    """Whether `side` is older than its partner's watermark of its log."""
    source, target = pair.orgs[side].db, pair.orgs[side.other].db
    here, there = pair.numbers[side], pair.numbers[side.other]
    watermark, batch = target.execute(
        "SELECT seq, batch FROM main.orgsync_inbox WHERE connection = ?", [there]
    ).fetchone()
    end = source.log_end()
    if end < watermark:
        return Break(side=side, why=f"its log ends at {end}, and the other org has it up to {watermark}")
    (told_of,) = target.execute(
        f"SELECT {target.dialect.greater('event_state', 'event_map')} FROM main.orgsync_inbox WHERE connection = ?",
        [there],
    ).fetchone()
    event = source.last_number("orgsync_event")
    if event < told_of:
        return Break(side=side, why=f"its events end at {event}, and the other org has had {told_of}")
    sent, told = source.execute("SELECT seq, batch FROM main.orgsync_outbox WHERE connection = ?", [here]).fetchone()
    # A process that was killed between the two commits leaves the source one batch behind, never two.
    if batch > told + 1:
        return Break(side=side, why=f"it knows of {told} batches, and the other org has had {batch}")
    seen = seen_change(target, there)
    if seen is None:
        return None
    row = source.execute(f"SELECT {_CHANGE} FROM main.orgsync_change WHERE seq = ? {_LAST}", [seen[0]]).fetchone()
    # What the source counts as not sent is never trimmed, so there it must be.
    if seen[0] > sent if row is None else row[0] != seen[1]:
        return Break(side=side, why=f"its log was written anew: change {seen[0]} is not the one that the other org has")
    return None


def _break_of_target(pair: Pair, side: Side) -> Break | None:
    """Whether `side` has forgotten batches or links that its partner knows it to have."""
    target, source = pair.orgs[side].db, pair.orgs[side.other].db
    batch, link = source.execute(
        "SELECT batch, link FROM main.orgsync_outbox WHERE connection = ?", [pair.numbers[side.other]]
    ).fetchone()
    (has,) = target.execute(
        "SELECT batch FROM main.orgsync_inbox WHERE connection = ?", [pair.numbers[side]]
    ).fetchone()
    if has < batch or target.last_number("orgsync_link") < link:
        return Break(side=side, why=f"it has had {has} batches, and the other org knows of {batch}")
    return None


def check_continuity(pair: Pair) -> None:
    """Raises StoreError where an org of the pair was restored from a backup: syncing on would lose or swap records."""
    if find_break(pair) is None:
        return
    # Looked at without the lease, a sync of another process can seem like a break.
    with pair.lease():
        found = find_break(pair)
    if found is None:
        return
    raise StoreError(
        f"the {found.side} org was restored from a backup: {found.why}",
        where=pair.orgs[found.side].label,
        hint=f"nothing is synced until you run: orgsync resync {pair.connection}",
    )
