"""Links that are made one by one, as user sync does, and the mark of what is written along with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from orgsync_reconcile.errors import RecordError
from orgsync_reconcile.stores.sql.org import Org

#: The status of a link: of records that sync; that do not for now; that both orgs have by name; that an undelete has parted.
ACTIVE, DISCONNECTED, REFERENCE, SEVERED = 1, 2, 3, 4


def object_number(org: Org, name: str) -> int:
    """The permanent number of an object in this org."""
    return int(org.db.execute("SELECT number FROM main.orgsync_object WHERE name = ?", [name]).fetchone()[0])


def partners_of(org: Org, connection: int, object_name: str) -> dict[str, str]:
    """The partner's Id -> this org's Id, of every active link of an object."""
    rows = org.db.execute(
        "SELECT partner, local FROM main.orgsync_link WHERE connection = ? AND object = ? AND status = 1",
        [connection, object_number(org, object_name)],
    )
    return dict(rows.fetchall())


def count_active(org: Org, connection: int) -> int:
    """How many records of this org are linked over a connection."""
    (count,) = org.db.execute(
        "SELECT count(*) FROM main.orgsync_link WHERE connection = ? AND status = 1", [connection]
    ).fetchone()
    return int(count)


def add_link(
    org: Org,
    connection: int,
    object_name: str,
    local: str,
    partner: str,
    *,
    made_here: bool,
    since_ms: int,
    root: str | None = None,
) -> None:
    """Links two records, or revives their link. Inside a transaction. Raises RecordError where either is taken.

    `root`: where the partner got the record from, if it did not make it: an org's Id and the record's Id there (CON-10).
    """
    db = org.db
    rows = db.execute(
        "SELECT local, partner, status, number FROM main.orgsync_link WHERE connection = ?1 AND (local = ?2 OR partner = ?3)",
        [connection, local, partner],
    ).fetchall()
    if any((row[0], row[1]) != (local, partner) and row[2] == 1 for row in rows):
        raise RecordError(
            f"DUPLICATE_VALUE: {local} or {partner} is linked with another record already",
            code="DUPLICATE_VALUE",
            where=org.label,
        )
    db.executemany("DELETE FROM main.orgsync_link WHERE number = ?", [(row[3],) for row in rows if row[2] != 1])
    if any(row[2] == 1 for row in rows):
        return
    db.execute(
        "INSERT INTO main.orgsync_link (connection, object, local, partner, made_here, since, root)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [connection, object_number(org, object_name), local, partner, int(made_here), since_ms, root],
    )


@contextmanager
def engine_write(org: Org, connection: int, object_name: str) -> Iterator[None]:
    """Marks all that a transaction writes as arrived over `connection`, so that it is not sent back (ORG-7)."""
    db = org.db
    db.mark(connection, 0, triggers_too=True)
    db.mark_object(object_number(org, object_name))
    yield
    db.unmark()
