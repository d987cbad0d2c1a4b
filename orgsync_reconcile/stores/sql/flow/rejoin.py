"""Joining an org that was restored from a backup to its partner again: positions, counters and links.

All of it is SQL over both orgs, whatever the number of links. The partner's transaction leaves a mark that stands until
what differs was queued too: up to then no sync runs, and a resync that was killed is made again with what the mark says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.flow.continuity import REJOINING, SEEN, seen_change
from orgsync_reconcile.stores.sql.flow.flow import Flow
from orgsync_reconcile.stores.sql.flow.network import has_several
from orgsync_reconcile.stores.sql.flow.pair import Pair
from orgsync_reconcile.stores.sql.flow.roots import came_from
from orgsync_reconcile.stores.sql.open_rounds import forget_rounds
from orgsync_reconcile.stores.sql.text import commas, quote

_HEX = re.compile("[0-9a-f]{9}")
#: Log entries that are copied by one statement.
_RANGE = 10_000
#: Links of records: what is matched by name (3) is found anew by every sync.
_RECORDS = "status IN (1, 2, 4)"


@dataclass(frozen=True, kw_only=True)
class Rejoined:
    """What joining again did: links that the restored org got back, links that ended, changes that are sent again.

    `kept` are records of the other org that the restored one has lost and that do not flow to it.
    """

    linked: int = 0
    ended: int = 0
    sent_again: int = 0
    kept: int = 0


class Rejoining:
    """Joins the restored org of `side` to its partner, in three steps, each a transaction that may be made again.

    The caller holds the lease, finishes both flows after the steps, queues what differs, and then calls `forget_mark`.
    """

    def __init__(self, pair: Pair, side: Side, now_ms: int) -> None:
        self.restored, self.partner = pair.orgs[side], pair.orgs[side.other]
        #: How each of the two sees the other.
        self.sees_partner, self.sees_restored = pair.partners[side], pair.partners[side.other]
        #: The connection's number in the restored org and in its partner.
        self.here, self.there = pair.numbers[side], pair.numbers[side.other]
        self.now_ms = now_ms
        #: What flows to the restored org, and what flows from it.
        self.to_restored, self.from_restored = Flow(pair, side.other).paths, Flow(pair, side).paths
        self._objects = {row[0] for row in self.restored.db.execute("SELECT name FROM main.orgsync_object")}
        self.watermark, self.seen = self._last_known()

    def _last_known(self) -> tuple[int, int]:
        """How far the partner had the restored org's log, and the time of the change there (-1: unknown)."""
        db = self.partner.db
        mark = db.execute(
            "SELECT value FROM main.orgsync_setting WHERE name = ?", [REJOINING.format(self.there)]
        ).fetchone()
        if mark is not None:
            watermark, seen = mark[0].split()
            return int(watermark), int(seen)
        (position,) = db.execute("SELECT seq FROM main.orgsync_inbox WHERE connection = ?", [self.there]).fetchone()
        change = seen_change(db, self.there)
        return int(position), int(change[1].rpartition(" ")[2]) if change else -1

    # -- the steps ---------------------------------------------------------------------------------------------

    def keep_apart(self) -> None:
        """No record Id that the partner knows is given a second time; where one was, the new record's root is noted.

        First, while the partner still knows them all.
        """
        with self.restored.transaction() as db:
            db.exclude_writers()
            for number, name in self._linked_objects():
                if name in self._objects:
                    for known in self._highest_ids(number):
                        db.skip_ids(name, known)
            # Nobody else adds a record to the restored org now, so no Id is given again behind this look.
            with self.sees_restored.reading():
                self._find_reused()
            db.executemany(
                "INSERT INTO main.orgsync_root (record, root) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (
                    (record, f"{self.restored.org_id}{record}/{self.now_ms}")
                    for (record,) in self.partner.db.execute("SELECT partner FROM temp.reused")
                ),
            )

    def end_links(self) -> tuple[int, int]:
        """The partner's part: (links that ended, records among them that stay in the partner alone).

        A link ends where its Id was given to another record since, whose partner is then sent as new, and where the row
        is gone and its object does not flow to the restored org. Where it does, the link stays for verify to find.
        """
        with self.partner.transaction() as db, self.sees_restored.reading():
            reused = self._end_reused()
            lost = sum(
                self._end_lost(number, name, there=name in self._objects)
                for number, name in self._linked_objects()
                if name not in self.to_restored
            )
            db.execute(
                "INSERT INTO main.orgsync_setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
                [REJOINING.format(self.there), f"{self.watermark} {self.seen}"],
            )
            db.execute("DELETE FROM main.orgsync_setting WHERE name = ?", [SEEN.format(self.there)])
            forget_rounds(db, self.there)
            db.execute(
                "UPDATE main.orgsync_inbox SET seq = ? WHERE connection = ?",
                [self._new_position(), self.there],
            )
        return lost + reused, lost

    def restore_links(self) -> tuple[int, int]:
        """The restored org's part: (links that it got back, changes that are sent again under new positions)."""
        with self.restored.transaction() as db, self.sees_partner.reading():
            db.exclude_writers()
            for table in ("orgsync_link", "orgsync_object", "orgsync_connection", "orgsync_root"):
                self.sees_partner.bring(table)
            end = db.last_number("orgsync_change")
            forget_rounds(db, self.here)
            self._drop_ended_links()
            self._raise_positions()
            linked = self._give_links()
            repeated = self._log_again(end)
            (position,) = self.sees_partner.row(
                "SELECT seq FROM partner.orgsync_inbox WHERE connection = ?", [self.there]
            )
            db.execute("UPDATE main.orgsync_outbox SET seq = ? WHERE connection = ?", [position, self.here])
            self._move_inbox()
        return linked, repeated

    # -- what the steps consist of -----------------------------------------------------------------------------

    def _new_position(self) -> int:
        """A log position beyond all that either org knows of the restored org's log."""
        (position,) = self.partner.db.execute(
            "SELECT seq FROM main.orgsync_inbox WHERE connection = ?", [self.there]
        ).fetchone()
        return max(int(position), self.restored.db.last_number("orgsync_change")) + 1

    def _linked_objects(self) -> list[tuple[int, str]]:
        return self.partner.db.execute(
            "SELECT number, name FROM main.orgsync_object WHERE number IN"
            f" (SELECT object FROM main.orgsync_link WHERE connection = ? AND {_RECORDS}) ORDER BY name",
            [self.there],
        ).fetchall()

    def _end_lost(self, number: int, name: str, *, there: bool) -> int:
        """Ends the links whose row the restored org has lost; all of them where it has not even the object."""
        mine = f"FROM main.orgsync_link WHERE connection = ? AND object = ? AND {_RECORDS}"
        if there:
            self.sees_restored.bring_by(name, 's."Id"', f"SELECT partner {mine}", [self.there, number])
        lost = f'NOT EXISTS (SELECT 1 FROM partner.{quote(name)} AS r WHERE r."Id" = orgsync_link.partner)'
        return self.partner.db.execute(f"DELETE {mine} AND {lost if there else '1 = 1'}", [self.there, number]).rowcount

    def _highest_ids(self, number: int) -> Iterator[int]:
        """The highest number of each counter in Ids that the partner knows of the restored org's records of an object."""
        for end in self.restored.db.dialect.id_ends:
            numbers = self.partner.db.execute(
                "SELECT substr(partner, 7, 9) FROM main.orgsync_link WHERE connection = ? AND object = ? AND status <> 3"
                " AND length(partner) = 18 AND substr(partner, 4, 3) = ? AND substr(partner, 7, 9) < ? ORDER BY partner DESC",
                [self.there, number, self.restored.code, end],
            )
            # Somebody may have put anything into the table.
            yield next((int(text, 16) for (text,) in numbers if _HEX.fullmatch(text)), 0)

    def _find_reused(self) -> None:
        """Fills temp.reused of the partner with the links whose Id the restored org has given to another record since.

        A link that the backup knows is no other record's. Of the others those are, whose row is younger than the link,
        unless another connection has brought that row back already: then it is younger than its link there, too. Where
        the restored org logs its inserts, it must have logged this one after anything that the partner has seen.
        """
        db = self.partner.db
        db.execute("DROP TABLE IF EXISTS temp.reused")
        db.execute("CREATE TEMP TABLE reused (number BIGINT PRIMARY KEY, partner TEXT)")
        made = db.dialect.milliseconds('r."CreatedDate"')
        (sent,) = self.sees_restored.row("SELECT seq FROM partner.orgsync_outbox WHERE connection = ?", [self.here])
        self.sees_restored.bring("orgsync_link")
        self.sees_restored.bring("orgsync_change", "s.op = 'I' AND s.seq > ?", [sent])
        for number, name in self._linked_objects():
            if name not in self._objects:
                continue
            linked = f"SELECT partner FROM main.orgsync_link WHERE connection = ? AND object = ? AND {_RECORDS}"
            self.sees_restored.bring_by(name, 's."Id"', linked, [self.there, number])
            rows = "main.orgsync_link AS l"
            values: list[int] = []
            if name in self.from_restored:
                rows = "partner.orgsync_change AS c CROSS JOIN main.orgsync_link AS l ON l.partner = c.record AND c.op = 'I'"
                rows += " AND c.at > ? AND c.seq > ?"
                values = [self.seen, sent]
            db.execute(
                f"INSERT INTO temp.reused SELECT DISTINCT l.number, l.partner FROM {rows}"
                f' CROSS JOIN partner.{quote(name)} AS r ON r."Id" = l.partner'
                f" WHERE l.connection = ? AND l.object = ? AND l.{_RECORDS} AND {made} > l.since + 1 AND NOT EXISTS"
                " (SELECT 1 FROM partner.orgsync_link AS k WHERE k.local = l.partner AND k.status <> 3"
                f" AND ((k.connection = ? AND k.partner = l.local) OR {made} > k.since + 1))",
                [*values, self.there, number, self.here],
            )

    def _end_reused(self) -> int:
        """Ends the links of temp.reused. The records keep their roots, and go to the restored org as new ones."""
        db = self.partner.db
        db.execute(
            "INSERT INTO main.orgsync_root (record, root) SELECT l.local, coalesce(l.root, ? || l.partner)"
            " FROM temp.reused AS u JOIN main.orgsync_link AS l ON l.number = u.number WHERE l.made_here = 1"
            " ON CONFLICT DO NOTHING",
            [self.restored.org_id],
        )
        flowing = [str(path.source) for path in self.to_restored.values()]
        db.execute(
            "INSERT INTO main.orgsync_change (object, record, op, at) SELECT l.object, l.local, 'I', ?"
            " FROM temp.reused AS u JOIN main.orgsync_link AS l ON l.number = u.number"
            f" WHERE l.object IN ({commas(flowing)})",
            [self.now_ms],
        )
        return db.execute("DELETE FROM main.orgsync_link WHERE number IN (SELECT number FROM temp.reused)").rowcount

    def _drop_ended_links(self) -> None:
        """Links that the partner ended after the backup end here too; those that it never saw stay for the mirror."""
        (told,) = self.sees_partner.row("SELECT link FROM partner.orgsync_outbox WHERE connection = ?", [self.there])
        self.restored.db.execute(
            "DELETE FROM main.orgsync_link WHERE connection = ? AND status IN (1, 4) AND (made_here = 0 OR number <= ?)"
            " AND NOT EXISTS (SELECT 1 FROM"
            " partner.orgsync_link AS p WHERE p.partner = orgsync_link.local AND p.connection = ?)",
            [self.here, told, self.there],
        )

    def _raise_positions(self) -> None:
        """No position of the log, of a link or of an event that the partner knows is given a second time."""
        (link,) = self.partner.db.execute(
            "SELECT link FROM main.orgsync_outbox WHERE connection = ?", [self.there]
        ).fetchone()
        position, *events = self.partner.db.execute(
            "SELECT seq, event_state, event_map FROM main.orgsync_inbox WHERE connection = ?", [self.there]
        ).fetchone()
        self._raise("orgsync_change", int(position))
        self._raise("orgsync_link", int(link))
        self._raise("orgsync_event", max(int(event) for event in events))

    def _raise(self, table: str, number: int) -> None:
        db = self.restored.db
        if number > db.last_number(table):
            db.set_last_number(table, number)

    def _give_links(self) -> int:
        """Gives the restored org the links that it lacks, with where their records were made; returns how many."""
        made = f"CASE l.made_here WHEN 0 THEN {came_from('l.local')} END" if has_several(self.partner) else "NULL"
        return self.restored.db.execute(
            "INSERT INTO main.orgsync_link (connection, object, local, partner, status, made_here, since, root)"
            f" SELECT ?, m.number, l.partner, l.local, l.status, 1 - l.made_here, l.since, {made}"
            " FROM partner.orgsync_link AS l JOIN partner.orgsync_object AS o ON o.number = l.object"
            f" JOIN main.orgsync_object AS m ON m.name = o.name WHERE l.connection = ? AND l.{_RECORDS}"
            " ORDER BY l.number ON CONFLICT DO NOTHING",
            [self.here, self.there],
        ).rowcount

    def _log_again(self, end: int) -> int:
        """What the partner is not known to have had before gets new positions, in its order; returns how much that is.

        `end` is the last position of before: positions up to the partner's new one count as sent.
        """
        db = self.restored.db
        masks = commas(f"m{word}" for word in range(self.restored.engine.mask_width()))
        (start,) = db.execute("SELECT seq FROM main.orgsync_outbox WHERE connection = ?", [self.here]).fetchone()
        count = 0
        for low, high in self._parts(int(start), end):
            count += db.execute(
                f"INSERT INTO main.orgsync_change (object, record, op, at, origin, hops, {masks})"
                f" SELECT object, record, op, at, origin, hops, {masks} FROM main.orgsync_change AS c"
                " WHERE c.seq > ?1 AND c.seq <= ?2 AND (c.origin IS NULL OR c.origin <> ?3)"
                " AND NOT (c.seq <= ?4 AND c.at <= ?5 AND EXISTS"
                " (SELECT 1 FROM partner.orgsync_link AS k WHERE k.partner = c.record AND k.connection = ?6))"
                f" ORDER BY c.seq, c.{db.dialect.entry}",
                [low, high, self.here, self.watermark, self.seen, self.there],
            ).rowcount
        return count

    def _move_inbox(self) -> None:
        """What the partner sent before is not sent again: verify compares instead."""
        names = ("seq", "batch", "event_state", "event_map")
        sent = self.sees_partner.row(
            f"SELECT {commas(names)} FROM partner.orgsync_outbox WHERE connection = ?", [self.there]
        )
        db = self.restored.db
        moved = [f"{name} = {db.dialect.greater(name, str(int(at)))}" for name, at in zip(names, sent, strict=True)]
        db.execute(f"UPDATE main.orgsync_inbox SET {commas(moved)} WHERE connection = ?", [self.here])

    def _parts(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The restored org's log (start, end] in parts of as many positions as one statement takes."""
        while start < end:
            (high,) = self.restored.db.execute(
                "SELECT max(seq) FROM (SELECT seq FROM main.orgsync_change WHERE seq > ? AND seq <= ?"
                " ORDER BY seq LIMIT ?) AS p",
                [start, end, _RANGE],
            ).fetchone()
            if high is None:
                return
            yield start, int(high)
            start = int(high)


def forget_mark(pair: Pair, side: Side) -> None:
    """Ends the joining of the restored org of `side`: what differs is queued in both orgs, and syncs may run again."""
    with pair.orgs[side.other].transaction() as db:
        db.execute("DELETE FROM main.orgsync_setting WHERE name = ?", [REJOINING.format(pair.numbers[side.other])])
