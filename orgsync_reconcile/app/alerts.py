"""What happens on new log entries and other events, around the work that leads to them (LOG-3, SUS-2).

Nothing of it is ever the failure of the work: what went wrong is a line for whoever ran the command.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from queue import SimpleQueue

from orgsync_reconcile.app.notices import room_of
from orgsync_reconcile.app.workspace import OpenConnection, Workspace, open_orgs
from orgsync_reconcile.clock import milliseconds
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.notification import Rule, rules_of
from orgsync_reconcile.operations.alerts import Event, begin, look, tell
from orgsync_reconcile.operations.courier import deliver
from orgsync_reconcile.stores.sql import notices
from orgsync_reconcile.stores.sql.notified import owner_email, suspension
from orgsync_reconcile.stores.sql.org import Org


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What became of alerts: notices written and sent, records flagged, and what there is to say."""

    written: int = 0
    sent: int = 0
    flagged: int = 0
    lines: tuple[str, ...] = ()

    def __add__(self, other: Told) -> Told:
        return Told(
            written=self.written + other.written,
            sent=self.sent + other.sent,
            flagged=self.flagged + other.flagged,
            lines=(*self.lines, *other.lines),
        )


def _ends(found: OpenConnection) -> Mapping[Side, Org]:
    return {side: found.org(side) for side in Side}


def expect(found: OpenConnection) -> tuple[str, ...]:
    """Before the work: rules that were never looked at begin here. Returns what went wrong."""
    rules = rules_of(found.desired.notify)
    try:
        for org in _ends(found).values() if rules else ():
            begin(org, found.desired.name, rules)
    except OrgsyncError as error:
        return (f"alerts: {error}",)
    return ()


def look_round(workspace: Workspace, found: OpenConnection, events: Sequence[Event] = ()) -> Told:
    """After the work: what is new in both logs, and `events`, become notices and flags. Nothing is sent yet.

    Events are kept in the primary.
    """
    rules = rules_of(found.desired.notify)
    if not rules:
        return Told()
    name, told = found.desired.name, Told()
    try:
        owner = owner_email(found.primary, name)
        for side, org in _ends(found).items():
            seen = look(org, name, rules, side=side, owner=owner, now=workspace.clock())
            told += Told(written=seen.notices, flagged=seen.flagged, lines=tuple(seen.problems))
        for event in (*events, *_suspensions(workspace, found, rules)):
            told += Told(written=tell(found.primary, _for(event, rules), event, owner=owner))
    except OrgsyncError as error:
        told += Told(lines=(f"alerts: {error}",))
    return told


def _for(event: Event, rules: Sequence[Rule]) -> Sequence[Rule]:
    """The rules that an event is told by; the emails about a suspension have a way of their own (SUS-2)."""
    if event.event != "suspended":
        return rules
    return [replace(rule, email=()) for rule in rules if rule.hook is not None]


def _suspensions(workspace: Workspace, found: OpenConnection, rules: Sequence[Rule]) -> Iterator[Event]:
    """The present suspension, or that there is none, for the webhooks of rules about it."""
    if not any(rule.event == "suspended" and rule.hook is not None for rule in rules):
        return
    name = found.desired.name
    known = {org.label: item for org in _ends(found).values() if (item := suspension(org, name)) is not None}
    lines = tuple(
        f"{label}: since {item.since:%Y-%m-%d %H:%M} UTC{f' by {item.actor}' if item.actor else ''}"
        for label, item in known.items()
    )
    yield Event(
        connection=name,
        event="suspended",
        org=", ".join(known),
        at=workspace.clock(),
        count=len(known),
        summary=f"suspended in {' and '.join(known)}",
        lines=lines,
        state="suspended" if known else "",
    )


def send_out(workspace: Workspace, found: OpenConnection) -> Told:
    """Sends the notices of both orgs that are due."""
    name = found.desired.name
    rules, told = rules_of(found.desired.notify), Told()
    try:
        for org in _ends(found).values():
            if notices.waits(org, name):
                posted = deliver(org, name, rules, room_of(workspace, found.manifests))
                told += Told(sent=posted.sent, lines=posted.lines)
    except OrgsyncError as error:
        told += Told(lines=(f"alerts: {error}",))
    return told


def tell_all(workspace: Workspace, found: OpenConnection, events: Sequence[Event] = ()) -> Told:
    """Looks round and sends out."""
    return look_round(workspace, found, events) + send_out(workspace, found)


class Messenger:
    """Sends notices beside a run that goes on, so that no slow receiver holds up the sync. One thread at a time."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._said: SimpleQueue[str] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def look(self, found: OpenConnection) -> tuple[str, ...]:
        """After a round: notices are written, and a thread sends what is due; returns what there is to say by now."""
        lines = look_round(self._workspace, found).lines
        busy = self._thread is not None and self._thread.is_alive()
        if not busy and self._is_due(found):
            self._thread = threading.Thread(target=self._send, args=(found,), daemon=True)
            self._thread.start()
        said = []
        while not self._said.empty():
            said.append(self._said.get())
        return (*lines, *said)

    def _is_due(self, found: OpenConnection) -> bool:
        now = milliseconds(self._workspace.clock())
        return any(notices.due(org, found.desired.name, now, far=FAR, limit=1) for org in _ends(found).values())

    def _send(self, found: OpenConnection) -> None:
        """In the thread, with connections of its own."""
        names = (found.desired.primary, found.desired.secondary)
        try:
            with open_orgs(self._workspace, found.manifests, names) as orgs:
                mine = replace(found, primary=orgs[found.desired.primary], secondary=orgs[found.desired.secondary])
                for line in send_out(self._workspace, mine).lines:
                    self._said.put(line)
        except OrgsyncError as error:
            self._said.put(f"alerts: {error}")

    def close(self) -> None:
        """Waits a little for a thread under way; a notice that it still holds is sent by another process later."""
        if self._thread is not None:
            self._thread.join(GRACE)


#: A next try that is further ahead was set by a clock that has gone backwards since, in milliseconds.
FAR = 2 * 86_400_000
#: How long the end of a run waits for notices under way, in seconds.
GRACE = 3.0


@contextmanager
def messenger(workspace: Workspace) -> Iterator[Messenger]:
    """A messenger for the time of a run."""
    found = Messenger(workspace)
    try:
        yield found
    finally:
        found.close()
