"""The courier: tries what waits in an org's outbox of notices, keeps what became of it, and tries again later (LOG-3).

A notice is claimed before it is sent and settled after it: of several processes one sends it, and one that is killed in
between leaves a notice that is sent once more. Its key goes along, so that receivers can tell.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orgsync_reconcile.clock import Clock, milliseconds
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.desired import SecretRef
from orgsync_reconcile.model.notification import Hook, Rule
from orgsync_reconcile.operations import webhook
from orgsync_reconcile.operations.letters import Letter, cleaned
from orgsync_reconcile.operations.mail import NO_MAIL, MailRoom
from orgsync_reconcile.operations.notices import ACTOR
from orgsync_reconcile.operations.secrets import find_secret
from orgsync_reconcile.stores.sql import history, notices
from orgsync_reconcile.stores.sql.notices import EMAIL, Notice
from orgsync_reconcile.stores.sql.org import Org

#: Seconds before each further try of a notice; after the last one it is given up.
BACKOFF = (60, 300, 1800, 7200, 28800, 86400)
#: How long a process has a notice for itself, in seconds; after that it must have died.
CLAIM = 900
#: Notices of one connection that are tried at a time.
AT_ONCE = 100
#: How long a mail server may take here, in seconds: nobody should wait for it.
PATIENCE = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Posted:
    """What a round of the courier did; `lines` say what was not sent, and why."""

    sent: int = 0
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tried:
    """What became of one try. `final` says that no other try would help."""

    error: str = ""
    pause: float = 0.0
    final: bool = False
    #: The receiver itself is out of order, so that the other notices to it need not be tried now.
    down: bool = False


def deliver(org: Org, connection: str, rules: Sequence[Rule], room: MailRoom) -> Posted:
    """Sends the notices of a connection that are due in this org."""
    clock = room.clock
    far = (max(BACKOFF) + CLAIM) * 1000
    waiting = notices.due(org, connection, milliseconds(clock()), far=far, limit=AT_ONCE)
    if not waiting:
        return Posted()
    office = _Office(org=org, rules={rule.mark: rule for rule in rules}, room=_impatient(room))
    office.send_letters([item for item in waiting if item.channel == EMAIL])
    office.send_hooks([item for item in waiting if item.channel != EMAIL])
    office.note(connection)
    return Posted(sent=len(office.sent), lines=tuple(office.lines))


def _impatient(room: MailRoom) -> MailRoom:
    if room.server is None:
        return room
    return replace(room, server=replace(room.server, timeout=min(room.server.timeout, PATIENCE)))


class _Office:
    """One round: what was sent, what was given up, and what there is to say."""

    def __init__(self, *, org: Org, rules: Mapping[str, Rule], room: MailRoom) -> None:
        self.org = org
        self.rules = rules
        self.room = room
        self.clock: Clock = room.clock
        self.sent: list[str] = []
        self.given_up: list[str] = []
        self.lines: list[str] = []

    def _claimed(self, notice: Notice) -> bool:
        return notices.claim(self.org, notice, milliseconds(self.clock()) + CLAIM * 1000)

    def send_letters(self, waiting: Sequence[Notice]) -> None:
        """Over one connection to the mail server."""
        mine = [item for item in waiting if self._claimed(item)]
        letters: list[tuple[Notice, Letter]] = []
        for item in mine:
            letter = _letter(item)
            if letter is None:
                self._settle(item, item.recipient, _Tried(error="somebody has changed the notice", final=True))
            else:
                letters.append((item, letter))
        done = self.room.send([letter for _, letter in letters])
        for (item, _), delivery in zip(letters, done, strict=True):
            words = f"email to {cleaned(item.recipient)}, {delivery.subject!r}"
            self._settle(item, words, _Tried(error=delivery.error, final=delivery.error == NO_MAIL))

    def send_hooks(self, waiting: Sequence[Notice]) -> None:
        """One after another; a receiver that is out of order is asked once a round."""
        down: set[str] = set()
        for item in waiting:
            if item.rule in down or not self._claimed(item):
                continue
            tried = self._post(item)
            self._settle(item, f"webhook of the rule {item.rule}", tried)
            if tried.error and tried.down:
                down.add(item.rule)

    def _post(self, notice: Notice) -> _Tried:
        rule = self.rules.get(notice.rule)
        if rule is None or rule.hook is None:
            return _Tried(error="the manifests no longer have it", final=True)
        name = _shown(rule.hook)
        try:
            url = _resolved(rule.hook.url, self.room.base)
            key = _resolved(rule.hook.secret, self.room.base) if rule.hook.secret else ""
        except OrgsyncError as error:
            return _Tried(error=str(error), down=True)
        body = notice.body.encode()
        headers = {"Idempotency-Key": notice.key, "X-Orgsync-Event": notice.event}
        if key:
            headers[rule.hook.header] = webhook.signature(key, body)
        answer = webhook.post(url, body, headers, name=name, clock=self.clock)
        return _Tried(error=answer.error, pause=answer.pause, down=True)

    def _settle(self, notice: Notice, words: str, tried: _Tried) -> None:
        now = milliseconds(self.clock())
        if not tried.error:
            notices.settle(self.org, notice, next_try=None, now=now)
            self.sent.append(notice.recipient or words)
            return
        attempt = notice.attempts + 1
        if tried.final or attempt > len(BACKOFF):
            notices.settle(self.org, notice, next_try=None, now=now, error=tried.error)
            if tried.error != NO_MAIL:
                self.given_up.append(f"{words}: {tried.error}")
            after = "" if tried.final else f" after {attempt} tries"
            self.lines.append(f"{words} was not sent: {tried.error}; given up{after}")
            return
        pause = max(float(BACKOFF[attempt - 1]), tried.pause)
        notices.settle(self.org, notice, next_try=now + int(pause * 1000), now=now, error=tried.error)
        self.lines.append(f"{words} was not sent: {tried.error}; tried again in {_spoken(pause)}")

    def note(self, connection: str) -> None:
        """Rows of the connection history: whom notices went to, and what was given up. The sync goes on without them."""
        rows = []
        if self.sent:
            rows.append(f"Notices to {', '.join(dict.fromkeys(self.sent))}")
        rows += [f"Given up: {item}" for item in self.given_up]
        try:
            for detail in rows:
                history.record_event(
                    self.org, connection, history.NOTIFICATION, detail[:1000], actor=ACTOR, clock=self.clock
                )
        except OrgsyncError as error:
            self.lines.append(f"what became of notices is not in the history: {error}")


def _letter(notice: Notice) -> Letter | None:
    """The letter of a notice; None where somebody has put something else into the table."""
    try:
        data: Any = json.loads(notice.body)
        return Letter(
            template=_TEMPLATES[data["template"]], to=notice.recipient, values=dict(data["values"]), key=notice.key
        )
    except (ValueError, KeyError, TypeError):
        return None


#: The templates that notices may name.
_TEMPLATES = {name: name for name in ("alert", "suspended")}


def _resolved(value: str | SecretRef, base: Path) -> str:
    """A value as it stands, or what its reference leads to. Raises OrgsyncError."""
    return value if isinstance(value, str) else find_secret(value, base, what="its secret").strip()


def _shown(hook: Hook) -> str:
    """How messages call an address: by its reference, or by its host, since a path may hold a token."""
    if isinstance(hook.url, SecretRef):
        return f"the address in {hook.url.name}"
    scheme, _, rest = hook.url.partition("://")
    return f"{scheme}://{rest.partition('/')[0].partition('?')[0]}"


def _spoken(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{round(seconds / size)} {unit}"
    return f"{seconds:.0f} s"
