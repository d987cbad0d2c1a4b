"""One direction of a connection: batches of the log, and ranges of a bulk sync, from source to target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from orgsync_reconcile.clock import iso
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.records import ObjectCounts
from orgsync_reconcile.stores.sql.flow import cascades, conflicts, outcomes, staging, stamps, writes
from orgsync_reconcile.stores.sql.flow.continuity import note_seen
from orgsync_reconcile.stores.sql.flow.disturbance import require_undisturbed
from orgsync_reconcile.stores.sql.flow.mentions import Mentions
from orgsync_reconcile.stores.sql.flow.mirror import is_told, mirror
from orgsync_reconcile.stores.sql.flow.network import has_several
from orgsync_reconcile.stores.sql.flow.pair import Pair
from orgsync_reconcile.stores.sql.flow.paths import Path, read_paths
from orgsync_reconcile.stores.sql.flow.references import refresh_references
from orgsync_reconcile.stores.sql.flow.refusals import Refusal
from orgsync_reconcile.stores.sql.flow.roots import adopt
from orgsync_reconcile.stores.sql.flow.severed import mirror_severed
from orgsync_reconcile.stores.sql.flow.waiting import fill_waiting
from orgsync_reconcile.stores.sql.flow.writer import Writer
from orgsync_reconcile.stores.sql.flow.writes import Target
from orgsync_reconcile.stores.sql.layout import MAX_HOPS
from orgsync_reconcile.stores.sql.own_triggers import with_sql_triggers
from orgsync_reconcile.stores.sql.schema import rebuild_triggers, widen_masks
from orgsync_reconcile.stores.sql.text import quote


@dataclass(kw_only=True)
class BatchResult:
    """What one batch did. `seq` is the new watermark; `more` says that the log goes on."""

    seq: int
    more: bool
    counts: dict[str, ObjectCounts] = field(default_factory=dict)
    #: How many staged records were held ones that got their next try.
    retried: int = 0


class Flow:
    """Records from `source` to the other side of a pair."""

    def __init__(self, pair: Pair, source: Side) -> None:
        pair.attach()
        self.pair = pair
        self.side = source
        self.source = pair.orgs[source]
        self.target = pair.orgs[source.other]
        #: The connection's number in source and target.
        self.numbers = (pair.numbers[source], pair.numbers[source.other])
        self.db = self.target.db
        #: How the target's statements see the source, and the source's the target.
        self.partner = pair.partners[source.other]
        self._back = pair.partners[source]
        self.paths: dict[str, Path] = {}
        self.words = staging.Words(width=4)
        #: Objects of the target that have triggers of the org's own, by number.
        self.own_triggers: set[int] = set()
        #: What temp.stage holds records of, as far as they were brought.
        self._staged: list[Path] = []
        #: Whether lookups wait for their parent in the source itself.
        self._source_waits = False
        #: Of the pair, when the paths were read.
        self.revisions: tuple[int, ...] = ()
        #: Makes mentions plain, for the target's statements.
        self.mentions = Mentions(self.db, (self.source.db, self.db))
        self._hops = 1
        #: Either org has several connections: changes may come, and go on, over others.
        self.stamped = False
        self.refresh()

    def refresh(self) -> None:
        """Reads the paths again: publications, subscriptions and schemas may have changed."""
        self.revisions = self.pair.revisions()
        self.stamped = has_several(self.source) or has_several(self.target)
        self.paths = read_paths(self.source, self.target, *self.numbers)
        files = {path.files.path.object: path.files.path for path in self.paths.values() if path.files}
        self.partner.paths = {**self.paths, **files}
        self.own_triggers = {self.paths[name].target for name in with_sql_triggers(self.target, self.paths)}
        self.words = staging.Words(width=self.source.engine.mask_width())
        if self.target.engine.mask_width() < self.words.width:
            # The target notes what it refused with the source's masks.
            with self.target.transaction():
                widen_masks(self.target, self.words.width)
        staging.prepare(self.target, self.words)
        if self.stamped:
            stamps.prepare(self.db, self.paths.values())

    def watermark(self) -> int:
        """The last position of the source's log that the target has."""
        row = self.db.execute("SELECT seq FROM main.orgsync_inbox WHERE connection = ?", [self.numbers[1]]).fetchone()
        return int(row[0])

    def take_turn(self) -> None:
        """Waits for whoever moves the same watermark, until this transaction ends.

        A lease ends with its session in the primary; its holder may still be writing to the secondary.
        """
        self.db.execute(
            f"SELECT seq FROM main.orgsync_inbox WHERE connection = ? {self.db.dialect.for_update}", [self.numbers[1]]
        ).fetchone()

    def head(self) -> int:
        """The last position of the source's log."""
        return self.source.db.log_end()

    def due(self, now: datetime) -> bool:
        """Whether a held record is due for its next try, or its parent has come."""
        low, high = self._not_due(now)
        row = self.source.db.execute(
            "SELECT 1 FROM main.orgsync_held AS h WHERE connection = ?1 AND (next_retry <= ?2 OR next_retry > ?3 OR (waits_for <> '' AND EXISTS"
            " (SELECT 1 FROM main.orgsync_link AS l WHERE l.local = h.waits_for AND l.connection = ?1))) LIMIT 1",
            [self.numbers[0], low, high],
        ).fetchone()
        return row is not None

    def _not_due(self, now: datetime) -> tuple[int, int]:
        """The milliseconds after which, and up to which, a next try is still to come.

        A try that is further ahead than the longest pause was set by a clock that has gone backwards since (QUE-5).
        """
        now_ms = int(now.timestamp() * 1000)
        return now_ms, now_ms + max(self.pair.retry, default=0) * 1000

    def people(self, limit: int) -> list[str]:
        """The Ids of users whose record or assignments changed within the next `limit` log entries (USR-3)."""
        low = self.watermark()
        rows = self.source.db.execute(
            'SELECT DISTINCT coalesce(a."AssigneeId", c.record) FROM (SELECT object, record, origin FROM main.orgsync_change'
            ' WHERE seq > ? ORDER BY seq LIMIT ?) AS c LEFT JOIN main."PermissionSetAssignment" AS a ON a."Id" = c.record'
            " WHERE c.object IN (SELECT number FROM main.orgsync_object WHERE name IN ('User', 'PermissionSetAssignment'))"
            " AND (c.origin IS NULL OR c.origin <> ?)",
            [low, limit, self.numbers[0]],
        )
        return [row[0] for row in rows if isinstance(row[0], str) and row[0].startswith("005")]

    def target_facts(self, now: datetime) -> Target:
        """What the write statements need to know of the target at this moment."""
        of_connection = 'FROM main."PartnerNetworkConnection" AS p JOIN main.orgsync_connection AS c ON c.id = p."Id" WHERE c.number = ?'
        (owner,) = self.db.execute(f'SELECT p."PrimaryContactId" {of_connection}', [self.numbers[1]]).fetchone()
        # The secondary holds a copy of this option; the primary's counts (CON-6).
        (audit,) = (
            self.pair.orgs[Side.PRIMARY]
            .db.execute(f'SELECT p."IsSyncAuditFields" {of_connection}', [self.pair.numbers[Side.PRIMARY]])
            .fetchone()
        )
        return Target(
            connection=self.numbers[1],
            there=self.numbers[0],
            code=self.target.code,
            stand_in=owner or self.target.admin_id,
            now=iso(now),
            now_ms=int(now.timestamp() * 1000),
            audit=bool(audit),
            rooted=self.stamped and has_several(self.source),
            stamped=self.target.org_id if self.stamped else "",
            ring=self.pair.ring,
            width=self.target.engine.mask_width(),
            seen=self._seen(),
            dialect=self.db.dialect,
        )

    def _seen(self) -> int:
        """The source's log position up to which its records are read; what has no stamp yet comes once more."""
        if self.stamped:
            return int(self.partner.row("SELECT seq FROM partner.orgsync_stamped")[0])
        return self.partner.log_end()

    def batch(self, limit: int, now: datetime) -> BatchResult:
        """Moves the next `limit` entries of the log, and the held records that are due. One transaction in the target.

        The caller holds the pair's lease. After it, `finish` tells the source.
        """
        with self.target.transaction(), self.partner.reading():
            if self.stamped:
                stamps.fold(self.db, self.target.org_id, staging.Words(width=self.target.engine.mask_width()))
            low = self.watermark()
            high, hops, head = self.window(low, limit)
            self.partner.bring("orgsync_change", "s.seq > ? AND s.seq <= ?", [low, high])
            staged = staging.stage_log(self.db, self.words, self.paths, self.numbers, (low, high))
            retried = self._stage_held(now, staged)
            if staged or retried:
                staging.leave_severed(self.db, self.numbers[1])
            result = BatchResult(seq=high, more=high < head, retried=retried)
            waits = self.waits()
            if staged or retried or waits:
                facts = self.target_facts(now)
                refresh_references(self.db, self.partner, self.numbers[1], facts.now_ms)
                if staged or retried:
                    self.move_staged(facts, (low, high), hops, result)
                with self.guarded(hops + 1):
                    self.fill(Writer(self.db, self.partner, self.words, facts))
            self.move_watermark(high)
        return result

    def move_staged(self, facts: Target, window: tuple[int, int], hops: int, result: BatchResult) -> None:
        """Settles what both orgs changed, and writes temp.stage; `window` holds the staged entries of the log."""
        # From here on: whatever is committed before it is seen when conflicts are looked for.
        moment = self.db.moment()
        staged = self._bring_logged(window)
        if not staged:
            known = self.adopt(facts)
            self.widen_replaced(facts)
            self.settle_conflicts(facts, window, ring=self.pair.ring or known > 0)
        with self.guarded(hops + 1):
            self.write_staged(facts, result, staged, looping=hops >= MAX_HOPS)
        if moment is not None:
            require_undisturbed(self.db, moment)

    def _stage_held(self, now: datetime, staged: int) -> int:
        if not self.bring_held():
            return 0
        return staging.stage_held(self.db, self.words, self.numbers, self._not_due(now)) - staged

    def bring_held(self) -> bool:
        """Brings what the source holds for the target; whether it holds anything."""
        (held,) = self.partner.row(
            "SELECT EXISTS (SELECT 1 FROM partner.orgsync_held WHERE connection = ?)", [self.numbers[0]]
        )
        if held:
            self.partner.bring("orgsync_held", "s.connection = ?", [self.numbers[0]])
        return bool(held)

    def bring_staged(self) -> None:
        """Brings the records of temp.stage, and what the source knows of them: links, stamps, lookups that wait."""
        self._look_at_stage()
        for path in self._staged:
            self.partner.bring_by(
                path.object, 's."Id"', "SELECT record FROM temp.stage WHERE object = ?", [path.source]
            )
        self._bring_what_is_known()

    def _bring_logged(self, window: tuple[int, int]) -> list[staging.Kind]:
        """The same for records that are staged from entries of the log, which were brought, or because they were held.

        Where nothing but values of linked records changed, and in this org alone, just the changed columns come, and
        the stage stays as it is: it is returned.
        """
        partner = self.partner
        staged = self._look_at_stage()
        alone = all(kind.just_changed for kind in staged) and all(path.narrows for path in self._staged)
        alone = alone and not (self.stamped or self._source_waits)
        alone = alone and not conflicts.may_conflict(self.db, self._case(window))
        for path in self._staged:
            mine = [kind for kind in staged if kind.object == path.source]
            if alone:
                partner.narrow(path, path.changed([kind.masks for kind in mine]))
            partner.bring_changed(path)
            if any(kind.held for kind in mine):
                held = "SELECT record FROM temp.stage WHERE object = ? AND held = 1"
                partner.bring_by(path.object, 's."Id"', held, [path.source])
        if alone:
            return staged
        self._bring_what_is_known()
        return []

    def _look_at_stage(self) -> list[staging.Kind]:
        staged = staging.kinds(self.db, self.words)
        objects = {kind.object for kind in staged}
        self._staged = [path for path in self.paths.values() if path.source in objects]
        (waits,) = self.partner.row("SELECT EXISTS (SELECT 1 FROM partner.orgsync_waiting)")
        self._source_waits = bool(waits)
        return staged

    def _bring_what_is_known(self) -> None:
        staged = "SELECT record FROM temp.stage"
        self.make_plain(f's."Id" IN ({staged})', [])
        if self.stamped:
            self.bring_knowledge(staged)
        else:
            self.partner.bring_by("orgsync_waiting", "s.record", staged)

    def make_plain(self, where: str, parameters: Sequence[object], only: Path | None = None) -> None:
        """Makes the mentions plain in the source's records `s` that satisfy a condition."""
        self.mentions.clear()
        for path in self._staged if only is None else (only,):
            for column in path.columns:
                if column.mentions:
                    self.mentions.stage(f"partner.{quote(path.object)}", column.name, where, parameters)

    def bring_knowledge(self, records: str) -> None:
        """Brings what the source knows of its records that the query finds: links, roots, stamps, lookups that wait."""
        partner = self.partner
        partner.bring("orgsync_connection")
        partner.bring_by("orgsync_link", "s.local", records)
        for table in ("orgsync_root", "orgsync_waiting", *(["orgsync_stamp"] if self.stamped else [])):
            partner.bring_by(table, "s.record", records)

    def window(self, low: int, limit: int) -> tuple[int, int, int]:
        """(last position, hops, end of the log) of the next batch: its entries were all made at one distance (ORG-7)."""
        ask = self.partner.row
        # What was logged at one position goes at once, as far as the farthest of it has come.
        head, high, hops = ask(
            "SELECT (SELECT coalesce(max(seq), 0) FROM partner.orgsync_change WHERE seq <= ?2),"
            " (SELECT coalesce(max(seq), ?1) FROM (SELECT seq FROM partner.orgsync_change WHERE seq > ?1 AND seq <= ?2"
            " ORDER BY seq LIMIT ?3) AS w),"
            " (SELECT coalesce(max(hops), 0) FROM partner.orgsync_change"
            " WHERE seq = (SELECT min(seq) FROM partner.orgsync_change WHERE seq > ?1))",
            [low, self.partner.log_end(), limit],
        )
        if self.stamped:
            # What has no stamp yet gets it before the next batch.
            (ready,) = ask("SELECT seq FROM partner.orgsync_stamped")
            high = max(min(high, ready), low)
        (mixed,) = ask(
            "SELECT EXISTS (SELECT 1 FROM partner.orgsync_change WHERE seq > ? AND seq <= ? AND coalesce(hops, 0) <> ?)",
            [low, high, hops],
        )
        if not mixed:
            return high, hops, head
        (other,) = ask(
            "SELECT min(seq) FROM (SELECT seq FROM partner.orgsync_change WHERE seq > ? AND seq <= ?"
            " GROUP BY seq HAVING coalesce(max(hops), 0) <> ?) AS w",
            [low, high, hops],
        )
        return (high if other is None else other - 1), hops, head

    def adopt(self, facts: Target) -> int:
        """Links staged new records that the target has already over another connection (CON-10); returns how many."""
        if not has_several(self.target):
            return 0
        moment = (facts.connection, facts.now_ms, facts.seen)
        return adopt(self.db, self.partner, self._staged, self.source, self.target, moment)

    def widen_replaced(self, facts: Target) -> None:
        """Inserts under Ids that are linked already become updates of all columns (ORG-7)."""
        found = self.db.execute("SELECT DISTINCT object FROM temp.stage WHERE ins = 1 AND local IS NOT NULL").fetchall()
        objects = {row[0] for row in found}
        for path in self.paths.values():
            if path.source in objects:
                self.db.execute(writes.mask_of_linked_inserts(path, self.words.width, facts))

    def settle_conflicts(self, facts: Target, window: tuple[int, int], *, ring: bool) -> None:
        """Takes out of the stage what loses against the target's changes, and what the target has seen already."""
        paths = self._staged
        if self._source_waits:
            staging.leave_placeholders(self.db, paths)
        case = self._case(window)
        if self.stamped and not ring and stamps.stage_lost(self.db, self.words, older_too=False):
            conflicts.take_out_lost(self.db, self.words)
        pending = conflicts.stage_pending(self.db, self.partner, self.words, paths, case)
        if self.stamped and ring:
            if stamps.stage_lost(self.db, self.words, older_too=True):
                if pending:
                    conflicts.log_lost(self.db, paths, facts)
                conflicts.take_out_lost(self.db, self.words)
        elif pending:
            conflicts.resolve(self.db, self.partner, self.words, paths, case, self.pair.policy, facts)

    def _case(self, window: tuple[int, int]) -> conflicts.Case:
        (seen,) = self.partner.row("SELECT seq FROM partner.orgsync_inbox WHERE connection = ?", [self.numbers[0]])
        return conflicts.Case(
            here=self.numbers[1],
            there=self.numbers[0],
            watermark=seen,
            window=window,
            source=self.side,
            stamped=self.target.org_id if self.stamped else "",
        )

    def write_staged(
        self, facts: Target, result: BatchResult, staged: Sequence[staging.Kind] = (), *, looping: bool = False
    ) -> None:
        """Writes temp.stage into the target: deletes children first, then the rest parents first.

        `staged` is what it holds, if known.
        """
        writer = Writer(self.db, self.partner, self.words, facts)
        links_before, changes_before = self.last_link(), self._last_change()
        staged = staged or staging.kinds(self.db, self.words)
        kinds = {path.object: [kind for kind in staged if kind.object == path.source] for path in self.paths.values()}
        ordered = [path for path in self.paths.values() if kinds[path.object]]
        just_changed = {path.object for path in ordered if all(kind.just_changed for kind in kinds[path.object])}
        if looping:
            self._cut_loop(ordered, result, writer)
            return
        deleting = len(just_changed) < len(ordered)
        if deleting:
            cascades.prepare(self.db)
        for path in reversed(ordered):
            result.counts[path.object] = counts = ObjectCounts(object=path.object)
            if path.object not in just_changed:
                with self.writing(path.target, writer):
                    counts.deleted += writer.delete(path)
        again = any(kind.ins and kind.linked for kind in staged)
        for path in ordered:
            counts = result.counts[path.object]
            with self.writing(path.target, writer):
                if path.object in just_changed:
                    counts.updated += writer.update_linked(path, staged)
                    continue
                counts.copied += writer.insert_new(path)
                if again:
                    counts.copied += writer.insert_lost(path)
                counts.updated += writer.update_linked(path)
                counts.updated += writer.undelete(path)
        if deleting:
            cascades.after_deletes(
                self.db, self.partner, self.paths, writer.target, lambda number: self.writing(number, writer)
            )
        self.write_outcomes(writer.refusals.items, {path.source: path.object for path in ordered}, result)
        if any(kind.held for kind in staged):
            outcomes.note_arrived(self.db, self.numbers[1], writer.refusals.items)
        if self.stamped:
            self.bring_stamps(links_before)
            stamps.keep_moments(self.db, self.numbers[1], changes_before)

    def bring_stamps(self, links_after: int) -> None:
        """Gives what was just written from the stage the stamps of the source; links made before are of known records."""
        if self.stamped:
            batch = outcomes.this_batch(self.db, self.numbers[1])
            stamps.bring(self.db, self.words, self.numbers[1], self.target.org_id, links_after, batch)

    def _last_change(self) -> int:
        """What tells the target's entries that are made from here on."""
        entry = self.db.dialect.entry
        return int(self.db.execute(f"SELECT coalesce(max({entry}), 0) FROM main.orgsync_change").fetchone()[0])

    def _cut_loop(self, ordered: Sequence[Path], result: BatchResult, writer: Writer) -> None:
        """Two orgs' triggers answer one another: what goes on after a few rounds is refused and logged (ORG-7)."""
        for path in ordered:
            result.counts[path.object] = ObjectCounts(object=path.object)
            writer.refusals.refuse_all(
                path, "LOOP_DETECTED", f"triggers in both orgs have answered one another {MAX_HOPS} times"
            )
        self.write_outcomes(writer.refusals.items, {path.source: path.object for path in ordered}, result)

    @contextmanager
    def guarded(self, hops: int = 1) -> Iterator[None]:
        """Marks the writes of this transaction as the engine's."""
        self._hops = hops
        self.db.mark(self.numbers[1], hops)
        yield
        self.db.unmark()

    @contextmanager
    def writing(self, object_number: int, writer: Writer) -> Iterator[None]:
        """Says which object the engine itself writes; what the org's own triggers change meanwhile is the org's."""
        watched = object_number in self.own_triggers
        before = self._last_change() if watched else 0
        self.db.mark_object(object_number)
        yield
        self.db.mark_object(None)
        if watched and self._last_change() > before:
            writer.give_back_own_changes(object_number, before, self._hops)

    def watch_own_triggers(self) -> None:
        """Where an org got triggers of its own on a published object, engine writes are captured with their origin."""
        for org in (self.source, self.target):
            named = with_sql_triggers(org, self.paths)
            if org is self.target:
                self.own_triggers = {self.paths[name].target for name in named}
            found = [name for name in sorted(named) if org.engine.leaves_out_ours(name)]
            if found:
                with org.transaction():
                    rebuild_triggers(org, found)

    def waits(self) -> bool:
        """Whether any lookup of the target waits for its parent."""
        (found,) = self.db.execute(
            "SELECT EXISTS (SELECT 1 FROM main.orgsync_waiting WHERE connection = ?)", [self.numbers[1]]
        ).fetchone()
        return bool(found)

    def fill(self, writer: Writer) -> None:
        """Fills in the lookups whose parents were linked since the last time, by whatever made the links."""
        (done,) = self.db.execute(
            "SELECT link FROM main.orgsync_inbox WHERE connection = ?", [self.numbers[1]]
        ).fetchone()
        newest = self.last_link()
        if newest != done:
            filled = fill_waiting(self.db, self.numbers[1], done, lambda number: self.writing(number, writer))
            if filled and self.stamped:
                stamps.bring_filled(self.db, self.partner, self.numbers[1])
            self.db.execute("UPDATE main.orgsync_inbox SET link = ? WHERE connection = ?", [newest, self.numbers[1]])

    def last_link(self) -> int:
        """The number of the target's newest link."""
        return int(self.db.execute("SELECT coalesce(max(number), 0) FROM main.orgsync_link").fetchone()[0])

    def write_outcomes(self, refused: Sequence[Refusal], names: dict[int, str], result: BatchResult) -> None:
        """Notes what was refused, in the transaction of the data; `names` are the source's objects by number."""
        for item in refused:
            result.counts[names[item.object]].failed += 1
        outcomes.note_refused(self.db, self.words, self.numbers[1], refused)

    def move_watermark(self, high: int) -> None:
        """The watermark moves with the data; outcomes that the source has copied are forgotten."""
        (copied,) = self.partner.row("SELECT batch FROM partner.orgsync_outbox WHERE connection = ?", [self.numbers[0]])
        self.db.execute(
            "DELETE FROM main.orgsync_outcome WHERE connection = ? AND batch <= ?", [self.numbers[1], copied]
        )
        self.db.execute(
            "UPDATE main.orgsync_inbox SET seq = ?, batch = batch + 1 WHERE connection = ?", [high, self.numbers[1]]
        )
        note_seen(self.db, self.partner, self.numbers[1], high)

    def finish(self, now: datetime) -> None:
        """Tells the source what became of the batches; safe to call at any time, and after a crash."""
        if self.stamped:
            stamps.fold_new(self.source, self.words)
        if is_told(self.source.db, self._back, *self.numbers):
            return
        with self._back.reading():
            now_ms = int(now.timestamp() * 1000)
            mirror(self.source, self._back, *self.numbers, self.words, self.pair.retry, now_ms)
            mirror_severed(self.source, self._back, *self.numbers, [path.source for path in self.paths.values()])


def keep_up(*flows: Flow) -> None:
    """Lets flows of one pair read their paths again where another program has changed what flows."""
    if not flows:
        return
    now = flows[0].pair.revisions()
    for flow in flows:
        if flow.revisions != now:
            flow.refresh()


def flows_of(pair: Pair) -> dict[Side, Flow]:
    """Both directions of a pair, as they were read for its last drain, or read again where anything of it has changed."""
    pair.attach()
    if any(flow.partner is not pair.partners[side.other] for side, flow in pair.flows.items()):
        # An org has seen another one meanwhile (CON-10).
        pair.flows.clear()
    keep_up(*pair.flows.values())
    pair.flows = pair.flows or {side: Flow(pair, side) for side in Side}
    return pair.flows
