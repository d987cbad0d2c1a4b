"""Emails while a connection is suspended: when, to whom, with what in them (SUS-2)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mail_world import Postbox, set_up_mail, text_of
from two_orgs import must, run_in, sql

from orgsync_reconcile.app.follow import follow_queue
from orgsync_reconcile.app.workspace import Workspace
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.operations.suspended import is_due, suspended_rules
from orgsync_reconcile.stores.sqlite.handle import open_org
from orgsync_reconcile.sync import lifecycle

START = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
HALF_A_DAY = 12 * 3600


def after(**passed: float) -> str:
    return (START + timedelta(**passed)).isoformat()


def rule(folder: Path, text: str) -> None:
    path = folder / "manifests" / "acme.yaml"
    path.write_text(path.read_text().replace("direction: two-way\n", f"direction: two-way\nnotify: [{text}]\n"))


@pytest.fixture
def suspended(joined: Path) -> Path:
    """Two orgs whose connection was suspended at START, with three changes queued since."""
    must(joined, "suspend", ORGSYNC_NOW=after())
    sql(
        joined,
        "acme",
        'INSERT INTO "Account" ("Name") VALUES (\'Three\')',
        'UPDATE "Account" SET "Phone" = \'1\' WHERE "Name" = \'One\'',
    )
    sql(joined, "acme-dr", 'UPDATE "Account" SET "Phone" = \'2\' WHERE "Name" = \'Two\'')
    return joined


def test_twice_a_day_with_the_number_of_queued_events(suspended: Path, post: Postbox) -> None:
    """SUS-2: on by default; owner and suspender are one person here and get one email each half day."""
    must(suspended, "drain", ORGSYNC_NOW=after(hours=11.9))
    assert post.received == []
    for hours in (12, 12.1, 23.9, 24, 25):
        must(suspended, "drain", ORGSYNC_NOW=after(hours=hours))
    first, second = post.to("admin@acme.example")
    assert first["Subject"] == "acme-link is suspended: 3 events queued"
    text = text_of(first)
    assert "suspended since 2026-03-02 06:30 UTC by admin@acme.example" in text
    assert "acme: 2 pending, 0 retrying" in text
    assert "acme-dr: 1 pending, 0 retrying" in text
    assert second["Date"].datetime == START + timedelta(hours=24)
    assert "Suspended to admin@acme.example" in must(suspended, "history").stdout


def test_a_suspension_that_ended_is_forgotten(suspended: Path, post: Postbox) -> None:
    """SUS-2: a new suspension begins a new count, whatever was sent for the old one."""
    must(suspended, "drain", ORGSYNC_NOW=after(hours=12))
    must(suspended, "resume", ORGSYNC_NOW=after(hours=13))
    must(suspended, "drain", ORGSYNC_NOW=after(hours=26))
    must(suspended, "suspend", ORGSYNC_NOW=after(hours=30))
    must(suspended, "drain", ORGSYNC_NOW=after(hours=41))
    assert len(post.received) == 1
    must(suspended, "drain", ORGSYNC_NOW=after(hours=42))
    assert len(post.received) == 2


def test_one_end_suspended_by_somebody_else(joined: Path, post: Postbox) -> None:
    """SUS-2: the owner and whoever suspended, each their own message."""
    sql(
        joined,
        "acme-dr",
        'UPDATE "User" SET "Email" = \'second@acme.example\' WHERE "Username" = \'admin@acme.example.dr\'',
    )
    must(joined, "suspend", "--org", "secondary", ORGSYNC_NOW=after())
    must(joined, "drain", ORGSYNC_NOW=after(hours=12))
    assert sorted(to for recipients, _ in post.received for to in recipients) == [
        "admin@acme.example",
        "second@acme.example",
    ]


def test_the_manifest_rule_goes_before_the_default(suspended: Path, post: Postbox) -> None:
    """SUS-2: its own interval and recipients, each address once."""
    rule(suspended, "{event: suspended, every: 1h, email: [ops@acme.example, owner, OPS@acme.example]}")
    must(suspended, "drain", ORGSYNC_NOW=after(hours=1))
    assert [list(recipients) for recipients, _ in post.received] == [["ops@acme.example"], ["admin@acme.example"]]


def test_an_empty_list_switches_them_off(suspended: Path, post: Postbox) -> None:
    """SUS-2: on by default means that they can be off."""
    rule(suspended, "{event: suspended, email: []}")
    must(suspended, "validate")
    must(suspended, "drain", ORGSYNC_NOW=after(days=3))
    assert post.received == []
    rule(suspended, "{event: log_entry, email: []}")
    assert run_in(suspended, "validate").exit_code == 1


def test_a_mail_server_that_is_down_delays_them(suspended: Path, post: Postbox) -> None:
    """SUS-2: what could not be sent is due again, and what was sent is not."""
    set_up_mail(suspended, 1)
    result = must(suspended, "drain", ORGSYNC_NOW=after(hours=12))
    assert "email to admin@acme.example, 'acme-link is suspended: 3 events queued' was not sent" in result.stderr
    set_up_mail(suspended, post.port)
    must(suspended, "drain", ORGSYNC_NOW=after(hours=12.2))
    must(suspended, "drain", ORGSYNC_NOW=after(hours=12.4))
    assert len(post.received) == 1


def test_without_mail_each_half_day_has_one_line(suspended: Path) -> None:
    """SUS-2: said once per email that would have been sent."""
    (suspended / "manifests" / "mail.yaml").unlink()
    said = [
        "no document of kind Mail" in must(suspended, "drain", ORGSYNC_NOW=after(hours=hours)).stderr
        for hours in (12, 13, 24, 25)
    ]
    assert said == [True, False, True, False]


def test_sending_is_no_change_of_the_orgs(suspended: Path, post: Postbox) -> None:
    """SUS-2, REC-6: what is kept about emails is no setting of the org: no plan differs by it."""
    before = run_in(suspended, "plan", "--format", "json").stdout
    must(suspended, "drain", ORGSYNC_NOW=after(hours=12))
    assert len(post.received) == 1
    assert run_in(suspended, "plan", "--format", "json").stdout == before


def test_a_drain_that_follows_sends_them_too(suspended: Path, post: Postbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """SUS-2: at its first look, without being asked; an email that was not sent is what it has to say."""
    monkeypatch.chdir(suspended)
    noon = Workspace(clock=lambda: START + timedelta(hours=12))
    set_up_mail(suspended, 1)
    rounds = follow_queue(noon, None, sides=tuple(Side))
    (line,) = next(rounds).warnings
    assert "email to admin@acme.example, 'acme-link is suspended: 3 events queued' was not sent" in line
    rounds.close()
    set_up_mail(suspended, post.port)
    ready = Thread(target=_resume_when_written, args=(suspended, post))
    ready.start()
    rounds = follow_queue(noon, None, sides=tuple(Side))
    moved = next(rounds)
    rounds.close()
    ready.join()
    assert len(post.received) == 1
    assert sum(item.moved for item in moved.objects) == 3


def _resume_when_written(folder: Path, post: Postbox) -> None:
    """Lets a following drain go on once the email has arrived."""
    for _ in range(200):
        if post.received:
            break
        time.sleep(0.05)
    with open_org(folder / "orgs" / "acme.db") as primary, open_org(folder / "orgs" / "acme-dr.db") as secondary:
        for org, actor in ((primary, "admin@acme.example"), (secondary, "admin@acme.example.dr")):
            lifecycle.resume(org, "acme-link", actor=actor, clock=lambda: START + timedelta(hours=13))


def test_rules_of_the_manifest() -> None:
    """SUS-2: the default stands until the manifest has a rule for suspensions; rules for the log do not count."""
    log = {"event": "log_entry", "email": ["a@x.example"]}
    mine = {"event": "suspended", "every": 60, "email": ["b@x.example"]}
    (default,) = suspended_rules([log])
    assert (default["every"], default["email"]) == (HALF_A_DAY, ["owner", "suspender"])
    assert suspended_rules([log, mine]) == (mine,)
    assert suspended_rules([{"event": "suspended", "webhook": "https://x.example", "email": []}]) == ()


@given(
    every=st.integers(60, 7 * 86400),
    steps=st.lists(st.integers(-3600, 5 * 86400), min_size=1, max_size=60),
    before=st.none() | st.integers(1, 10**7),
)
@settings(max_examples=150, deadline=None)
def test_one_email_per_interval(every: int, steps: list[int], before: int | None) -> None:
    """SUS-2: however often and irregularly it is asked, an interval has one email at most, and none is owed twice."""
    last = None if before is None else START - timedelta(seconds=before)
    now = START
    sent: list[int] = []
    looked: set[int] = set()
    for step in steps:
        now = max(now + timedelta(seconds=step), START)
        slot = int((now - START).total_seconds() // every)
        due = is_due(now, since=START, last=last, every=every)
        # A later look that comes back to an earlier moment owes nothing.
        assert due == (slot > 0 and all(slot > other for other in sent))
        looked.add(slot)
        if due:
            sent.append(slot)
            last = now
    assert sent == sorted(set(sent))
    assert (max(sent) if sent else 0) == max(looked)
