"""What others wrote to the target while a batch was under way: where a server lets them, nothing of theirs is lost.

A file has one writer, so nobody comes in between the look at what is pending in the target and the writing of the
batch. On a server somebody can edit a record in that moment. Once the batch has written its records they are locked, and
whatever was committed before stands in the log: if there is more of it than was looked at, the batch is taken again, and
the edit is settled as any other (CNF-1).
"""

from __future__ import annotations

from orgsync_reconcile.errors import DisturbedError
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.temporary import keep_table


class Disturbance:
    """Compares the log of the linked records of temp.stage before and after they are written.

    `watermark` is the source's position in the target's log: what is beyond it is pending.
    """

    def __init__(self, org: Org, watermark: int) -> None:
        self._db = org.db
        self._watermark = watermark
        keep_table(org, "watched", "local TEXT")
        self._db.execute(self._db.dialect.empty("temp.watched"))
        self._db.execute("INSERT INTO temp.watched SELECT local FROM temp.stage WHERE local IS NOT NULL")
        self._before = self._entries()

    def check(self) -> None:
        """Raises DisturbedError where others have changed one of the records meanwhile."""
        if self._entries() != self._before:
            raise DisturbedError("somebody edits the records that are being written", hint="run this again")

    def _entries(self) -> int:
        """How many changes of others are pending in those records."""
        row = self._db.execute(
            "SELECT count(*) FROM main.orgsync_change AS c WHERE c.seq > ? AND c.seq <> ?"
            " AND c.record IN (SELECT local FROM temp.watched)",
            [self._watermark, self._db.own_position()],
        ).fetchone()
        return int(row[0])
