"""The mark on what the engine itself writes, which tells it from what an org's users and own triggers change (ORG-7)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from orgsync_reconcile.stores.sql.database import Database


class Guard:
    """Marks the writes that bring over one connection what the partner has changed."""

    def __init__(self, db: Database, connection: int) -> None:
        self._db = db
        self._connection = connection
        #: Objects that have triggers of the org's own, by number.
        self.own_triggers: set[int] = set()
        self._hops = 1

    @contextmanager
    def marked(self, hops: int = 1) -> Iterator[None]:
        """Marks the writes of this transaction as the engine's; `hops` is the distance at which they arrive."""
        self._hops = hops
        self._db.mark(self._connection, hops)
        yield
        self._db.unmark()

    @contextmanager
    def writing(self, object_number: int) -> Iterator[None]:
        """Says which object the engine itself writes; what the org's own triggers change meanwhile is the org's."""
        watched = object_number in self.own_triggers
        before = last_entry(self._db) if watched else 0
        self._db.mark_object(object_number)
        yield
        self._db.mark_object(None)
        if watched and last_entry(self._db) > before:
            self._give_back_own_changes(object_number, before)

    def _give_back_own_changes(self, object_number: int, after: int) -> None:
        """Captured engine writes of this object: what the org's own triggers added to them is the org's change."""
        captured = f"{self._db.dialect.entry} > ?1 AND object = ?2 AND origin = ?3"
        own = f"SELECT record FROM main.orgsync_change WHERE {captured} GROUP BY record HAVING count(*) > 1"
        self._db.execute(
            f"UPDATE main.orgsync_change SET origin = NULL, hops = ?4 WHERE {captured} AND op <> 'I' AND record IN ({own})",
            [after, object_number, self._connection, self._hops],
        )


def last_entry(db: Database) -> int:
    """What tells the org's log entries that are made from here on: theirs is greater."""
    entry = db.dialect.entry
    return int(db.execute(f"SELECT coalesce(max({entry}), 0) FROM main.orgsync_change").fetchone()[0])
