"""Which columns of one record this org changed and has not sent yet: the other side of a conflict (CNF-1)."""

from __future__ import annotations

from orgsync_reconcile.stores.sql.layout import WORD
from orgsync_reconcile.stores.sql.links import object_number
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import field_numbers


def pending_columns(org: Org, connection: int, object_name: str, record: str, after: int) -> frozenset[str]:
    """The fields of a record that changed beyond log position `after`, the partner's watermark of this log.

    Changes that arrived over `connection` itself are none of this org's.
    """
    number = object_number(org, object_name)
    words = [f"m{word}" for word in range(org.engine.mask_width())]
    rows = org.db.execute(
        f"SELECT {', '.join(words)} FROM main.orgsync_change WHERE seq > ? AND object = ? AND record = ?"
        " AND op = 'U' AND (origin IS NULL OR origin <> ?)",
        [after, number, record, connection],
    ).fetchall()
    if not rows:
        return frozenset()
    changed = [0] * len(words)
    for row in rows:
        changed = [old | (new or 0) for old, new in zip(changed, row, strict=True)]
    return frozenset(
        name for name, place in field_numbers(org, number).items() if changed[place // WORD] >> (place % WORD) & 1
    )


def watermark(org: Org, connection: int) -> int:
    """The position in the partner's log up to which everything has arrived here (QUE-3)."""
    row = org.db.execute("SELECT seq FROM main.orgsync_inbox WHERE connection = ?", [connection]).fetchone()
    return int(row[0]) if row else 0
