"""Letters that follow what was done: the invitation (CON-12), and the Map Update Email (PUB-8, QUE-2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.desired import DesiredConnection
from orgsync_reconcile.operations.letters import Letter
from orgsync_reconcile.operations.mail import Delivery, MailRoom
from orgsync_reconcile.stores.sqlite import history
from orgsync_reconcile.stores.sqlite.handle import SqliteOrg
from orgsync_reconcile.stores.sqlite.notified import email_of
from orgsync_reconcile.sync.lifecycle import Ends

#: Who writes to people when nobody asked for it.
ACTOR = "orgsync"


@dataclass(frozen=True, kw_only=True, slots=True)
class DroppedField:
    """A field that unsubscribed itself, and why."""

    object: str
    field: str
    reason: str


def send_invitation(room: MailRoom, ends: Ends, connection: DesiredConnection) -> tuple[Delivery, ...]:
    """Tells the connection's contact of the invitation; the history of the primary says that it was sent (CON-12)."""
    letter = Letter(
        template="invitation",
        to=connection.contact.email,
        values={
            "name": connection.contact.name,
            "owner": connection.owner,
            "primary": ends.primary.label,
            "secondary": ends.secondary.label,
            "admin": ends.secondary_admin,
            "connection": connection.name,
        },
    )
    return record(room, ends.primary, connection.name, "Invitation", room.send([letter]))


def send_map_update(
    room: MailRoom, ends: Ends, connection: str, dropped: Sequence[DroppedField]
) -> tuple[Delivery, ...]:
    """Tells the administrators of both orgs which fields unsubscribed themselves (PUB-8); nothing where none did."""
    if not dropped:
        return ()
    # A field that syncs both ways drops out in both orgs: one line says why.
    fields = {(item.object, item.field): item for item in reversed(dropped)}
    addresses = distinct(email_of(ends.org(side), ends.admin(side)) for side in Side)
    values = {
        "connection": connection,
        "primary": ends.primary.label,
        "secondary": ends.secondary.label,
        "fields": [
            {"object": item.object, "field": item.field, "reason": item.reason}
            for item in sorted(fields.values(), key=_place)
        ],
    }
    letters = [Letter(template="map_update", to=address, values=values) for address in addresses]
    return record(room, ends.primary, connection, "Map Update Email", room.send(letters))


def _place(item: DroppedField) -> tuple[str, str]:
    return item.object, item.field


def record(
    room: MailRoom, org: SqliteOrg, connection: str, what: str, deliveries: tuple[Delivery, ...]
) -> tuple[Delivery, ...]:
    """Notes in the connection history whom the letters went to, and returns them. The sync goes on without the note."""
    sent = [item.to for item in deliveries if item.sent]
    if sent:
        try:
            detail = f"{what} to {', '.join(sent)}"
            history.record_event(org, connection, history.NOTIFICATION, detail, actor=ACTOR, clock=room.clock)
        except OrgsyncError as error:
            lost = Delivery(
                to=", ".join(sent), subject=what, error=f"it went out, but the history does not say so: {error}"
            )
            return (*deliveries, lost)
    return deliveries


def distinct(addresses: Iterable[str]) -> tuple[str, ...]:
    """Addresses in their order, each once, whatever its case; empty ones are left out."""
    found: dict[str, str] = {}
    for address in addresses:
        if address:
            found.setdefault(address.casefold(), address)
    return tuple(found.values())
