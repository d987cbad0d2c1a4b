"""Rules on new log entries and other events: what they find becomes notices, each written once (LOG-3, SUS-2).

A rule's place in the log, the notices that it wrote and the flags that it set stand in one transaction of the org.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from orgsync_reconcile.clock import iso, milliseconds
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.notification import Rule
from orgsync_reconcile.operations.alert_text import alert_subject, alert_text
from orgsync_reconcile.operations.notices import distinct
from orgsync_reconcile.stores.faults import faults
from orgsync_reconcile.stores.sql import flags, notices
from orgsync_reconcile.stores.sql.notices import EMAIL, WEBHOOK, NewEntry, Notice, RuleState
from orgsync_reconcile.stores.sql.org import Org

#: Entries that a notice lists; its count is complete.
LISTED = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """What a notice tells. `state` marks something that lasts, so that it is told once; empty where all is well again."""

    connection: str
    event: str
    org: str
    at: datetime
    count: int = 0
    summary: str = ""
    lines: tuple[str, ...] = ()
    entries: tuple[NewEntry, ...] = ()
    state: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """What the texts of a rule may look up as `alert.NAME`."""
        newest = self.entries[-1] if self.entries else None
        return {
            "connection": self.connection,
            "event": self.event,
            "org": self.org,
            "count": self.count,
            "at": iso(self.at),
            "summary": self.summary,
            "details": "\n".join(self.lines),
            "object": newest.object if newest else "",
            "record": newest.record if newest else "",
            "status": newest.status if newest else "",
            "code": newest.code if newest else "",
            "description": newest.description if newest else "",
            "field": newest.field if newest else "",
        }


@dataclass(kw_only=True, slots=True)
class Looked:
    """What a look found: how many notices were written, records flagged, and what could not be flagged."""

    notices: int = 0
    flagged: int = 0
    problems: list[str] = field(default_factory=list)


def begin(org: Org, connection: str, rules: Sequence[Rule]) -> None:
    """Sets rules that this org has never seen to the present end of its log: what is older is not new.

    To be called before the work whose entries are to be told.
    """
    unknown = [
        rule for rule in rules if rule.event == "log_entry" and notices.rule_state(org, connection, rule.mark) is None
    ]
    if unknown:
        with org.transaction():
            head = notices.log_head(org)
            for rule in unknown:
                if notices.rule_state(org, connection, rule.mark) is None:
                    notices.set_rule_state(org, connection, rule.mark, RuleState(position=head))


def look(org: Org, connection: str, rules: Sequence[Rule], *, side: Side, owner: str, now: datetime) -> Looked:
    """Goes through the entries that are new to each rule. `owner` is the address that stands for the recipient owner."""
    looked = Looked()
    head = notices.log_head(org)
    for rule in rules:
        if rule.event != "log_entry" or rule.where.get("org", side.value) != side.value:
            continue
        state = notices.rule_state(org, connection, rule.mark) or RuleState()
        if state.position >= head or _is_quiet(rule, state, now):
            continue
        with org.transaction():
            # Another process may have been faster.
            state = notices.rule_state(org, connection, rule.mark) or RuleState()
            if state.position < head and not _is_quiet(rule, state, now):
                _look_at(org, connection, rule, state, owner, now, looked)
    return looked


def _is_quiet(rule: Rule, state: RuleState, now: datetime) -> bool:
    """Whether the rule has told not long ago. A clock that has gone backwards keeps nobody quiet: the place counts."""
    passed = milliseconds(now) - state.told_at if state.told_at is not None else -1
    return 0 <= passed < rule.quiet * 1000


def _look_at(
    org: Org, connection: str, rule: Rule, state: RuleState, owner: str, now: datetime, looked: Looked
) -> None:
    """One rule's new entries, read one at a time. Inside a transaction."""
    head = notices.log_head(org)
    start = iso(now - timedelta(seconds=rule.within)) if rule.more_than is not None else ""
    count, first = 0, 0
    newest: list[NewEntry] = []
    concerned: dict[str, None] = {}
    for entry in _entries(org, connection, rule, state.position):
        if entry.at < start:
            continue
        count += 1
        first = first or entry.row
        newest = [*newest[-LISTED + 1 :], entry]
        if rule.flag is not None and entry.object == rule.flag.object:
            concerned[entry.record] = None
    if count <= (rule.more_than or 0):
        # Entries that may still count stay ahead of the place.
        position = first - 1 if first else head
        notices.set_rule_state(
            org, connection, rule.mark, RuleState(position=position, told_at=state.told_at, told=state.told)
        )
        return
    what = "new entry" if count == 1 else "new entries"
    event = Event(
        connection=connection,
        event=rule.event,
        org=org.label,
        at=now,
        count=count,
        summary=f"{count} {what} in the sync log of {org.label}",
        lines=tuple(_line(item) for item in newest),
        entries=tuple(newest),
    )
    looked.notices += _write(org, rule, event, owner, f"{state.position}-{newest[-1].row}")
    if rule.flag is not None and concerned:
        _flag(org, rule, list(concerned), looked)
    notices.set_rule_state(org, connection, rule.mark, RuleState(position=head, told_at=milliseconds(now)))
    notices.forget(org, milliseconds(now))


def _entries(org: Org, connection: str, rule: Rule, position: int) -> Any:
    where = rule.where
    return notices.new_entries(
        org,
        connection,
        position,
        objects=where.get("object") or (),
        statuses=where.get("status") or (),
        codes=where.get("code") or (),
    )


def _line(entry: NewEntry) -> str:
    code = f" {entry.code}:" if entry.code else ""
    what = f"{entry.object} {entry.record}".strip()
    return f"{entry.at[:19].replace('T', ' ')} {what}: {entry.status or entry.event}{code} {entry.description}".rstrip()


def _flag(org: Org, rule: Rule, records: list[str], looked: Looked) -> None:
    """Sets the field as anybody in the org would: an ordinary change, which goes on to the other org where it flows."""
    assert rule.flag is not None
    try:
        looked.flagged += flags.set_field(org, rule.flag.object, rule.flag.field, rule.flag.value, records)
    except faults(OrgsyncError) as error:
        looked.problems.append(f"{org.label}: {rule.flag.object}.{rule.flag.field} was not set by the rule: {error}")


def tell(org: Org, rules: Sequence[Rule], event: Event, *, owner: str) -> int:
    """Tells of an event outside the log, once as long as its `state` stays the same, or again after the rule's `every`.

    An empty state says that all is well: nothing is told, and what comes next is told anew. Returns how many notices
    were written.
    """
    written = 0
    for rule in rules:
        if rule.event != event.event:
            continue
        with org.transaction():
            known = notices.rule_state(org, event.connection, rule.mark) or RuleState()
            again = rule.every is not None and not _is_quiet(rule, known, event.at)
            told_at = known.told_at
            if event.state and (known.told != event.state or again):
                written += _write(org, rule, event, owner, f"{event.state}-{milliseconds(event.at)}")
                told_at = milliseconds(event.at)
            elif known.told == event.state:
                continue
            notices.set_rule_state(org, event.connection, rule.mark, RuleState(told_at=told_at, told=event.state))
            notices.forget(org, milliseconds(event.at))
    return written


def _write(org: Org, rule: Rule, event: Event, owner: str, occasion: str) -> int:
    """A notice for each address and web address of the rule. Inside a transaction."""
    addresses = distinct(owner if who == "owner" else who for who in rule.email)
    subject, text = alert_subject(rule, event.facts), alert_text(rule, event.facts)
    recipients = [(EMAIL, address) for address in addresses]
    if rule.hook is not None:
        recipients.append((WEBHOOK, ""))
    written = 0
    for channel, recipient in recipients:
        key = notice_key(org.org_id, event.connection, rule.mark, occasion, channel, recipient)
        letter = {
            "template": "alert",
            "values": {"connection": event.connection, "subject": subject, "text": text.split("\n")},
        }
        body = letter if channel == EMAIL else _payload(rule, event, key, subject, text)
        written += notices.add(
            org,
            Notice(
                connection=event.connection,
                key=key,
                event=event.event,
                rule=rule.mark,
                channel=channel,
                recipient=recipient,
                body=json.dumps(body, ensure_ascii=False),
                made_at=milliseconds(event.at),
            ),
        )
    return written


def _payload(rule: Rule, event: Event, key: str, subject: str, text: str) -> dict[str, Any]:
    """What is posted: the event for programs, or a text for a chat."""
    if rule.hook is not None and rule.hook.style == "chat":
        return {"text": f"{subject}\n{text}"}
    return {
        "version": 1,
        "key": key,
        "event": event.event,
        "connection": event.connection,
        "org": event.org,
        "rule": rule.mark,
        "at": iso(event.at),
        "count": event.count,
        "subject": subject,
        "text": text,
        "details": list(event.lines),
        "entries": [{name: value for name, value in asdict(item).items() if name != "row"} for item in event.entries],
    }


def notice_key(*parts: str) -> str:
    """The key of a notice: the same for the same occasion, whoever writes it, and unlike all others."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def state_of(lines: Sequence[str] | Mapping[str, Any]) -> str:
    """A mark of something that lasts; empty for nothing."""
    return hashlib.sha256(json.dumps(lines, sort_keys=True).encode()).hexdigest()[:16] if lines else ""
