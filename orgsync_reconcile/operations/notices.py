"""Letters that follow what was done: the invitation (CON-12), and the Map Update Email (PUB-8, QUE-2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orgsync_reconcile.clock import milliseconds
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.desired import DesiredConnection
from orgsync_reconcile.model.events import ControlEvent, QueueAction
from orgsync_reconcile.operations.letters import Letter
from orgsync_reconcile.operations.mail import NO_MAIL, Delivery, MailRoom
from orgsync_reconcile.stores.sql import events, history
from orgsync_reconcile.stores.sql.connections import find_connection
from orgsync_reconcile.stores.sql.notified import email_of
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.sync.lifecycle import Ends

#: Who writes to people when nobody asked for it.
ACTOR = "orgsync"
#: Seconds until an email is tried again where the connection has no schedule.
_PAUSE = 3600


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


def send_map_updates(room: MailRoom, ends: Ends, connection: DesiredConnection) -> tuple[Delivery, ...]:
    """Tells the administrators of both orgs what changed in the maps, as it stands in the queues (PUB-8, QUE-2).

    Nothing where nothing is due. Without a Mail document it is done at once, and the history says so; what no server
    takes stays queued until its next try.
    """
    # What comes from the primary is said first: of a field that syncs both ways it is the reason.
    waiting = {side: _due(room, ends.org(side), connection) for side in (Side.SECONDARY, Side.PRIMARY)}
    changes = _changes(item for found in waiting.values() for item in found)
    if not changes:
        return ()
    addresses = distinct(email_of(ends.org(side), ends.admin(side)) for side in Side)
    values = {
        "connection": connection.name,
        "primary": ends.primary.label,
        "secondary": ends.secondary.label,
        "changes": changes,
        "dropped": all("is no longer published" not in item["why"] and item["field"] for item in changes),
    }
    sent = room.send([Letter(template="map_update", to=address, values=values) for address in addresses])
    gone = any(item.sent for item in sent)
    for side, found in waiting.items():
        if found and (gone or room.server is None or not addresses):
            _finish(room, ends.org(side), connection.name, found, [item.to for item in sent if item.sent])
        for event in found:
            if not gone:
                events.own_failed(ends.org(side), event.number, sent[0].error if sent else "")
    return sent


def _due(room: MailRoom, org: Org, connection: DesiredConnection) -> list[ControlEvent]:
    """The emails of one org that are to be tried now, each taken by this process alone until its next try."""
    known = find_connection(org, connection.name)
    if known is None:
        return []
    now = milliseconds(room.clock())
    found: list[ControlEvent] = []
    for event in events.own_work(org, known.number, QueueAction.MAP_UPDATE_EMAIL):
        pauses = connection.retry or (_PAUSE,)
        longest = max(pauses) * 1000
        if event.next_retry is not None and now < event.next_retry <= now + longest:
            continue
        pause = pauses[min(event.attempts, len(pauses) - 1)]
        if events.try_own(org, event, next_retry=now + pause * 1000):
            found.append(event)
    return found


def _changes(waiting: Iterable[ControlEvent]) -> list[dict[str, str]]:
    """One line per field or object: what syncs both ways changes in both orgs, and the first says why."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for event in waiting:
        line = {"subject": event.subject, "field": event.field, "why": str(event.detail.get("why", ""))}
        found.setdefault((event.object, event.field), line)
    return [found[key] for key in sorted(found)]


def _finish(room: MailRoom, org: Org, connection: str, found: Sequence[ControlEvent], to: Sequence[str]) -> None:
    """The emails are out, or nobody set up mail: they leave the queue, and the history says which."""
    with org.transaction():
        for event in found:
            events.finish_own(org, event.number)
        detail = f"{QueueAction.MAP_UPDATE_EMAIL} to {', '.join(to) or 'nobody'}"
        why = f": {NO_MAIL}" if room.server is None else ""
        history.record_event(org, connection, history.NOTIFICATION, detail + why, actor=ACTOR, clock=room.clock)


def record(
    room: MailRoom, org: Org, connection: str, what: str, deliveries: tuple[Delivery, ...]
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
