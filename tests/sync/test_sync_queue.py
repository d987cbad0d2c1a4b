"""The outgoing queue, retries and the sync log (QUE-*, LOG-*)."""

from __future__ import annotations

import pytest
from org_stores import refuse
from sync_world import P, S, World, custom_object, text

from orgsync_reconcile.model.connection import ConnectionStatus
from orgsync_reconcile.stores.sql import connections
from orgsync_reconcile.sync.drain import drain


def refusing(world: World, retry: str = "60,300", **field: object) -> None:
    """Connected orgs whose secondary takes fewer values of Code__c than the primary."""
    for side in (P, S):
        world.extend("Account", text("Code__c", 20), side=side)
    world.connect("Account", "Contact", settings={"retry": retry})
    only = """NEW."Code__c" LIKE 'bad%'"""
    refuse(world.clients[S], "Account", "bad code", field="Code__c", when='BEFORE UPDATE OF "Code__c"', only=only)


def test_the_queue_lists_what_waits_and_why(world: World) -> None:
    """QUE-1, QUE-2: record, action, when, attempts, next retry, error; an item leaves when it has arrived."""
    refusing(world)
    good, bad = (world.insert(P, "Account", Name=name) for name in ("good", "bad"))
    assert [(item.action, item.record, item.attempts) for item in world.queue(P)] == [
        ("Generic Insert", good, 0),
        ("Generic Insert", bad, 0),
    ]
    world.drain()
    assert world.queue(P) == []
    world.update(P, "Account", bad, Code__c="bad")
    world.delete(P, "Account", good)
    assert [(item.action, item.record) for item in world.queue(P)] == [
        ("Generic Update", bad),
        ("Replication Delete", good),
    ]
    world.drain()
    (item,) = world.queue(P)
    assert (item.record, item.attempts, item.error) == (
        bad,
        1,
        "FIELD_CUSTOM_VALIDATION_EXCEPTION: Code__c: bad code",
    )
    assert item.next_retry > item.queued_at
    assert world.queue(S) == []


@pytest.mark.pairings
def test_order_and_merging(world: World) -> None:
    """QUE-4: many changes of one record arrive as one, with its last values; counts say so."""
    world.connect("Account")
    record = world.insert(P, "Account", Name="1")
    for number in range(2, 6):
        world.update(P, "Account", record, Name=str(number), Phone=str(number))
    gone = world.insert(P, "Account", Name="gone")
    world.delete(P, "Account", gone)
    counts = world.drain()["Account"]
    assert (counts.copied, counts.updated, counts.deleted) == (1, 0, 0)
    assert world.all(S, 'SELECT "Name", "Phone" FROM "Account"') == [("5", "5")]
    world.update(P, "Account", record, Phone="6")
    world.delete(P, "Account", record)
    world.undelete(P, "Account", record)
    world.update(P, "Account", record, Phone="7")
    world.drain()
    assert world.all(S, 'SELECT "Name", "Phone", "IsDeleted" FROM "Account"') == [("5", "7", 0)]
    world.assert_equal()


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_a_part_of_the_queue_at_a_time(world: World, most: int) -> None:
    """QUE-4, LKP-1: however few entries each drain takes, the end is the same."""
    world.connect("Account", "Contact")
    account = world.insert(P, "Account", Name="a")
    contact = world.insert(P, "Contact", LastName="c", AccountId=account)
    world.update(P, "Account", account, ParentId=world.insert(P, "Account", Name="parent"))
    world.update(P, "Contact", contact, LastName="d")
    world.delete(P, "Account", account)
    world.undelete(P, "Account", account)
    for _ in range(12):
        world.drain(max_records=most)
    assert world.queue(P) == []
    assert world.count(S, "Contact") == 1
    world.assert_equal()


def test_records_that_were_never_linked_wait(world: World) -> None:
    """QUE-4: an edit of a record that is older than the subscription waits for a bulk sync."""
    record = world.insert(P, "Account", Name="older")
    world.connect("Account")
    world.update(P, "Account", record, Phone="1")
    world.delete(P, "Account", world.insert(P, "Account", Name="x"))
    assert [item.record for item in world.queue(P) if item.record == record] == []
    world.drain()
    assert world.count(S, "Account") == 0
    world.bulk()
    world.update(P, "Account", record, Phone="2")
    world.drain()
    assert world.all(S, 'SELECT "Phone" FROM "Account"') == ["2"]


def test_a_hard_delete_arrives_as_a_soft_delete(world: World) -> None:
    """QUE-4, ORG-6: deleted for good before the drain, or after it; the row stays in the other org's bin."""
    world.connect("Account")
    records = [world.insert(P, "Account", Name=str(number)) for number in range(3)]
    world.drain()
    world.delete(P, "Account", records[0])
    world.delete(P, "Account", records[0])
    world.delete(P, "Account", records[1])
    world.drain()
    world.delete(P, "Account", records[1])
    world.drain()
    assert world.all(S, 'SELECT "Name" FROM "Account" WHERE "IsDeleted" = TRUE ORDER BY "Name"') == ["0", "1"]
    assert world.count(S, "Account") == 1


@pytest.mark.pairings
def test_one_failing_record_does_not_hold_up_others(world: World) -> None:
    """QUE-4, LOG-1: of thirty updates two are refused, each with its reason, field and type; the rest arrive."""
    refusing(world)
    records = [world.insert(P, "Account", Name=str(number)) for number in range(30)]
    world.drain()
    for number, record in enumerate(records):
        world.update(P, "Account", record, Code__c="bad" if number in (7, 21) else "fine", Phone="1")
    counts = world.drain()["Account"]
    assert (counts.updated, counts.failed) == (28, 2)
    rows = world.all(
        P,
        'SELECT "LocalRecord", "EntityType", "ConnectionEvent", "Status", "Error", "Description", "FieldName", "FieldType"'
        ' FROM "PartnerNetworkSyncLog" ORDER BY "LocalRecord"',
    )
    reason = ("Retrying", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Code__c: bad code", "Code__c", "text")
    assert rows == [(records[number], "Account", "Generic Update", *reason) for number in (7, 21)]
    world.update(P, "Account", records[7], Code__c="fine")
    world.drain()
    assert world.log_words(P)[2:] == [("Resolved", "", records[7])]
    assert [item.record for item in world.queue(P)] == [records[21]]


@pytest.mark.pairings("sqlite-sqlite", "postgres-sqlite")
def test_retries_follow_the_schedule_and_end(world: World) -> None:
    """LOG-1, LOG-2, QUE-1, QUE-5: tried after 60 and 300 seconds, then failed for good; its next update brings it back."""
    refusing(world, retry="60,300")
    record = world.insert(P, "Account", Name="x")
    world.drain()
    world.update(P, "Account", record, Code__c="bad", Phone="1")
    attempts = []
    for seconds in (0, 59, 1, 299, 1, 1):
        world.later(seconds=seconds)
        world.drain()
        attempts.append([item.attempts for item in world.queue(P)])
    assert attempts == [[1], [1], [2], [2], [], []]
    assert [item.status for item in world.log(P)] == ["Retrying", "Failed"]
    world.later(days=30)
    world.drain()
    assert len(world.log(P)) == 2
    world.update(P, "Account", record, Code__c="good")
    world.drain()
    assert [item.status for item in world.log(P)] == ["Retrying", "Failed", "Resolved"]
    # What had failed goes along, not only the last change.
    assert world.all(S, 'SELECT "Code__c", "Phone" FROM "Account"') == [("good", "1")]
    world.assert_equal()


def test_a_suspended_connection_sends_nothing_and_forgets_nothing(world: World) -> None:
    """SUS-1, QUE-1: updates go on queueing."""
    world.connect("Account")

    def set_status(status: ConnectionStatus) -> None:
        connections.set_status(world.orgs[S], world.connection, status, actor="x", clock=world.clock)

    set_status(ConnectionStatus.SUSPENDED)
    world.insert(P, "Account", Name="x")
    assert world.drain() == {}
    assert len(world.queue(P)) == 1
    set_status(ConnectionStatus.ACCEPTED)
    world.drain()
    assert world.count(S, "Account") == 1


@pytest.mark.pairings
def test_the_log_is_trimmed_behind_the_slowest_reader(world: World) -> None:
    """QUE-3: entries go once the other org has them, and numbers are never given again."""
    world.connect("Account")
    world.insert(P, "Account", Name="1")
    world.drain()
    assert world.one(P, "SELECT count(*) FROM orgsync_change") == 0
    position = world.log_size(P)
    world.insert(P, "Account", Name="2")
    world.reopen()
    world.drain()
    assert world.log_size(P) > position
    assert world.count(S, "Account") == 2


@pytest.mark.pairings
def test_progress_of_a_retry_behind_a_log_that_is_trimmed(world: World) -> None:
    """QUE-5: nothing is in the log any more; what is done is never less than nothing."""
    world.deploy(custom_object("Thing__c", "a0T", text("Code__c", unique=True)))
    world.connect("Thing__c")
    world.insert(S, "Thing__c", Name="first", Code__c="x")
    world.insert(P, "Thing__c", Name="second", Code__c="x")
    world.drain(P)
    assert world.one(P, "SELECT count(*) FROM orgsync_change") == 0
    world.later(hours=9)
    seen: list[tuple[int, int]] = []
    drain(world.pair, sides=[P], clock=world.clock, progress=lambda _, done, total: seen.append((done, total)))
    assert seen == [(0, 0)]
