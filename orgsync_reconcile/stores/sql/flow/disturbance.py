"""What others wrote to the target while a batch was under way: where a server lets them, nothing of theirs is lost.

A file has one writer, so nobody comes in between the look at what is pending in the target and the writing of the
batch. On a server somebody can edit a record in that moment. Once the batch has written its records they are locked, and
whatever was committed before stands in the log: if any of it came after the moment at which the batch began to look, the
batch is taken again, and the edit is settled as any other (CNF-1).
"""

from __future__ import annotations

from orgsync_reconcile.errors import DisturbedError
from orgsync_reconcile.stores.sql.database import Database


def require_undisturbed(db: Database, moment: str) -> None:
    """Raises DisturbedError where others have changed a linked record of temp.stage since a moment of `db.moment`."""
    if db.disturbed(moment, "SELECT local FROM temp.stage WHERE local IS NOT NULL"):
        raise DisturbedError("somebody edits the records that are being written", hint="run this again")
