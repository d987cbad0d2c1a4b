"""Ranges of a bulk sync: the source's records by row number, copied with the statements of a drain (BLK-1 to BLK-5).

The checkpoint moves in the transaction of the data, so a bulk sync goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from orgsync_reconcile.clock import iso
from orgsync_reconcile.model.records import ObjectCounts
from orgsync_reconcile.stores.sql.flow import bringing, delivery, settling, stamps, writes
from orgsync_reconcile.stores.sql.flow.flow import Flow
from orgsync_reconcile.stores.sql.flow.network import has_several
from orgsync_reconcile.stores.sql.flow.paths import Path
from orgsync_reconcile.stores.sql.flow.references import refresh_references
from orgsync_reconcile.stores.sql.flow.staging import clear
from orgsync_reconcile.stores.sql.flow.waiting import fill_waiting
from orgsync_reconcile.stores.sql.flow.writer import Writer
from orgsync_reconcile.stores.sql.layout import ROW
from orgsync_reconcile.stores.sql.text import commas, literal, quote


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """How far the bulk sync of one object has come. `position` is a row number of the source, `started` in ms."""

    object: str
    cutoff: str
    position: int
    remaining: int
    copied: int
    failed: int
    started: int
    finished: bool


class BulkFlow:
    """A bulk sync over one flow. `cutoff` limits it to records created or modified since; None takes all."""

    def __init__(self, flow: Flow, cutoff: datetime | None) -> None:
        self.flow = flow
        self.db = flow.db
        self.moment = cutoff
        self.cutoff = iso(cutoff) if cutoff else ""
        #: The object that has no links in the rows ahead, and the newest link after its last range.
        self._fresh_until = ("", -1)

    def start(self, path: Path, now: datetime) -> Checkpoint:
        """The object's checkpoint: where an unfinished run with the same cutoff stopped, or a new one."""
        known = next((item for item in checkpoints(self.flow) if item.object == path.object), None)
        if known is not None and not known.finished and known.cutoff == self.cutoff:
            with self.flow.target.transaction():
                self.db.execute(
                    "UPDATE main.orgsync_bulk SET resumed_at = copied + failed WHERE connection = ? AND object = ?",
                    [self.flow.numbers[1], path.object],
                )
            return known
        started = int(now.timestamp() * 1000)
        with self.flow.target.transaction():
            self._forget_ranges(path)
            remaining = self._remaining(path)
            self.db.execute(
                "INSERT INTO main.orgsync_bulk (connection, object, cutoff, position, remaining, started)"
                " VALUES (?, ?, ?, 0, ?, ?) ON CONFLICT (connection, object) DO UPDATE SET cutoff = excluded.cutoff,"
                " position = 0, remaining = excluded.remaining, copied = 0, failed = 0, resumed_at = 0,"
                " started = excluded.started, finished = NULL",
                [self.flow.numbers[1], path.object, self.cutoff, remaining, started],
            )
        return Checkpoint(
            object=path.object,
            cutoff=self.cutoff,
            position=0,
            remaining=remaining,
            copied=0,
            failed=0,
            started=started,
            finished=False,
        )

    def missing(self, path: Path, end: int, size: int) -> list[tuple[int, int]]:
        """The ranges (low, high] of at most `size` row numbers up to `end` that are still to be copied, in order."""
        (position,) = self.db.execute(
            "SELECT position FROM main.orgsync_bulk WHERE connection = ? AND object = ?",
            [self.flow.numbers[1], path.object],
        ).fetchone()
        done = self.db.execute(
            "SELECT low, high FROM main.orgsync_bulk_range WHERE connection = ? AND object = ? AND low >= ? ORDER BY low",
            [self.flow.numbers[1], path.object, position],
        ).fetchall()
        found: list[tuple[int, int]] = []
        for low, high in (*done, (end, end)):
            found += [(start, min(start + size, low)) for start in range(position, low, size)]
            position = max(position, high)
        return found

    def counts(self, path: Path) -> ObjectCounts:
        """What the object's bulk sync has copied, and what failed, since it was started."""
        copied, failed = self.db.execute(
            "SELECT copied, failed FROM main.orgsync_bulk WHERE connection = ? AND object = ?",
            [self.flow.numbers[1], path.object],
        ).fetchone()
        return ObjectCounts(object=path.object, copied=copied, failed=failed)

    def claim(self, path: Path, started: int, low: int, high: int) -> bool:
        """Notes a range as done, in the transaction that copies it; whether it is still to be done.

        It is not where somebody else has done it, for whom this waits, or where the bulk sync that began at `started`
        is over.
        """
        which = [self.flow.numbers[1], path.object, low]
        mine = self.db.execute(
            "INSERT OR IGNORE INTO main.orgsync_bulk_range (connection, object, low, high) VALUES (?, ?, ?, ?)",
            [*which, high],
        ).rowcount
        going_on = self.db.execute(
            "SELECT 1 FROM main.orgsync_bulk WHERE connection = ? AND object = ? AND started = ? AND position <= ?"
            " AND finished IS NULL",
            [self.flow.numbers[1], path.object, started, low],
        ).fetchone()
        if mine and going_on is None:
            self.db.execute(
                "DELETE FROM main.orgsync_bulk_range WHERE connection = ? AND object = ? AND low = ?", which
            )
        return bool(mine) and going_on is not None

    def finish(self, path: Path, end: int, now: datetime) -> None:
        """Says that the object's records are copied, up to row number `end`."""
        with self.flow.target.transaction():
            self._forget_ranges(path)
            self.db.execute(
                "UPDATE main.orgsync_bulk SET position = ?, finished = ? WHERE connection = ? AND object = ?",
                [end, int(now.timestamp() * 1000), self.flow.numbers[1], path.object],
            )

    def fill(self) -> None:
        """Fills in lookups whose parents came in other ranges (LKP-2). Nobody else may be copying meanwhile."""
        with self.flow.target.transaction(), self.flow.partner.reading(), self.flow.guard.marked():
            fill_waiting(self.flow)

    def pair_references(self, now: datetime) -> None:
        """Pairs what both orgs have by name, ahead of ranges that are copied at the same time: one would wait for the other."""
        with self.flow.target.transaction(), self.flow.partner.reading():
            refresh_references(self.db, self.flow.partner, self.flow.numbers[1], int(now.timestamp() * 1000))

    def _forget_ranges(self, path: Path) -> None:
        self.db.execute(
            "DELETE FROM main.orgsync_bulk_range WHERE connection = ? AND object = ?",
            [self.flow.numbers[1], path.object],
        )

    def _wanted(self, path: Path, allowed: str = "") -> str:
        """The condition on `s`: alive, young enough, and of a kind that goes at all, which may be known as `allowed`."""
        young = literal(self.cutoff)
        age = f' AND (s."LastModifiedDate" >= {young} OR s."CreatedDate" >= {young})' if self.cutoff else ""
        return f's."IsDeleted" = FALSE{age} AND {allowed or path.allowed}'

    def _unlinked(self) -> str:
        return (
            'NOT EXISTS (SELECT 1 FROM main.orgsync_link AS k WHERE k.partner = s."Id"'
            f" AND k.connection = {self.flow.numbers[1]})"
        )

    def _not_sent(self) -> str:
        """The condition on `s` that the source itself knows no link of it."""
        return (
            'NOT EXISTS (SELECT 1 FROM partner.orgsync_link AS k WHERE k.local = s."Id"'
            f" AND k.connection = {self.flow.numbers[0]})"
        )

    def _remaining(self, path: Path) -> int:
        test = self._wanted(path) if self._has_no_links(path) else f"{self._wanted(path)} AND {self._not_sent()}"
        (count,) = self.flow.partner.row(f"SELECT count(*) FROM partner.{quote(path.object)} AS s WHERE {test}")
        return int(count)

    def _has_no_links(self, path: Path) -> bool:
        row = self.flow.partner.row(
            "SELECT o.key_prefix FROM partner.orgsync_object AS o WHERE o.number = ?", [path.source]
        )
        found = self.db.execute(
            "SELECT 1 FROM main.orgsync_link WHERE partner >= ? AND partner < ? AND connection = ? LIMIT 1",
            [row[0], f"{row[0]}~", self.flow.numbers[1]],
        ).fetchone()
        return found is None

    def last_row(self, path: Path) -> int:
        """The source's last row number of the object."""
        (last,) = self.flow.partner.row(f"SELECT coalesce(max({ROW}), 0) FROM partner.{quote(path.object)}")
        return int(last)

    def copy(self, path: Path, low: int, high: int, now: datetime) -> ObjectCounts:
        """Copies the records with row numbers in (low, high] that are wanted and not linked yet. One transaction."""
        with self.flow.target.transaction(), self.flow.partner.reading(), self.flow.guard.marked():
            counts, writer = self._write(path, low, high, now)
            self._end(path, writer, counts, (low, high), alone=True)
        return counts

    def copy_beside_others(
        self, path: Path, low: int, high: int, now: datetime, *, told: Callable[[], None]
    ) -> ObjectCounts:
        """The same while others copy other ranges. One transaction, of the caller.

        It leaves it to `fill` to fill in lookups, and joins the batch that the source has still to learn of: it is never
        more than one behind. `told` waits until the source has learned what it is being told at the moment.
        """
        with self.flow.guard.marked():
            with self.flow.partner.reading():
                counts, writer = self._write(path, low, high, now)
            # What the source knows is asked behind its snapshot.
            told()
            self._end(path, writer, counts, (low, high), alone=False)
        return counts

    def _write(self, path: Path, low: int, high: int, now: datetime) -> tuple[ObjectCounts, Writer]:
        """Writes the records of a range with their links."""
        flow = self.flow
        ahead = fresh = self._is_fresh(path)
        counts, writer = self._begin(path, now)
        in_range = f"s.{ROW} > ? AND s.{ROW} <= ? AND {self._wanted(path)}"
        straight = self._may_range() and _is_plain(path)
        if straight:
            flow.partner.bring_range(path, in_range, [low, high], system=self._system_fields(writer))
            fresh = ahead or self._is_new(path, low, high)
        else:
            flow.partner.bring(path.object, in_range, [low, high])
        with flow.guard.writing(path.target):
            if straight:
                self._copy_range(path, writer, counts, low, high, fresh=fresh)
                if flow.stamped:
                    stamps.bring_copied(self.db, flow.partner, path, flow.numbers[1], self._links_before)
            else:
                self._stage(path, f"s.{ROW} > {low} AND s.{ROW} <= {high}", f"s.{ROW}", high - low)
                self._copy_staged(path, writer, counts)
        self._fresh_until = (path.object, flow.last_link()) if ahead else ("", -1)
        return counts, writer

    def goes_in_any_order(self, path: Path) -> bool:
        """Whether each record of the object is a new one by itself, whatever else is copied at the same time.

        Numbers that the target counts go one range after the other: the next would wait for the counter until the one
        before is committed.
        """
        return not self.flow.stamped and _is_plain(path) and not path.auto_numbers

    def copy_newest(self, path: Path, limit: int, now: datetime) -> ObjectCounts:
        """Copies at most `limit` records, the newest first (BLK-1)."""
        flow = self.flow
        with flow.target.transaction(), flow.partner.reading(), flow.guard.marked():
            counts, writer = self._begin(path, now)
            newest = 's."LastModifiedDate" DESC, s."Id"'
            flow.partner.bring(
                path.object,
                f's."Id" IN (SELECT s."Id" FROM partner.{quote(path.object)} AS s'
                f" WHERE {self._wanted(path)} AND {self._not_sent()} ORDER BY {newest} LIMIT ?)",
                [limit],
            )
            with flow.guard.writing(path.target):
                self._stage(path, self._unlinked(), newest, limit)
                self._copy_staged(path, writer, counts)
            self._end(path, writer, counts, (0, 0), alone=True)
            self.finish(path, 0, now)
        return counts

    def _writer(self, now: datetime) -> Writer:
        return Writer(self.db, self.flow.partner, self.flow.words, self.flow.target_facts(now))

    def _begin(self, path: Path, now: datetime) -> tuple[ObjectCounts, Writer]:
        writer = self._writer(now)
        self._links_before = self.flow.last_link()
        refresh_references(self.db, self.flow.partner, self.flow.numbers[1], writer.target.now_ms)
        clear(self.db)
        return ObjectCounts(object=path.object), writer

    def _end(self, path: Path, writer: Writer, counts: ObjectCounts, copied: tuple[int, int], *, alone: bool) -> None:
        flow = self.flow
        which = [flow.numbers[1], path.object]
        # From here on one range at a time, so that what follows sees what the others have committed.
        self.db.execute("UPDATE main.orgsync_bulk SET position = position WHERE connection = ? AND object = ?", which)
        if alone:
            fill_waiting(flow)
        else:
            self._join_batch()
        delivery.write_outcomes(flow, writer.refusals.items, [path], {path.object: counts})
        delivery.bring_stamps(flow, self._links_before)
        flow.move_watermark(flow.watermark())
        self.db.execute(
            "UPDATE main.orgsync_bulk SET position = ?, remaining = CASE WHEN remaining > ? THEN remaining - ? ELSE 0 END,"
            " copied = copied + ?, failed = failed + ? WHERE connection = ? AND object = ?",
            [
                self._position(path, *copied),
                counts.copied + counts.failed,
                counts.copied + counts.failed,
                counts.copied,
                counts.failed,
                *which,
            ],
        )

    def _join_batch(self) -> None:
        """Makes what is written one batch with what the source does not know yet, if there is such a batch."""
        (known,) = self.flow.partner.row(
            "SELECT batch FROM partner.orgsync_outbox WHERE connection = ?", [self.flow.numbers[0]]
        )
        self.db.execute(
            "UPDATE main.orgsync_inbox SET batch = batch - 1 WHERE connection = ? AND batch > ?",
            [self.flow.numbers[1], known],
        )

    def _position(self, path: Path, low: int, high: int) -> int:
        """Up to where all is done, now that (low, high] is."""
        which = [self.flow.numbers[1], path.object]
        (position,) = self.db.execute(
            "SELECT position FROM main.orgsync_bulk WHERE connection = ? AND object = ?", which
        ).fetchone()
        end = int(high if low <= position < high else position)
        while row := self.db.execute(
            "SELECT high FROM main.orgsync_bulk_range WHERE connection = ? AND object = ? AND low = ?", [*which, end]
        ).fetchone():
            end = int(row[0])
        return end

    def _system_fields(self, writer: Writer) -> set[str]:
        """What a range reads of its records beside what flows: when they were made and changed, and by whom."""
        moments = {"CreatedDate", "LastModifiedDate"} if self.cutoff or writer.target.audit else set()
        return moments | ({"CreatedById", "LastModifiedById"} if writer.target.audit else set())

    def _is_fresh(self, path: Path) -> bool:
        """Whether no record of the rows ahead can be linked: nobody else has made links since the last range."""
        return self._fresh_until == (path.object, self.flow.last_link()) or self._has_no_links(path)

    def _is_new(self, path: Path, low: int, high: int) -> bool:
        """Whether nothing between the Ids of these rows is linked: one look at the links' index."""
        first, last = self.db.execute(
            f'SELECT min("Id"), max("Id") FROM partner.{quote(path.object)} WHERE {ROW} > ? AND {ROW} <= ?', [low, high]
        ).fetchone()
        found = self.db.execute(
            "SELECT 1 FROM main.orgsync_link WHERE partner >= ? AND partner <= ? AND connection = ? LIMIT 1",
            [first, last, self.flow.numbers[1]],
        ).fetchone()
        return found is None

    def _may_range(self) -> bool:
        """Whether nothing was refused so far, and nothing can be here already.

        Children of refused records, and records that may have come over another connection, are looked at one by one.
        """
        if has_several(self.flow.target):
            return False
        (held,) = self.flow.partner.row(
            "SELECT EXISTS (SELECT 1 FROM partner.orgsync_held WHERE op = 'I' AND connection = ?)",
            [self.flow.numbers[0]],
        )
        (refused,) = self.db.execute(
            "SELECT EXISTS (SELECT 1 FROM main.orgsync_outcome WHERE op = 'I' AND connection = ?)",
            [self.flow.numbers[1]],
        ).fetchone()
        return not held and not refused

    def _copy_range(
        self, path: Path, writer: Writer, counts: ObjectCounts, low: int, high: int, *, fresh: bool
    ) -> None:
        """Inserts straight from the source's table, without staging."""
        wanted = self._wanted(path, self.flow.partner.allowed(path))
        if writer.target.rooted:
            bringing.bring_knowledge(
                self.flow, f'SELECT "Id" FROM partner.{quote(path.object)} WHERE {ROW} > {low} AND {ROW} <= {high}'
            )
        if fresh:
            links = rows = writes.ranged_rows(path, wanted)
        else:
            links = writes.ranged_rows(path, f"{wanted} AND {self._unlinked()}")
            mine = (
                'EXISTS (SELECT 1 FROM main.orgsync_link AS k WHERE k.partner = s."Id"'
                f" AND k.connection = {self.flow.numbers[1]} AND k.number > {self._links_before})"
            )
            rows = writes.ranged_rows(path, f"{wanted} AND {mine}")
        bringing.make_plain(self.flow, [path], f"s.{ROW} > ? AND s.{ROW} <= ?", [low, high])
        writer.refusals.refuse_unfit_in_range(path)
        counts.copied = writer.insert_set(path, links, rows, low, high)

    def _copy_staged(self, path: Path, writer: Writer, counts: ObjectCounts) -> None:
        flow, facts = self.flow, writer.target
        staged = bringing.bring_staged(flow)
        known = settling.adopt_known(flow, staged, facts)
        if known:
            settling.widen_replaced(flow, facts)
            end = flow.watermark()
            settling.settle_conflicts(flow, staged, facts, (end, end), ring=True)
        self._links_before = flow.last_link()
        writer.refusals.refuse_unfit(path)
        counts.copied = writer.insert_new(path)
        if path.match is not None or known:
            writer.update_linked(path)

    def _stage(self, path: Path, condition: str, order: str, limit: int) -> None:
        zeros = commas("0" for _ in self.flow.words.names)
        self.db.execute(
            f"INSERT INTO temp.stage (object, record, ins, gone, held, at, local, {self.flow.words.columns})"
            f' SELECT ?, s."Id", 1, 0, 0, 0, NULL, {zeros} FROM partner.{quote(path.object)} AS s'
            f" WHERE {self._wanted(path, self.flow.partner.allowed(path))} AND {condition} AND {self._unlinked()}"
            f" ORDER BY {order} LIMIT ?",
            [path.source, limit],
        )


def _is_plain(path: Path) -> bool:
    """Whether nothing is asked of the target's records before one of the object is inserted."""
    return not path.unlike and path.match is None and path.files is None


def checkpoints(flow: Flow) -> Iterator[Checkpoint]:
    """The bulk syncs towards the target, finished or not (BLK-5)."""
    for row in flow.db.execute(
        "SELECT object, cutoff, position, remaining, copied, failed, started, finished FROM main.orgsync_bulk WHERE connection = ?"
        " ORDER BY object",
        [flow.numbers[1]],
    ):
        yield Checkpoint(
            object=row[0],
            cutoff=row[1],
            position=row[2],
            remaining=row[3],
            copied=row[4],
            failed=row[5],
            started=row[6],
            finished=row[7] is not None,
        )
