"""QUE-3, QUE-4: what is sent in rounds ends as what is sent in batches, whatever is in it and whoever leaves it half done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lane_world import World
from org_stores import FILES_ONLY, Templates
from schedules import Step, play, steps

from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.flow import Flow, Pair, rounds
from orgsync_reconcile.sync.drain import drain

COUNT = 40


@pytest.fixture
def every_change_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three processes seem to be at work, and nothing is too little for a round."""
    monkeypatch.setattr(rounds, "WORTH_SHARING", 1)
    monkeypatch.setattr(Pair, "workers", lambda _pair: 3)


QUIET = settings(
    deadline=None,
    database=None,
    print_blob=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
policies = st.sampled_from(("primary-wins", "secondary-wins", "latest-wins"))


@settings(QUIET, max_examples=25)
@given(policy=policies, schedule=st.lists(steps, min_size=5, max_size=20))
@pytest.mark.usefixtures("every_change_is_shared")
def test_any_schedule_ends_equal_in_rounds(templates: Templates, policy: str, schedule: list[Step]) -> None:
    """CNF-3, QUE-3, QUE-4, LKP-1: equal, nothing queued, no echo, nothing doubled; a round is a batch in parts."""
    play(templates, FILES_ONLY, policy, schedule)


@settings(QUIET, max_examples=2, phases=[Phase.generate])
@given(policy=policies, schedule=st.lists(steps, min_size=10, max_size=15))
@pytest.mark.usefixtures("every_change_is_shared")
def test_any_schedule_ends_equal_in_rounds_on_a_server(templates: Templates, policy: str, schedule: list[Step]) -> None:
    """CNF-3, QUE-3, QUE-4: the same where rounds are for."""
    play(templates, "postgres-postgres", policy, schedule)


def test_parents_in_other_lanes_are_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """QUE-3, LKP-1, LKP-2: parents and the children that cannot be without them are new together; none is refused."""
    monkeypatch.setattr(rounds, "WORTH_SHARING", 1)
    opened = watch(monkeypatch)
    primary = world.clients["acme"]
    with primary.transaction():
        for number in range(COUNT):
            account = primary.execute(
                'INSERT INTO "Account" ("Name", "Phone") VALUES (%s, \'0\') RETURNING "Id"', [f"A {number}"]
            ).fetchone()
            contact = primary.execute(
                'INSERT INTO "Contact" ("LastName", "AccountId") VALUES (\'x\', %s) RETURNING "Id"', account
            ).fetchone()
            primary.execute('INSERT INTO "Visit__c" ("Name", "Contact__c") VALUES (\'x\', %s)', contact)
    with world.pair() as other, other.at_work():
        world.run("drain")
    assert [len(item.phases) for item in opened] == [3]
    assert world.one("dr", 'SELECT count("AccountId") FROM "Contact"') == COUNT
    assert world.one("dr", 'SELECT count("Contact__c") FROM "Visit__c"') == COUNT
    world.assert_equal()


def test_what_must_go_at_once_is_not_shared(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """LKP-4, QUE-3: deletes cascade, so a part of the log with one of them is a batch; so is what is small."""
    opened = watch(monkeypatch)
    world.add(100, parts=2)
    with world.pair() as other, other.at_work():
        world.run("drain")
        assert opened == []
        monkeypatch.setattr(rounds, "WORTH_SHARING", 1)
        world.clients["acme"].execute('UPDATE "Account" SET "Industry" = \'Media\' WHERE "Phone" IS NOT NULL')
        world.run("drain")
        assert [item.lanes for item in opened] == [2]
        world.clients["acme"].execute('UPDATE "Account" SET "Industry" = \'Energy\' WHERE "Name" LIKE \'%% 7\'')
        world.clients["acme"].execute('UPDATE "Account" SET "IsDeleted" = TRUE WHERE "Name" LIKE \'%% 8\'')
        world.run("drain")
    assert len(opened) == 1
    assert world.one("dr", 'SELECT count(*) FROM "Account" WHERE "IsDeleted"') == 2
    world.assert_equal()


@pytest.mark.parametrize("then", [("drain", "--from", "secondary"), ("bulk-sync",), ("verify", "--repair")])
def test_an_edit_after_a_lane_of_a_round_that_was_left(world: World, then: tuple[str, ...]) -> None:
    """CNF-1, QUE-3: whoever saw the new value and changed it is no rival of it, though the rest of the round was left."""
    world.add(3_000)
    world.run("drain")
    world.clients["acme"].execute('UPDATE "Account" SET "Phone" = \'new\' WHERE "Phone" IS NOT NULL')
    with world.pair() as other, other.at_work():
        done = subprocess.run(
            [sys.executable, "-m", "orgsync_reconcile", "-C", str(world.folder), "drain"],
            env=os.environ | {"ORGSYNC_FAILPOINT": "round:after-lane"},
            capture_output=True,
            check=False,
        )
    assert done.returncode == -signal.SIGKILL, done.stderr
    sent = world.one("dr", 'SELECT count(*) FROM "Account" WHERE "Phone" = \'new\'')
    assert 0 < sent < 3_000
    record = world.one("dr", 'SELECT min("Id") FROM "Account" WHERE "Phone" = \'new\'')
    world.clients["dr"].execute('UPDATE "Account" SET "Phone" = \'seen and changed\' WHERE "Id" = %s', [record])
    world.run(*then)
    world.run("drain")
    assert world.one("dr", 'SELECT "Phone" FROM "Account" WHERE "Id" = %s', record) == "seen and changed"
    assert world.one("acme", 'SELECT count(*) FROM "Account" WHERE "Phone" = \'seen and changed\'') == 1
    assert world.one("dr", 'SELECT count(*) FROM "Account" WHERE "Phone" = \'new\'') == 2_999
    world.assert_equal()


def test_nothing_is_sent_after_the_last_round(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """QUE-3: a server's count goes on without entries; behind the last of them no empty batch is begun."""
    monkeypatch.setattr(rounds, "WORTH_SHARING", 1)
    opened = watch(monkeypatch)
    world.add(COUNT)
    world.clients["acme"].execute("SELECT pg_current_xact_id()")
    seen: list[int] = []
    with world.pair() as pair, world.pair() as other, other.at_work():
        drain(pair, sides=[Side.PRIMARY], clock=system_clock, progress=lambda _, done, total: seen.append(total - done))
    assert len(opened) == 1
    assert seen.count(0) == 1
    world.assert_equal()


def test_whoever_comes_late_finds_the_round_closed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """QUE-3: a process that lost its lease without knowing it sends nothing twice, and leaves nothing behind for the next round."""
    monkeypatch.setattr(rounds, "WORTH_SHARING", 1)
    world.add(COUNT)
    with world.pair() as late, world.pair() as other, other.at_work(), late.at_work():
        flow = Flow(late, Side.PRIMARY)
        with late.lease():
            current = rounds.Rounds(flow).open(1_000, 2, system_clock())
        assert current is not None
        world.run("drain")
        world.clients["dr"].execute('UPDATE "Account" SET "Phone" = \'mine\' WHERE "Phone" IS NOT NULL')
        for lane in range(current.lanes):
            assert rounds.Rounds(flow).take(current, lane, system_clock()).counts == {}
        world.clients["acme"].execute('UPDATE "Account" SET "Industry" = \'Media\' WHERE "Phone" IS NOT NULL')
        world.run("drain")
    assert (
        world.one("dr", 'SELECT count(*) FROM "Account" WHERE "Industry" = \'Media\' AND "Phone" = \'mine\'') == COUNT
    )
    world.assert_equal()


def watch(monkeypatch: pytest.MonkeyPatch) -> list[rounds.Round]:
    """The rounds that are opened from here on."""
    opened: list[rounds.Round] = []
    original: Callable[..., rounds.Round | None] = rounds.Rounds.open

    def watched(self: rounds.Rounds, *args: object) -> rounds.Round | None:
        found = original(self, *args)
        opened.extend([found] if found else [])
        return found

    monkeypatch.setattr(rounds.Rounds, "open", watched)
    return opened
