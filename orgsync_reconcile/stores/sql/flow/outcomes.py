"""What became of the records of a batch, noted in the transaction of the data for the source to copy (QUE-3)."""

from __future__ import annotations

from collections.abc import Sequence

from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.flow.refusals import Refusal
from orgsync_reconcile.stores.sql.flow.staging import Words
from orgsync_reconcile.stores.sql.text import commas

#: A record has one outcome in a batch: the last one.
_AGAIN = (
    "ON CONFLICT (connection, batch, record) DO UPDATE SET object = excluded.object, op = excluded.op,"
    " error_code = excluded.error_code, error = excluded.error"
)


def this_batch(db: Database, connection: int) -> int:
    """The number that the batch gets when its watermark moves."""
    (batch,) = db.execute("SELECT batch + 1 FROM main.orgsync_inbox WHERE connection = ?", [connection]).fetchone()
    return int(batch)


def note_refused(db: Database, words: Words, connection: int, refused: Sequence[Refusal]) -> None:
    """Notes the records that the target refused."""
    batch = this_batch(db, connection)
    marks = ", ".join("?" for _ in range(9 + words.width))
    db.executemany(
        "INSERT INTO main.orgsync_outcome (connection, batch, record, object, op, error_code, error, field,"
        f" waits_for, {words.columns}) VALUES ({marks}) {_AGAIN}, field = excluded.field, waits_for = excluded.waits_for,"
        f" {commas(f'{name} = excluded.{name}' for name in words.names)}",
        [
            (connection, batch, r.record, r.object, r.op, r.code, r.error, r.field, r.waits_for, *r.masks)
            for r in refused
        ],
    )


def note_arrived(db: Database, connection: int, refused: Sequence[Refusal]) -> None:
    """Held records of temp.stage that went through after all are outcomes without an error."""
    batch = this_batch(db, connection)
    again = {item.record for item in refused}
    rows = db.execute("SELECT record, object, ins, gone FROM temp.stage WHERE held = 1").fetchall()
    db.executemany(
        "INSERT INTO main.orgsync_outcome (connection, batch, record, object, op, error_code, error)"
        f" VALUES (?, ?, ?, ?, ?, '', '') {_AGAIN}, field = '', waits_for = ''",
        [
            (connection, batch, record, number, "I" if ins else "D" if gone else "U")
            for record, number, ins, gone in rows
            if record not in again
        ],
    )
