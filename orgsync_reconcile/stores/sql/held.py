"""Records that the partner refused, made due by hand (LOG-2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orgsync_reconcile.stores.sql.org import Org


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """How many records of an org are due now that waited for their next try, and that had failed for good."""

    waiting: int
    failed: int


def held_records(org: Org, connection: int) -> dict[str, bool]:
    """The refused records of the connection with this number -> whether they have failed for good."""
    with org.translated():
        rows = org.db.execute("SELECT record, next_retry IS NULL FROM orgsync_held WHERE connection = ?", [connection])
        return {record: bool(failed) for record, failed in rows if isinstance(record, str)}


def make_due(org: Org, connection: int, records: Sequence[str], now_ms: int) -> Due:
    """Makes these refused records due, in one transaction. `now_ms` is in milliseconds since 1970.

    One that had failed for good begins its schedule anew, so that its log says how that ends (LOG-1).
    """
    with org.transaction() as db:
        held = held_records(org, connection)
        known = [record for record in dict.fromkeys(records) if record in held]
        db.executemany(
            "UPDATE orgsync_held SET attempts = CASE WHEN next_retry IS NULL THEN 0 ELSE attempts END, next_retry = ?"
            " WHERE connection = ? AND record = ?",
            [(now_ms, connection, record) for record in known],
        )
        failed = sum(held[record] for record in known)
        return Due(waiting=len(known) - failed, failed=failed)
