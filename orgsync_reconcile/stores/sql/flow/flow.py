"""One direction of a connection: what flows from source to target, and how far it has come."""

from __future__ import annotations

from datetime import datetime

from orgsync_reconcile.clock import iso, milliseconds
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.flow import staging, stamps
from orgsync_reconcile.stores.sql.flow.continuity import note_seen
from orgsync_reconcile.stores.sql.flow.guard import Guard
from orgsync_reconcile.stores.sql.flow.mentions import Mentions
from orgsync_reconcile.stores.sql.flow.mirror import is_told, mirror
from orgsync_reconcile.stores.sql.flow.network import has_several
from orgsync_reconcile.stores.sql.flow.pair import Pair
from orgsync_reconcile.stores.sql.flow.paths import Path, read_paths
from orgsync_reconcile.stores.sql.flow.severed import mirror_severed
from orgsync_reconcile.stores.sql.flow.writes import Target
from orgsync_reconcile.stores.sql.own_triggers import with_sql_triggers
from orgsync_reconcile.stores.sql.schema import rebuild_triggers, widen_masks


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
        #: Marks what is written into the target.
        self.guard = Guard(self.db, self.numbers[1])
        #: Of the pair, when the paths were read.
        self.revisions: tuple[int, ...] = ()
        #: Makes mentions plain, for the target's statements.
        self.mentions = Mentions(self.db, (self.source.db, self.db))
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
        self.guard.own_triggers = {self.paths[name].target for name in with_sql_triggers(self.target, self.paths)}
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
        """The last position of the source's log that has entries: a server's own count goes on without any."""
        return self.source.db.head()

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
            now_ms=milliseconds(now),
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

    def watch_own_triggers(self) -> None:
        """Where an org got triggers of its own on a published object, engine writes are captured with their origin."""
        for org in (self.source, self.target):
            named = with_sql_triggers(org, self.paths)
            if org is self.target:
                self.guard.own_triggers = {self.paths[name].target for name in named}
            found = [name for name in sorted(named) if org.engine.leaves_out_ours(name)]
            if found:
                with org.transaction():
                    rebuild_triggers(org, found)

    def last_link(self) -> int:
        """The number of the target's newest link."""
        return int(self.db.execute("SELECT coalesce(max(number), 0) FROM main.orgsync_link").fetchone()[0])

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
            now_ms = milliseconds(now)
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
