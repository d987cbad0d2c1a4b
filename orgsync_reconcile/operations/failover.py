"""Sending users to the secondary and back: one switch, then the people and programs that have to know (RTE-1).

The switch is one short transaction in each org that can be reached, with what it leaves unfinished; email and the call
for single sign-on follow, so a run that was killed is finished by running it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from orgsync_reconcile.clock import Clock, iso
from orgsync_reconcile.errors import StoreError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.routing import Routing, Unfinished
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.operations.failover_mail import audience, letters, shown_moment
from orgsync_reconcile.operations.failover_settings import FailoverSettings
from orgsync_reconcile.operations.mail import NO_MAIL, Delivery, MailRoom
from orgsync_reconcile.operations.sso import call_hook
from orgsync_reconcile.stores.sql import history
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.permissions import MANAGE_CONNECTIONS, require
from orgsync_reconcile.stores.sql.routing import read_routing, write_progress, write_routing

#: Letters between two notes of how far the mass email has come: a run that was killed repeats at most these.
_BATCH = 50
#: Where an org is asked first: the secondary is there when it matters.
_ORDER = (Side.SECONDARY, Side.PRIMARY)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """The two orgs as far as they can be reached, how people call them, who acts in each, and why one cannot be."""

    orgs: Mapping[Side, Org | None]
    names: Mapping[Side, str]
    admins: Mapping[Side, str]
    why: Mapping[Side, str]

    def reachable(self) -> list[tuple[Side, Org]]:
        """The orgs that can be reached, the secondary first. Raises StoreError where none can."""
        found = [(side, org) for side in _ORDER if (org := self.orgs[side]) is not None]
        if not found:
            raise StoreError("; ".join(self.why.values()))
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Switch:
    """What a switch did. `done`: whether it changed something; `sso` is empty where there is no hook or it was called."""

    routing: Routing
    done: bool
    deliveries: tuple[Delivery, ...] = ()
    #: Why no email at all was sent; empty otherwise.
    no_mail: str = ""
    sso_called: bool = False
    sso_error: str = ""

    @property
    def complete(self) -> bool:
        """Whether everybody knows who should."""
        return not self.routing.unfinished


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """What a switch works with. `base` is the folder that a secret's path starts at."""

    settings: FailoverSettings
    reach: Reach
    room: MailRoom
    base: Path
    two_way: bool
    clock: Clock


def current(reach: Reach, connection: str) -> Routing:
    """Where users are sent, by what the orgs that can be reached know: the newest counts."""
    known = [read_routing(org, connection) for _, org in reach.reachable()]
    return max(
        (item for item in known if item is not None),
        key=lambda item: item.serial,
        default=Routing(connection=connection),
    )


def announce(desk: Desk, begin: datetime, end: datetime) -> Switch:
    """Keeps a window and writes to everybody about it. Announced again, the same window tells those who were missed."""
    routing = current(desk.reach, desk.settings.connection)
    window = (iso(begin), iso(end))
    if (routing.window_from, routing.window_to) == window:
        return _finish(desk, routing, done=False)
    unfinished = Unfinished(letter="announce", to=audience(desk.settings, desk.reach.orgs))
    detail = f"{shown_moment(window[0])} to {shown_moment(window[1])}"
    new = replace(routing, window_from=window[0], window_to=window[1], unfinished=unfinished)
    return _carry_out(desk, routing, new, history.FAILOVER_ANNOUNCED, detail)


def start(desk: Desk, *, mail: bool = True) -> Switch:
    """Sends users to the secondary: the target, the banner, the mass email, single sign-on.

    Started again, it only finishes what was left. Raises PermissionDeniedError where who acts in an org may not manage
    connections, StoreError where no org can be reached.
    """
    routing = current(desk.reach, desk.settings.connection)
    if routing.chosen:
        return _finish(desk, routing, done=False)
    new = replace(
        routing,
        target=Side.SECONDARY,
        banner=desk.settings.banner,
        unfinished=_unfinished(desk, "start", mail=mail),
    )
    detail = f"users are sent to {desk.reach.names[Side.SECONDARY]}"
    return _carry_out(desk, routing, new, history.FAILOVER_STARTED, detail)


def stop(desk: Desk, *, mail: bool = True, left: int = 0) -> Switch:
    """Sends users back to the primary. `left`: how many records stay behind in the secondary, for the history.

    Stopped again, it only finishes what was left. Raises as `start` does.
    """
    routing = current(desk.reach, desk.settings.connection)
    if not routing.chosen:
        return _finish(desk, routing, done=False)
    new = replace(
        routing,
        target=Side.PRIMARY,
        banner="",
        window_from="",
        window_to="",
        unfinished=_unfinished(desk, "stop", mail=mail),
    )
    detail = f"users are sent to {desk.reach.names[Side.PRIMARY]}"
    if left:
        detail += f", while {counted(left, 'change')} of {desk.reach.names[Side.SECONDARY]} had not arrived there"
    return _carry_out(desk, routing, new, history.FAILOVER_STOPPED, detail)


def _unfinished(desk: Desk, letter: str, *, mail: bool) -> Unfinished:
    return Unfinished(
        letter=letter,
        to=audience(desk.settings, desk.reach.orgs) if mail else (),
        sso=desk.settings.sso_hook is not None,
    )


def _carry_out(desk: Desk, old: Routing, new: Routing, event: str, detail: str) -> Switch:
    ends = desk.reach.reachable()
    for side, org in ends:
        require(org, desk.reach.admins[side], MANAGE_CONNECTIONS)
    first = ends[0][0]
    changed = replace(
        new,
        serial=old.serial + 1,
        since=iso(desk.clock()) if new.target is not old.target else old.since,
        actor=desk.reach.admins[first] if new.target is not old.target else old.actor,
    )
    for side, org in ends:
        write_routing(org, changed, event, detail, actor=desk.reach.admins[side], clock=desk.clock)
    return _finish(desk, changed, done=True)


def _finish(desk: Desk, routing: Routing, *, done: bool) -> Switch:
    """Sends the email that is still to be sent and calls for single sign-on, noting what is done as it goes."""
    routing, deliveries, no_mail = _send(desk, routing)
    called, error = False, ""
    hook = desk.settings.sso_hook
    if routing.unfinished.sso:
        if hook is not None:
            error = call_hook(hook, _event(desk, routing), base=desk.base, clock=desk.clock)
            called = not error
        if not error:
            routing = _note(desk, routing, replace(routing.unfinished, sso=False))
    return Switch(
        routing=routing, done=done, deliveries=deliveries, no_mail=no_mail, sso_called=called, sso_error=error
    )


def _send(desk: Desk, routing: Routing) -> tuple[Routing, tuple[Delivery, ...], str]:
    waiting = routing.unfinished.to
    if not waiting:
        return routing, (), ""
    if desk.room.server is None:
        # Nobody set up mail, so nobody waits for it.
        return _note(desk, routing, replace(routing.unfinished, to=())), (), NO_MAIL
    deliveries: list[Delivery] = []
    missed: tuple[str, ...] = ()
    for place in range(0, len(waiting), _BATCH):
        batch = waiting[place : place + _BATCH]
        done = desk.room.send(letters(desk.settings, routing, desk.reach.names, batch, two_way=desk.two_way))
        deliveries.extend(done)
        missed += tuple(address for address, item in zip(batch, done, strict=True) if not item.sent)
        left = (*missed, *waiting[place + _BATCH :])
        routing = _note(desk, routing, replace(routing.unfinished, to=left))
    sent = len(deliveries) - len(missed)
    if sent:
        _, home = desk.reach.reachable()[0]
        detail = f"{routing.unfinished.letter} of a failover to {counted(sent, 'address')}"
        history.record_event(
            home, desk.settings.connection, history.NOTIFICATION, detail, actor="orgsync", clock=desk.clock
        )
    return routing, tuple(deliveries), ""


def _note(desk: Desk, routing: Routing, unfinished: Unfinished) -> Routing:
    noted = replace(routing, unfinished=unfinished)
    for _, org in desk.reach.reachable():
        write_progress(org, noted)
    return noted


def _event(desk: Desk, routing: Routing) -> dict[str, object]:
    return {
        "event": f"failover-{'started' if routing.chosen else 'stopped'}",
        "connection": desk.settings.connection,
        "target": routing.target.value,
        "url": desk.settings.doors[routing.target],
        "since": routing.since,
    }
