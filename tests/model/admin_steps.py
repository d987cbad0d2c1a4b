"""What admins do: drains that stop anywhere, bulk syncs, forwards, suspensions."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from model_base import Base, kinds, places
from model_orgs import lookups

from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.stores.sql import connections
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.sync.bulk import bulk_sync
from orgsync_reconcile.sync.forward import forward

sides = st.sampled_from(list(Side))


class AdminSteps(Base):
    """Commands that move records, or stop them."""

    @rule(way=places, side=sides, most=st.integers(1, 6))
    def drain_some(self, way: int, side: Side, most: int) -> None:
        self.net.drain(self._way(way), side, max_records=most)

    @rule(way=places)
    def drain_way(self, way: int) -> None:
        self.net.drain(self._way(way))

    @rule(way=places, side=sides, hours=st.sampled_from((None, -1, 1)))
    def bulk(self, way: int, side: Side, hours: int | None) -> None:
        """BLK-1: all records, or those since a moment; what comes after it was queued anyway."""
        name = self._way(way)
        if name not in self.suspended:
            cutoff = None if hours is None else self.net.now + timedelta(hours=hours)
            bulk_sync(self.net.pairs[name], source=side, cutoff=cutoff, clock=self.net.clock)

    @rule(way=places, side=sides, kind=kinds, record=places, along=st.booleans())
    def forward(self, way: int, side: Side, kind: str, record: int, along: bool) -> None:
        """FWD-1: a record goes ahead of what is queued, with those that point to it or alone; it brings nothing older."""
        name = self._way(way)
        ends = dict(zip(Side, name, strict=True))
        chosen = self._pick(ends[side], kind, record)
        if name in self.suspended or chosen is None or kind in self.hidden_kinds():
            return
        (found,) = self.net.all(ends[side], f'SELECT "Id" FROM "{kind}" WHERE "Name" = ?', chosen)
        # What was refused for good is no longer on its way: a forward from the other org may replace it.
        # So it is with what was deleted for good there: that is made anew.
        purged = {other for other, known in self.model.records.items() if known.purged}
        self.remade |= purged
        for other in self._held() | purged:
            self.model.records[other].loose.add("")
        related = [
            other
            for other, references in lookups(self.seed).items()
            if kind in references.values() and other not in self.hidden_kinds()
        ]
        forward(
            self.net.pairs[name],
            source=side,
            object_name=kind,
            records=[found],
            related=related if along else [],
            clock=self.net.clock,
        )

    @rule(way=places, side=st.sampled_from([None, *Side]))
    def suspend(self, way: int, side: Side | None) -> None:
        """SUS-1: in both orgs, or in one of them."""
        name = self._way(way)
        self.suspended.add(name)
        for end in Side if side is None else (side,):
            connections.set_status(
                self.net.end(name, end), name, ConnectionStatus.SUSPENDED, actor="admin", clock=self.net.clock
            )

    @precondition(lambda self: self.suspended)
    @rule()
    def resume(self) -> None:
        for way in sorted(self.suspended):
            self.net.status(way, ConnectionStatus.ACCEPTED)
        self.suspended.clear()

    @rule(way=places)
    def reopen(self, way: int) -> None:
        name = self._way(way)
        self.net.pairs[name] = Pair(self.net.orgs[name[0]], self.net.orgs[name[1]], name)
