"""Records that the other org does not have at all: they were never copied, and nothing is under way (RTE-2)."""

from __future__ import annotations

from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.text import quote

_UNLINKED = (
    'FROM {table} AS r WHERE r."IsDeleted" = FALSE'
    ' AND NOT EXISTS (SELECT 1 FROM orgsync_link AS l WHERE l.local = r."Id" AND l.connection = :connection'
    " AND l.status IN (1, 3))"
    ' AND NOT EXISTS (SELECT 1 FROM orgsync_held AS h WHERE h.connection = :connection AND h.record = r."Id")'
)


def count_unlinked(org: Org, connection: int, object_name: str) -> int:
    """How many live records of the object no link over this connection leads from. Held ones are counted elsewhere."""
    with org.translated():
        row = org.db.execute(
            f"SELECT count(*) {_UNLINKED.format(table=quote(object_name))}", {"connection": connection}
        ).fetchone()
    return int(row[0])


def list_unlinked(org: Org, connection: int, object_name: str, limit: int) -> tuple[str, ...]:
    """The Ids of the newest of them."""
    with org.translated():
        rows = org.db.execute(
            f'SELECT r."Id" {_UNLINKED.format(table=quote(object_name))} ORDER BY r.orgsync_row DESC LIMIT :limit',
            {"connection": connection, "limit": limit},
        ).fetchall()
    return tuple(str(row[0]) for row in rows)


def count_records(org: Org, object_name: str) -> int:
    """How many live records the object has."""
    with org.translated():
        row = org.db.execute(f'SELECT count(*) FROM {quote(object_name)} WHERE "IsDeleted" = FALSE').fetchone()
    return int(row[0])
