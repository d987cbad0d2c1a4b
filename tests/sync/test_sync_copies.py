"""Two orgs that cannot be attached to one another: rows of the partner are copied into the session that needs them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sync_stories import send_all_kinds_of_values, send_both_ways
from sync_world import P, S, World, custom_object, text

from orgsync_reconcile.clock import iso
from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.stores.sql.copies import CopiedPartner
from orgsync_reconcile.sync.forward import forward


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files see each other as other stores do."""
    monkeypatch.setenv("ORGSYNC_PARTNER", "copied")


def test_records_go_both_ways(world: World) -> None:
    """CNF-3, LKP-1 to LKP-4, BLK-1: bulk, inserts, edits of both, deletes with children; both orgs end equal."""
    world.connect("Account", "Contact")
    parent = world.insert(P, "Account", Name="old")
    world.insert(P, "Contact", LastName="Doe", AccountId=parent)
    assert {name: counts.copied for name, counts in world.bulk().items()} == {"Account": 1, "Contact": 1}
    send_both_ways(world, parent)


def test_a_refused_record_waits_and_comes(world: World) -> None:
    """BLK-3, QUE-5, LOG-1: what the target refuses is held there, retried, and its children with it."""
    world.deploy(custom_object("Thing__c", "a0T", text("Code__c", unique=True)))
    world.connect("Thing__c")
    taken = world.insert(S, "Thing__c", Name="first", Code__c="x")
    record = world.insert(P, "Thing__c", Name="second", Code__c="x")
    world.drain(P)
    assert [item.error_code for item in world.log(P)] == ["DUPLICATE_VALUE"]
    world.update(S, "Thing__c", taken, Code__c="y")
    world.settle()
    assert world.get(S, "Thing__c", str(world.other(P, record)), "Code__c") == "x"
    world.assert_equal()


def test_all_kinds_of_values_arrive(world: World) -> None:
    """ORG-4: numbers with their scale, checkboxes, days and moments come through the two sessions as they are."""
    send_all_kinds_of_values(world)


def test_one_moment_for_all_that_is_read(world: World) -> None:
    """QUE-3: what the partner writes while a reading is under way is not seen in it."""
    world.connect("Account")
    partner = world.pair.partners[S]
    assert isinstance(partner, CopiedPartner)
    with partner.reading():
        partner.bring("orgsync_object")
        end = partner.log_end()
        world.insert(P, "Account", Name="late")
        assert partner.log_end() == end
        assert partner.row('SELECT count(*) FROM partner."Account"') == (0,)
    assert partner.row('SELECT count(*) FROM partner."Account"') == (1,)


def test_what_fails_here_is_not_laid_at_the_partners_door(world: World) -> None:
    """An error names the org in which it happened."""
    world.connect("Account")
    partner, org = world.pair.partners[S], world.orgs[S]
    with pytest.raises(OrgsyncError, match=org.label), org.translated(), partner.reading():
        org.db.execute("SELECT nothing FROM nowhere")


def test_a_forward_brings_what_it_needs(world: World) -> None:
    """FWD-1, FWD-3: chosen records and their children, and what was held of them."""
    world.connect("Account", "Contact")
    account = world.insert(P, "Account", Name="one")
    world.insert(P, "Contact", LastName="Doe", AccountId=account)
    sent = forward(
        world.pair, source=P, object_name="Account", records=[account], related=["Contact"], clock=world.clock
    )
    assert (sent.asked, sent.along) == (1, 1)
    assert world.count(S, "Contact") == 1
    world.settle()
    world.assert_equal()


def test_memory_holds_one_part_of_a_comparison(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """VER-1: a comparison goes by ranges of Ids; every pair is in exactly one."""
    monkeypatch.setattr("orgsync_reconcile.stores.sql.copies._PART", 3)
    world.connect("Account")
    records = [world.insert(P, "Account", Name=str(number)) for number in range(8)]
    world.drain()
    (row,) = world.verify("Account").objects
    assert (row.linked, row.equal) == (8, 8)
    world.clients[S].execute("UPDATE orgsync_guard SET connection = 1, cascading = 1")
    world.update(S, "Account", str(world.other(P, records[0])), Name="other")
    world.update(S, "Account", str(world.other(P, records[7])), Name="other")
    world.clients[S].execute("UPDATE orgsync_guard SET connection = NULL, cascading = 0")
    report = world.verify("Account")
    assert sorted(item.primary_record for item in report.differences) == sorted([records[0], records[7]])


def test_a_range_of_which_nothing_was_brought_says_nothing_of_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BLK-1, BLK-2: a cutoff leaves the first range empty; in the second, half is linked already."""
    monkeypatch.setattr("orgsync_reconcile.sync.bulk.RANGE", 10)
    long_ago = iso(world.now - timedelta(days=400))
    for number in range(10):
        world.insert(P, "Account", Name=f"old {number}", CreatedDate=long_ago, LastModifiedDate=long_ago)
    for number in range(5):
        world.insert(P, "Account", Name=f"early {number}")
    world.connect("Account")
    for number in range(10):
        world.insert(P, "Account", Name=f"live {number}")
    world.drain()
    counts = world.bulk(P, cutoff=world.now - timedelta(days=365))["Account"]
    assert (counts.copied, counts.failed, world.log(P)) == (5, 0, [])
    assert world.count(S, "Account") == 15
    world.assert_equal()
