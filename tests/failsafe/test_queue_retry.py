"""LOG-2, LOG-1, QUE-5: refused records are tried again by hand: `orgsync queue retry`."""

from __future__ import annotations

import json

import pytest
from failsafe_world import FailsafeWorld
from org_stores import refuse
from sync_world import CONNECTION, P, S, text


def due(world: FailsafeWorld, *args: str) -> dict[str, dict[str, int]]:
    """What the command says is due, by org."""
    result = world.program("queue", "retry", CONNECTION, *args, "--format", "json")
    assert result.exit_code == 0, result.output
    found: dict[str, dict[str, int]] = json.loads(result.stdout)["due"]
    return found


def statuses(world: FailsafeWorld) -> list[str]:
    """The log of the primary, oldest first."""
    return world.all(P, 'SELECT "Status" FROM "PartnerNetworkSyncLog" ORDER BY orgsync_row')


def test_records_that_wait_are_sent_by_the_next_drain(world: FailsafeWorld) -> None:
    """LOG-2, QUE-5: not before the schedule says so, but by hand; the log has one entry at the first try, one at the end."""
    world.connect("Account")
    mend = refuse(world.clients[S], "Account")
    first, second = (world.insert(P, "Account", Name=name) for name in ("a", "b"))
    assert world.program("drain", CONNECTION).exit_code == 5
    mend()
    world.program("drain", CONNECTION)
    assert world.count(S, "Account") == 0
    assert due(world, first) == {"acme": {"waiting": 1, "failed": 0}, "acme-dr": {"waiting": 0, "failed": 0}}
    assert world.program("drain", CONNECTION).exit_code == 0
    assert world.other(P, first) is not None
    assert world.other(P, second) is None
    said = world.program("queue", "retry", CONNECTION)
    assert said.stdout == "acme: 1 record due now\nacme-dr: 0 records due now\n"
    assert f"orgsync drain {CONNECTION}" in said.stderr
    world.program("drain", CONNECTION)
    assert world.count(S, "Account") == 2
    assert sorted(statuses(world)) == ["Resolved", "Resolved", "Retrying", "Retrying"]
    assert due(world)["acme"] == {"waiting": 0, "failed": 0}


def test_records_that_failed_for_good_begin_anew(world: FailsafeWorld) -> None:
    """LOG-1, LOG-2: --failed takes these alone; a new round of tries has its own entries."""
    world.connect("Account", settings={"retry": "60"})
    mend = refuse(world.clients[S], "Account")
    gone = world.insert(P, "Account", Name="failed")
    world.drain()
    world.later(hours=1)
    world.drain()
    assert statuses(world) == ["Retrying", "Failed"]
    waits = world.insert(P, "Account", Name="waits")
    world.drain()
    assert due(world, "--failed", "--org", "primary") == {"acme": {"waiting": 0, "failed": 1}}
    now = world.now
    world.drain()
    assert statuses(world)[2:] == ["Retrying", "Retrying"]
    world.now = now
    mend()
    world.later(hours=2)
    world.drain()
    assert world.other(P, gone)
    assert world.other(P, waits)
    assert sorted(statuses(world)[4:]) == ["Resolved", "Resolved"]
    world.assert_equal()


def test_records_that_were_never_refused(world: FailsafeWorld) -> None:
    """LOG-2: one line that says so, and nothing is changed, not even for the others that were named."""
    world.connect("Account")
    refuse(world.clients[S], "Account")
    held, fine = world.insert(P, "Account", Name="a"), world.insert(S, "Contact", LastName="b")
    world.drain()
    before = world.all(P, "SELECT * FROM orgsync_held")
    refused = world.program("queue", "retry", CONNECTION, held, fine)
    assert refused.exit_code == 64
    assert f"{fine} was not refused over {CONNECTION}, so there is nothing to try again" in refused.stderr
    assert world.program("queue", "retry", CONNECTION, "no-id").exit_code == 64
    assert world.all(P, "SELECT * FROM orgsync_held") == before


def test_without_the_permission_nothing_is_tried(world: FailsafeWorld) -> None:
    """CON-11: retrying is a matter of those who manage connections."""
    world.connect("Account")
    world.clients[P].execute("DELETE FROM orgsync_grant WHERE permission = 'ManageConnections'")
    refused = world.program("queue", "retry", CONNECTION)
    assert refused.exit_code == 1
    assert "lacks ManageConnections" in refused.stderr


REASONS = {
    "REQUIRED_FIELD_MISSING": (text("Code__c", required=True), None),
    "DUPLICATE_VALUE": (text("Code__c", unique=True), "taken"),
}


@pytest.mark.parametrize("code", REASONS)
def test_refused_for_a_reason_and_sent_once_it_is_mended(world: FailsafeWorld, code: str) -> None:
    """LOG-1, LOG-2: the platform's word for what the target alone refuses; retried by hand after it was mended."""
    theirs, value = REASONS[code]
    ours = text("Code__c")
    world.extend("Account", ours, side=P)
    world.extend("Account", ours, side=S)
    world.connect("Account")
    world.extend("Account", theirs, side=S)
    if code == "DUPLICATE_VALUE":
        world.insert(S, "Account", Name="there", Code__c=value)
    record = world.insert(P, "Account", Name="x", Code__c=value)
    world.drain(P)
    (item,) = [entry for entry in world.queue(P) if entry.record == record]
    assert item.error.startswith(f"{code}: ")
    assert item.attempts == 1
    assert item.next_retry
    world.update(P, "Account", record, Code__c="ok")
    assert due(world, record, "--org", "primary")["acme"]["waiting"] == 1
    world.drain(P)
    there = world.other(P, record)
    assert there is not None
    assert world.get(S, "Account", there, "Code__c") == "ok"
