"""Emails about a suspension: how many events are queued, twice a day, to the owner and whoever suspended (SUS-2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from orgsync_reconcile.model.component import canonical, digest
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.desired import DesiredConnection
from orgsync_reconcile.operations.letters import Letter
from orgsync_reconcile.operations.mail import Delivery, MailRoom
from orgsync_reconcile.operations.notices import distinct, record
from orgsync_reconcile.stores.sql import notified
from orgsync_reconcile.stores.sql.connections import get_connection
from orgsync_reconcile.stores.sql.notified import Suspension
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.queue import count_queue

#: Seconds between two emails of a rule that does not say.
TWICE_A_DAY = 12 * 3600
#: What holds where the manifest has no rule of its own for suspensions.
DEFAULT_RULE: Mapping[str, Any] = {"event": "suspended", "every": TWICE_A_DAY, "email": ["owner", "suspender"]}


def suspended_rules(notify: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """The rules for suspensions that write email: the manifest's own in place of the default one (SUS-2)."""
    own = [rule for rule in notify if rule["event"] == "suspended"]
    return tuple(rule for rule in own or [DEFAULT_RULE] if rule.get("email"))


def is_due(now: datetime, *, since: datetime, last: datetime | None, every: float) -> bool:
    """Whether an email is due: one per `every` seconds of the suspension, missed ones are not made up for.

    `since` is when the suspension began, `last` when the last email went out, if any did. A clock that goes backwards
    sends nothing twice.
    """
    slot = (now - since) // timedelta(seconds=every)
    told = (last - since) // timedelta(seconds=every) if last is not None and last >= since else 0
    return slot > max(told, 0)


def send_suspended(room: MailRoom, orgs: Mapping[Side, Org], connection: DesiredConnection) -> tuple[Delivery, ...]:
    """Writes the emails that are due for a suspended connection; nothing for one that is not.

    `orgs` are the ends that can be reached, at least one. When it was written last is kept in the primary, or in the
    secondary while the primary is away. Of several processes only one writes; an email that the server
    would not take for anybody is due again at the next call.
    """
    name = connection.name
    keeper = orgs.get(Side.PRIMARY) or orgs[Side.SECONDARY]
    found = {side: notified.suspension(org, name) for side, org in orgs.items()}
    states = {side: item for side, item in found.items() if item is not None}
    if not states:
        return ()
    first = min(states.values(), key=lambda item: item.since)
    deliveries: list[Delivery] = []
    for rule in suspended_rules(connection.notify):
        subject = f"suspended/{name}/{digest(canonical(dict(rule)))}"
        last = notified.last_told(keeper, subject)
        now = room.clock()
        every = float(rule.get("every") or TWICE_A_DAY)
        if not is_due(now, since=first.since, last=last, every=every):
            continue
        if not notified.move_told(keeper, subject, last, now):
            continue
        letters = _letters(orgs, connection, rule, states, first)
        sent = record(room, keeper, name, "Suspended", room.send(letters))
        if room.server is not None and letters and not any(item.sent for item in sent):
            notified.move_told(keeper, subject, now, last)
        deliveries.extend(sent)
    return tuple(deliveries)


def _letters(
    orgs: Mapping[Side, Org],
    connection: DesiredConnection,
    rule: Mapping[str, Any],
    states: Mapping[Side, Suspension],
    first: Suspension,
) -> list[Letter]:
    name = connection.name
    queues = [_queue(orgs, name, side) for side in Side if side in orgs]
    values = {
        "connection": name,
        "since": f"{first.since:%Y-%m-%d %H:%M} UTC",
        "by": first.actor,
        "reason": first.reason,
        "queues": queues,
        "total": sum(item["pending"] + item["retrying"] for item in queues),
    }
    addresses: list[str] = []
    for who in rule["email"]:
        if who == "owner":
            addresses.append(notified.owner_email(orgs.get(Side.PRIMARY) or orgs[Side.SECONDARY], name))
        elif who == "suspender":
            addresses.extend(notified.email_of(orgs[side], item.actor) for side, item in states.items())
        else:
            addresses.append(who)
    return [Letter(template="suspended", to=address, values=values) for address in distinct(addresses)]


def _queue(orgs: Mapping[Side, Org], connection: str, side: Side) -> dict[str, Any]:
    org, partner = orgs[side], orgs.get(side.other)
    theirs = get_connection(partner, connection).number if partner else 0
    counts = count_queue(org, get_connection(org, connection).number, partner, theirs)
    return {"org": org.label, "pending": counts.pending, "retrying": counts.retrying}
