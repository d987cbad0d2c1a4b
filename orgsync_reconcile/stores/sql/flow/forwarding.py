"""Records that are sent by hand: chosen in the source, staged as they are now, written like a batch of the log (FWD).

The list of what goes stands in temp.wanted, in the order of sending; each part of it is one transaction of the target.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from orgsync_reconcile.failpoints import FailPoint, reach
from orgsync_reconcile.model.records import ObjectCounts
from orgsync_reconcile.stores.sql.filters import SqlFilter
from orgsync_reconcile.stores.sql.flow import bringing, conflicts, delivery, settling
from orgsync_reconcile.stores.sql.flow.flow import Flow
from orgsync_reconcile.stores.sql.flow.matching import stage_differences
from orgsync_reconcile.stores.sql.flow.paths import Path
from orgsync_reconcile.stores.sql.flow.references import refresh_references
from orgsync_reconcile.stores.sql.flow.staging import Staged, clear
from orgsync_reconcile.stores.sql.flow.waiting import fill_waiting
from orgsync_reconcile.stores.sql.flow.writes import Target
from orgsync_reconcile.stores.sql.text import commas, quote

#: Chosen records whose children are asked for at once.
_PARENTS = 500


class Forwarding:
    """One forward over one flow. Choose parents first: records are sent in the order in which they were chosen."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.db = flow.db
        self.db.execute("DROP TABLE IF EXISTS temp.wanted")
        self.db.execute(f"CREATE TEMP TABLE wanted (n {self.db.dialect.numbered}, object BIGINT, record TEXT UNIQUE)")

    # -- choosing ----------------------------------------------------------------------------------------------

    def choose(self, path: Path, condition: SqlFilter) -> int:
        """Adds the records of the source that satisfy `condition` (over `s`), live and of a kind that goes at all."""
        found = self.flow.partner.query(
            f'SELECT s."Id" FROM partner.{quote(path.object)} AS s WHERE s."IsDeleted" = FALSE AND {path.allowed}'
            f' AND ({condition.sql}) ORDER BY s."Id"',
            condition.parameters,
        )
        before = self._count()
        self.db.executemany(
            "INSERT OR IGNORE INTO temp.wanted (object, record) VALUES (?, ?)",
            ((path.source, row[0]) for row in found),
        )
        return self._count() - before

    def choose_ids(self, path: Path, records: Iterable[str]) -> list[str]:
        """Adds these records; returns those that are not there, are deleted, or never go."""
        missing: list[str] = []
        for record in dict.fromkeys(records):
            found = self.choose(path, SqlFilter(sql='s."Id" = ?', parameters=(record,)))
            if not found:
                missing.append(record)
        return missing

    def choose_children(self, path: Path, fields: Sequence[str]) -> int:
        """Adds the records that point to a chosen one by any of these fields."""
        chosen = [row[0] for row in self.db.execute("SELECT record FROM temp.wanted ORDER BY n")]
        added = 0
        for start in range(0, len(chosen) if fields else 0, _PARENTS):
            part = chosen[start : start + _PARENTS]
            tests = " OR ".join(f"s.{quote(name)} IN ({commas('?' * len(part))})" for name in fields)
            added += self.choose(path, SqlFilter(sql=tests, parameters=tuple(part) * len(fields)))
        return added

    def _count(self) -> int:
        return int(self.db.execute("SELECT count(*) FROM temp.wanted").fetchone()[0])

    def last(self) -> int:
        """The place of the last chosen record; 0 where there is none."""
        return int(self.db.execute("SELECT coalesce(max(n), 0) FROM temp.wanted").fetchone()[0])

    # -- sending -----------------------------------------------------------------------------------------------

    def send(self, low: int, high: int, now: datetime) -> tuple[dict[str, ObjectCounts], int]:
        """Sends the chosen records with places in (low, high]; returns the counts per object and how many links were restored.

        The caller holds the pair's lease and calls `flow.finish` after it.
        """
        flow = self.flow
        self._forget_links_to_nothing(low, high)
        with flow.target.transaction(), flow.partner.reading():
            facts = flow.target_facts(now)
            refresh_references(self.db, flow.partner, flow.numbers[1], facts.now_ms)
            flow.partner.bring("orgsync_held", "s.connection = ?", [flow.numbers[0]])
            restored = self._restore_links(low, high, facts)
            staged = self._stage(low, high, facts)
            if settling.adopt_known(flow, staged, facts):
                self._stage(low, high, facts)
            self._leave_pending()
            with flow.guard.marked():
                counts = delivery.write_staged(flow, facts)
                fill_waiting(flow)
            flow.move_watermark(flow.watermark())
        reach(FailPoint.FORWARD_AFTER_TARGET_COMMIT)
        self._restore_in_source(restored, facts)
        reach(FailPoint.FORWARD_AFTER_LINKS_RESTORED)
        return counts, len(restored)

    def _staged_paths(self, low: int, high: int) -> list[Path]:
        rows = self.db.execute("SELECT DISTINCT object FROM temp.wanted WHERE n > ? AND n <= ?", [low, high])
        objects = {row[0] for row in rows.fetchall()}
        return [path for path in self.flow.paths.values() if path.source in objects]

    def _forget_links_to_nothing(self, low: int, high: int) -> None:
        """A record whose partner was deleted for good is sent as a new one: its link goes, in the source first."""
        here, there = self.flow.numbers
        gone: list[tuple[str]] = []
        for path in self._staged_paths(low, high):
            gone += self.db.execute(
                "SELECT w.record FROM temp.wanted AS w CROSS JOIN main.orgsync_link AS l ON l.partner = w.record"
                f" WHERE w.n > ? AND w.n <= ? AND w.object = ? AND l.connection = ? AND NOT EXISTS (SELECT 1 FROM"
                f' main.{quote(path.object)} AS t WHERE t."Id" = l.local)',
                [low, high, path.source, there],
            ).fetchall()
        if gone:
            delete = "DELETE FROM main.orgsync_link WHERE connection = {} AND {} = ?"
            with self.flow.source.transaction() as db:
                db.executemany(delete.format(here, "local"), gone)
            with self.flow.target.transaction() as db:
                db.executemany(delete.format(there, "partner"), gone)

    def _restore_links(self, low: int, high: int, facts: Target) -> list[str]:
        """Links of chosen records that were disconnected or severed live again; the source's Ids of the records."""
        rows = self.db.execute(
            "SELECT l.number, l.partner FROM temp.wanted AS w CROSS JOIN main.orgsync_link AS l ON l.partner = w.record"
            " WHERE w.n > ? AND w.n <= ? AND l.connection = ? AND l.status IN (2, 4) ORDER BY w.n",
            [low, high, facts.connection],
        ).fetchall()
        self.db.executemany(
            f"UPDATE main.orgsync_link SET status = 1, since = {facts.now_ms}, seen = {facts.seen} WHERE number = ?",
            [(row[0],) for row in rows],
        )
        return [row[1] for row in rows]

    def _restore_in_source(self, restored: Sequence[str], facts: Target) -> None:
        if restored:
            with self.flow.source.transaction() as db:
                db.executemany(
                    f"UPDATE main.orgsync_link SET status = 1, since = {facts.now_ms} WHERE connection = {facts.there}"
                    " AND local = ?",
                    [(record,) for record in restored],
                )

    def _stage(self, low: int, high: int, facts: Target) -> Staged:
        """Unlinked records are inserts; linked ones get what differs, and come back where they are deleted."""
        words = self.flow.words
        zeros = commas("0" for _ in words.names)
        clear(self.db)
        self.db.execute(
            f"INSERT INTO temp.stage (object, record, ins, gone, held, at, local, {words.columns})"
            " SELECT w.object, w.record, CASE WHEN l.local IS NULL THEN 1 ELSE 0 END, 0,"
            " CASE WHEN EXISTS (SELECT 1 FROM partner.orgsync_held AS h WHERE h.connection = ? AND h.record = w.record)"
            f" THEN 1 ELSE 0 END, ?, l.local, {zeros} FROM temp.wanted AS w"
            " LEFT JOIN main.orgsync_link AS l ON l.partner = w.record AND l.connection = ?"
            " WHERE w.n > ? AND w.n <= ? ORDER BY w.n",
            [facts.there, facts.now_ms, facts.connection, low, high],
        )
        staged = bringing.bring_staged(self.flow)
        for path in self._staged_paths(low, high):
            stage_differences(self.db, path, words, facts, "stage.local IS NOT NULL")
            self.db.execute(
                "UPDATE temp.stage SET gone = 1 WHERE object = ? AND EXISTS (SELECT 1 FROM"
                f' main.{quote(path.object)} AS t WHERE t."Id" = stage.local AND t."IsDeleted" = TRUE)',
                [path.source],
            )
        return staged

    def _leave_pending(self) -> None:
        """What was changed in the target and is on its way here stays as it is there: nobody has seen it here yet."""
        flow = self.flow
        here, there = flow.numbers
        (seen,) = flow.partner.row("SELECT seq FROM partner.orgsync_inbox WHERE connection = ?", [here])
        end = flow.watermark()
        case = conflicts.Case(here=there, there=here, watermark=seen, window=(end, end), source=flow.side)
        if conflicts.stage_pending(self.db, flow.partner, flow.words, list(flow.paths.values()), case):
            sums = commas(f"bit_or({name}) AS {name}" for name in flow.words.names)
            keep = commas(f"{name} = stage.{name} & ~p.{name}" for name in flow.words.names)
            self.db.execute(
                f"UPDATE temp.stage SET {keep}, gone = CASE WHEN p.deleted = 1 THEN 0 ELSE stage.gone END"
                " FROM (SELECT n, max(CASE WHEN op = 'D' THEN 1 ELSE 0 END) AS deleted,"
                f" {sums} FROM temp.pending GROUP BY n) AS p WHERE p.n = stage.n"
            )
