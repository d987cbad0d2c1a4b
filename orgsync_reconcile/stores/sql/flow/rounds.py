"""A part of the log that several processes send together: a round, cut into lanes of records (QUE-3).

Whoever finds much to send opens a round: the next part of one org's log, with as many lanes as there are processes. A
record is in one lane, whichever process takes it, so its changes stay in order. A lane is one transaction in the target,
which notes that it is done. Objects whose new records others of the part refer to go in a phase of their own, ahead of
those: nobody asks for a parent in another lane before it is there. When all lanes of the last phase are done, the round
is closed, and from there on everything is as after one batch.

Opening, going on to the next phase and closing need the pair's lease alone; a lane is taken under the shared one. So no
batch of the other direction, and nothing else, comes between: while a round is open, the watermarks of both directions
stand still for all lanes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from orgsync_reconcile.model.schema import ANY_OBJECT
from orgsync_reconcile.stores.sql.dialect import Dialect
from orgsync_reconcile.stores.sql.flow import backlog, staging
from orgsync_reconcile.stores.sql.flow.batch import BatchResult, move_staged
from orgsync_reconcile.stores.sql.flow.flow import Flow
from orgsync_reconcile.stores.sql.flow.paths import Path
from orgsync_reconcile.stores.sql.flow.references import refresh_references
from orgsync_reconcile.stores.sql.flow.waiting import fill_waiting, has_waiting
from orgsync_reconcile.stores.sql.layout import MAX_HOPS
from orgsync_reconcile.stores.sql.open_rounds import forget_rounds
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.stores.sql.text import commas, literal

#: What is less is sent faster by one process than it is shared out, in log entries.
WORTH_SHARING = 2_000
#: The digits of record Ids.
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """The entries low < seq <= high of the source's log. `phases` are objects of the source by number, in order."""

    low: int
    high: int
    hops: int
    lanes: int
    phase: int
    phases: tuple[tuple[int, ...], ...]


class Rounds:
    """The rounds of one direction of a connection; there is at most one at a time."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self._here, self._there = flow.numbers[1], flow.numbers[0]

    def current(self) -> Round | None:
        """The round that is open."""
        row = self.flow.db.execute(
            "SELECT low, high, hops, lanes, phase, phases FROM main.orgsync_round WHERE connection = ?", [self._here]
        ).fetchone()
        if row is None:
            return None
        low, high, hops, lanes, phase, phases = row
        return Round(
            low=low, high=high, hops=hops, lanes=lanes, phase=phase, phases=tuple(map(tuple, json.loads(phases)))
        )

    def open(self, limit: int, lanes: int, now: datetime) -> Round | None:
        """Opens a round over the next `limit` log entries, if they are worth it and can go side by side.

        The caller holds the lease, has finished both directions, and no round is open.
        """
        flow = self.flow
        if flow.stamped or backlog.due(flow, now):
            return None
        with flow.target.transaction() as db, flow.partner.reading():
            flow.take_turn()
            low = flow.watermark()
            high, hops, _ = backlog.window(flow, low, limit)
            phases = self._phases(low, high) if hops < MAX_HOPS else None
            if phases is None:
                return None
            refresh_references(db, flow.partner, self._here, flow.target_facts(now).now_ms)
            db.execute(
                "INSERT INTO main.orgsync_round (connection, low, high, hops, lanes, phase, phases)"
                " VALUES (?, ?, ?, ?, ?, 0, ?)",
                [self._here, low, high, hops, lanes, json.dumps(phases)],
            )
        return self.current()

    def done(self, phase: int) -> set[int]:
        """The lanes of a phase that are done."""
        rows = self.flow.db.execute(
            "SELECT lane FROM main.orgsync_round_lane WHERE connection = ? AND phase = ?", [self._here, phase]
        )
        return {row[0] for row in rows}

    def claim(self, phase: int, lane: int) -> Callable[[], None] | None:
        """Keeps other processes from taking the lane; returns what gives it back, None where another has it.

        Whatever becomes of this process, its claim ends with it.
        """
        return self.flow.pair.claim(f"{self.flow.side}.{phase}.{lane}")

    def take(self, current: Round, lane: int, now: datetime) -> BatchResult:
        """Sends what is in a lane of the present phase. One transaction in the target; nothing where it was done before."""
        flow = self.flow
        result = BatchResult(seq=current.high, more=False)
        # Other lanes bring parents meanwhile: whether one is there must be one answer for all statements of this lane.
        with flow.target.transaction(steady=True) as db, flow.partner.reading():
            if not self._is_open(current, db.dialect.for_share) or not self._note(current, lane):
                return result
            numbers = current.phases[current.phase]
            window = current.low, current.high
            mine = f"{_lane_of('s.record', current.lanes, flow.partner.dialect)} = {lane}"
            objects = commas(map(str, numbers))
            flow.partner.bring(
                "orgsync_change", f"s.seq > ? AND s.seq <= ? AND s.object IN ({objects}) AND {mine}", window
            )
            paths = {name: path for name, path in flow.paths.items() if path.source in numbers}
            mine = f"{_lane_of('c.record', current.lanes, db.dialect)} = {lane}"
            if staging.stage_log(db, flow.words, paths, flow.numbers, window, only=mine):
                staging.leave_severed(db, self._here)
                result.counts = move_staged(flow, flow.target_facts(now), window, current.hops)
        return result

    def _is_open(self, current: Round, locked: str) -> bool:
        """Whether the round is still as it was, and stays so until this transaction ends.

        A lease ends with its session in the primary; whoever lost it may be late here, or still at a lane.
        """
        row = self.flow.db.execute(
            f"SELECT 1 FROM main.orgsync_round WHERE connection = ? AND high = ? AND phase = ? {locked}",
            [self._here, current.high, current.phase],
        ).fetchone()
        return row is not None

    def _note(self, current: Round, lane: int) -> bool:
        """Notes a lane as done, in the transaction that does it; whether it was still to be done."""
        noted = self.flow.db.execute(
            "INSERT OR IGNORE INTO main.orgsync_round_lane (connection, phase, lane) VALUES (?, ?, ?)",
            [self._here, current.phase, lane],
        )
        return noted.rowcount > 0

    def advance(self, current: Round) -> BatchResult:
        """After all lanes of a phase: goes on to the next one, or closes the round. The caller holds the lease.

        The caller has flow.finish tell the source afterwards.
        """
        flow = self.flow
        went_on = BatchResult(seq=current.low, more=True)
        with flow.target.transaction() as db, flow.partner.reading():
            if not self._is_open(current, db.dialect.for_update):
                return went_on
            if current.phase + 1 < len(current.phases):
                db.execute("UPDATE main.orgsync_round SET phase = phase + 1 WHERE connection = ?", [self._here])
                return went_on
            if has_waiting(flow):
                with flow.guard.marked(current.hops + 1):
                    fill_waiting(flow)
            flow.move_watermark(current.high)
            forget_rounds(db, self._here)
            head = backlog.last_entry(flow)
        return BatchResult(seq=current.high, more=current.high < head)

    def _phases(self, low: int, high: int) -> list[list[int]] | None:
        """The objects of a part of the log, by number, parents first; None where it is small or must go at once.

        What must is what looks at other records than its own: deletes with their cascades, likes and duplicates, unique
        values that change hands, numbers that are counted, files of posts, records that were refused before.
        """
        flow = self.flow
        masks = commas(f"bit_or(coalesce(c.{name}, 0))" for name in flow.words.names)
        found = flow.partner.query(
            f"SELECT c.object, c.op, count(*), {masks} FROM partner.orgsync_change AS c"
            " WHERE c.seq > ? AND c.seq <= ? AND (c.origin IS NULL OR c.origin <> ?) GROUP BY c.object, c.op",
            [low, high, self._there],
        ).fetchall()
        paths = {path.source: path for path in flow.paths.values()}
        found = [row for row in found if row[0] in paths]
        if sum(row[2] for row in found) < WORTH_SHARING:
            return None
        (refused,) = flow.partner.row(
            "SELECT EXISTS (SELECT 1 FROM partner.orgsync_held AS h JOIN partner.orgsync_change AS c ON c.record = h.record"
            " WHERE h.connection = ? AND c.seq > ? AND c.seq <= ?)",
            [self._there, low, high],
        )
        if refused or not all(self._apart(paths[row[0]], row[1], row[3:]) for row in found):
            return None
        return self._ordered({row[0] for row in found}, {row[0] for row in found if row[1] == "I"})

    def _apart(self, path: Path, op: str, masks: Sequence[int]) -> bool:
        """Whether changes of one kind can be written without a look at other records of the object."""
        if path.target in self.flow.guard.own_triggers or path.files is not None:
            return False
        if op == "I":
            return path.match is None and not path.unlike and not path.auto_numbers
        return op == "U" and not any(column.unique and masks[column.word] & column.bit for column in path.columns)

    def _ordered(self, present: set[int], inserted: set[int]) -> list[list[int]]:
        """The objects by number, in phases: each comes after those whose new records it refers to."""
        objects = Objects(self.flow.source)
        places: dict[str, int] = {}
        parents = {path.object for path in self.flow.paths.values() if path.source in inserted}
        # The paths stand parents first; what refers back in a cycle waits for its parent instead (LKP-2).
        for name, path in self.flow.paths.items():
            if path.source not in present:
                continue
            named = {other for field in objects[name].references() for other in field.reference_to}
            before = [place for other, place in places.items() if other in parents and {other, ANY_OBJECT} & named]
            places[name] = max(before, default=-1) + 1
        phases: list[list[int]] = [[] for _ in range(max(places.values()) + 1)]
        for name, place in places.items():
            phases[place].append(self.flow.paths[name].source)
        return phases


def _lane_of(record: str, lanes: int, dialect: Dialect) -> str:
    """SQL: the lane of a record by its Id, 0 <= lane < `lanes`; Ids that are given in a row go to lanes in turn."""
    digit = [dialect.find(literal(_DIGITS), f"substr({record}, {place}, 1)") for place in (15, 14, 13)]
    parts = [f"{weight} * {found}" for weight, found in zip((1, 31, 7), digit, strict=True)]
    return f"(({' + '.join(parts)}) % {lanes})"
