"""What publishing and subscribing an object have in common: its map, its links, what waits for it."""

from __future__ import annotations

from typing import Literal

from orgsync_reconcile.errors import StoreError
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.stores.sql.connections import Connection
from orgsync_reconcile.stores.sql.links import ACTIVE, DISCONNECTED
from orgsync_reconcile.stores.sql.org import Org

#: Which of the two maps of a connection.
Kind = Literal["published", "subscribed"]


def require_object(org: Org, object_name: str) -> None:
    """Raises StoreError where the org has no such object."""
    if org.db.execute("SELECT 1 FROM orgsync_object WHERE name = ?", [object_name]).fetchone() is None:
        raise StoreError(f"there is no object {object_name}", where=org.label, hint="deploy it first, then plan again")


def is_mapped(org: Org, known: Connection, kind: Kind, object_name: str) -> bool:
    """Whether the object is published, or subscribed, over the connection."""
    which = [known.number, object_name]
    found = org.db.execute(f"SELECT 1 FROM orgsync_{kind} WHERE connection = ? AND object = ?", which).fetchone()
    return found is not None


def require_mapped(org: Org, known: Connection, kind: Kind, object_name: str) -> None:
    """Raises StoreError where the object is not published, or not subscribed, over the connection."""
    if not is_mapped(org, known, kind, object_name):
        raise StoreError(
            f"{object_name} is not {kind} over {known.name}", where=org.label, hint="plan again, then apply"
        )


def withdraw_field(org: Org, known: Connection, kind: Kind, object_name: str, field: str) -> bool:
    """Takes a field out of what is published or subscribed; whether it was there."""
    gone = org.db.execute(
        f"DELETE FROM orgsync_{kind}_field WHERE connection = ? AND object = ? AND field = ?",
        [known.number, object_name, field],
    ).rowcount
    return bool(gone)


def withdraw(org: Org, known: Connection, kind: Kind, object_name: str) -> bool:
    """Takes an object with its fields out of what is published or subscribed; whether it was there."""
    which = [known.number, object_name]
    gone = org.db.execute(f"DELETE FROM orgsync_{kind} WHERE connection = ? AND object = ?", which).rowcount
    org.db.execute(f"DELETE FROM orgsync_{kind}_field WHERE connection = ? AND object = ?", which)
    return bool(gone)


def _move_links(org: Org, known: Connection, object_name: str, old: int, new: int) -> int:
    return org.db.execute(
        "UPDATE orgsync_link SET status = ? WHERE connection = ? AND status = ?"
        " AND object = (SELECT number FROM orgsync_object WHERE name = ?)",
        [new, known.number, old, object_name],
    ).rowcount


def revive(org: Org, known: Connection, object_name: str) -> int:
    """Lets the object's links count again that were disconnected; returns how many (PUB-10)."""
    return _move_links(org, known, object_name, DISCONNECTED, ACTIVE)


def disconnect_records(org: Org, known: Connection, object_name: str) -> int:
    """Cuts the object's links and forgets what was held or waiting for them; its next bulk sync starts afresh."""
    cut = _move_links(org, known, object_name, ACTIVE, DISCONNECTED)
    number = "(SELECT number FROM orgsync_object WHERE name = ?2)"
    for table in ("orgsync_held", "orgsync_waiting"):
        org.db.execute(f"DELETE FROM {table} WHERE connection = ?1 AND object = {number}", [known.number, object_name])
    for table in ("orgsync_bulk", "orgsync_bulk_range"):
        org.db.execute(f"DELETE FROM {table} WHERE connection = ? AND object = ?", [known.number, object_name])
    return cut


def joined_text(object_name: str, fields: int, revived: int) -> str:
    """What the history says of an object that joins with so many fields."""
    return f"{object_name} with {counted(fields, 'field')}" + (
        f", {counted(revived, 'link')} revived" if revived else ""
    )


def cut_text(object_name: str, cut: int) -> str:
    """What the history says of an object that leaves; of a two-way object's four ends the first in each org disconnects."""
    return f"{object_name}, {counted(cut, 'record')} disconnected" if cut else object_name
