"""Changes of the same record on both sides: field by field, by policy (CNF-1, CNF-2).

A conflict is a column that is staged here and pending there. Pending means: in the target's log beyond the watermark
that the *source* keeps of it, which is the moment that the staged values were read at; never the target's own cursor.
What the source loses is taken out of the batch; what the target loses is overwritten by it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from orgsync_reconcile.model.connection import ConflictPolicy, Side
from orgsync_reconcile.stores.sqlite.flow.paths import Path
from orgsync_reconcile.stores.sqlite.flow.staging import Words
from orgsync_reconcile.stores.sqlite.text import commas
from orgsync_reconcile.stores.sqlite.triggers import WORD


@dataclass(frozen=True, kw_only=True)
class Pending:
    """The part of the target's log that the source has not seen: connection numbers and the source's watermark."""

    here: int
    watermark: int


def stage_pending(db: sqlite3.Connection, words: Words, paths: Iterable[Path], pending: Pending) -> int:
    """Fills temp.pending with the target's pending changes of staged records; returns how many records have some.

    The masks are in the source's numbers: each org gave the columns numbers of its own.
    """
    masks = commas(f"{name} INTEGER" for name in words.names)
    db.execute(f"CREATE TEMP TABLE IF NOT EXISTS pending (n INTEGER, record TEXT, op TEXT, at INTEGER, {masks})")
    db.execute("DELETE FROM temp.pending")
    (head,) = db.execute("SELECT coalesce(max(seq), 0) FROM main.orgsync_change").fetchone()
    if head <= pending.watermark:
        return 0
    changed = {
        row[0]
        for row in db.execute("SELECT DISTINCT object FROM main.orgsync_change WHERE seq > ?", [pending.watermark])
    }
    for path in paths:
        if path.target in changed:
            db.execute(
                f"INSERT INTO temp.pending SELECT st.n, c.record, c.op, c.at, {commas(_source_masks(path, words))}"
                " FROM main.orgsync_change AS c JOIN temp.stage AS st ON st.local = c.record"
                " WHERE c.seq > ? AND c.object = ? AND (c.origin IS NULL OR c.origin <> ?)",
                [pending.watermark, path.target, pending.here],
            )
    return int(db.execute("SELECT count(DISTINCT n) FROM temp.pending").fetchone()[0])


def _source_masks(path: Path, words: Words) -> list[str]:
    """Per mask word of the source, the expression that moves the bits of the target's entry `c` to their places."""
    moves: dict[tuple[int, int, int], int] = {}
    for column in path.columns:
        word, bit = divmod(column.target_number, WORD)
        key = (column.word, word, column.number % WORD - bit)
        moves[key] = moves.get(key, 0) | 1 << bit
    parts: dict[int, list[str]] = {}
    for (to, word, shift), bits in moves.items():
        move = f" << {shift}" if shift > 0 else f" >> {-shift}" if shift < 0 else ""
        parts.setdefault(to, []).append(f"(coalesce(c.m{word}, 0) & {bits}){move}")
    return [" | ".join(f"({part})" for part in parts.get(word, ["0"])) for word in range(words.width)]


def resolve(db: sqlite3.Connection, words: Words, policy: ConflictPolicy, source: Side) -> None:
    """Takes out of temp.stage what loses against temp.pending, and brings back records whose delete loses."""
    if policy is ConflictPolicy.LATEST_WINS:
        latest = "p.at > st.at" if source is Side.PRIMARY else "p.at >= st.at"
        _target_wins(db, words, latest)
        _source_wins(db, f"NOT ({latest})")
    elif (policy is ConflictPolicy.PRIMARY_WINS) == (source is Side.PRIMARY):
        _source_wins(db, "1")
    else:
        _target_wins(db, words, "1")


def _target_wins(db: sqlite3.Connection, words: Words, when: str) -> None:
    """The target's pending columns stay; a staged delete of a record that was edited there is undone in the source."""
    sums = commas(f"bit_or(p.{name}) AS {name}" for name in words.names)
    lost = f"SELECT p.n AS n, {sums}, max(p.op IN ('U', 'R')) AS alive FROM temp.pending AS p JOIN temp.stage AS st ON st.n = p.n WHERE {when} GROUP BY p.n"
    # An R in the target's log travels back and restores the record in the source, which deleted it.
    db.execute(
        "INSERT INTO main.orgsync_change (object, record, op, at)"
        " SELECT o.number, st.local, 'R', max(p.at) FROM temp.stage AS st"
        " JOIN temp.pending AS p ON p.n = st.n"
        " JOIN partner.orgsync_object AS t ON t.number = st.object JOIN main.orgsync_object AS o ON o.name = t.name"
        f" WHERE st.gone = 1 AND p.op IN ('U', 'R') AND {when} GROUP BY o.number, st.local"
    )
    keep = commas(f"{name} = stage.{name} & ~lost.{name}" for name in words.names)
    db.execute(
        f"UPDATE temp.stage SET {keep}, gone = CASE WHEN lost.alive THEN 0 ELSE stage.gone END"
        f" FROM ({lost}) AS lost WHERE lost.n = stage.n"
    )


def _source_wins(db: sqlite3.Connection, when: str) -> None:
    """A record that was deleted in the target while it was edited here is looked at again: alive here, alive there."""
    db.execute(
        "UPDATE temp.stage SET gone = 1 WHERE n IN (SELECT p.n FROM temp.pending AS p JOIN temp.stage AS st ON st.n = p.n"
        f" WHERE p.op = 'D' AND {when})"
    )
