"""Links that an undelete in the secondary of a one-way sync severs, and what restores them."""

from __future__ import annotations

import pytest
from forward_world import ForwardWorld
from sync_world import P, S


def severed(world: ForwardWorld) -> tuple[str, str]:
    """An account that was deleted by the sync and undeleted by hand in the secondary: its Ids in both orgs."""
    account = world.insert(P, "Account", Name="One")
    world.drain()
    there = world.other(P, account) or ""
    world.delete(P, "Account", account)
    world.drain()
    assert world.get(S, "Account", there, "IsDeleted") == 1
    world.undelete(S, "Account", there)
    return account, there


def test_an_undelete_in_the_secondary_severs_the_link(one_way: ForwardWorld) -> None:
    """LKP-5: the link is severed at once where it was undeleted, in the primary with the next drain."""
    account, there = severed(one_way)
    assert one_way.status(S, there, "Account") == "Severed"
    one_way.drain()
    assert one_way.status(P, account, "Account") == "Severed"
    statuses = 'SELECT "Status" FROM "PartnerNetworkRecordConnection" WHERE "LocalRecordId" = ?'
    assert one_way.all(S, statuses, there) == ["Inactive"]
    assert one_way.all(P, statuses, account) == ["Inactive"]


def test_each_severed_link_becomes_known(one_way: ForwardWorld) -> None:
    """LKP-5: also where the primary knows of another one already, and nothing else has happened."""
    first, _ = severed(one_way)
    second = one_way.insert(P, "Account", Name="Two")
    one_way.drain()
    there = one_way.other(P, second) or ""
    one_way.delete(P, "Account", second)
    one_way.drain()
    assert one_way.status(P, first, "Account") == "Severed"
    one_way.undelete(S, "Account", there)
    one_way.drain()
    assert one_way.status(P, second, "Account") == "Severed"


def test_later_changes_do_not_flow(one_way: ForwardWorld) -> None:
    """LKP-5: neither updates, nor an undelete, nor another delete, nor a bulk sync reach a severed record."""
    account, there = severed(one_way)
    one_way.undelete(P, "Account", account)
    one_way.update(P, "Account", account, Name="Two")
    one_way.drain()
    one_way.bulk()
    assert one_way.all(S, 'SELECT "Id", "Name", "IsDeleted" FROM "Account"') == [(there, "One", 0)]
    one_way.update(P, "Account", account, Name="Three")
    assert one_way.queue(P) == []
    one_way.delete(P, "Account", account)
    one_way.drain()
    assert one_way.all(S, 'SELECT "Id", "Name", "IsDeleted" FROM "Account"') == [(there, "One", 0)]
    assert one_way.log_words(P) == []


@pytest.mark.pairings
def test_only_a_forward_from_the_primary_restores_it(one_way: ForwardWorld) -> None:
    """LKP-5, FWD-1: a forward sends the present values to the same record, and from then on changes flow."""
    account, there = severed(one_way)
    one_way.undelete(P, "Account", account)
    one_way.update(P, "Account", account, Name="Two")
    one_way.drain()
    done = one_way.forward("Account", account)
    assert done.restored == 1
    assert one_way.all(S, 'SELECT "Id", "Name" FROM "Account"') == [(there, "Two")]
    assert one_way.status(P, account, "Account") == "Active"
    assert one_way.status(S, there, "Account") == "Active"
    one_way.update(P, "Account", account, Name="Three")
    one_way.drain()
    assert one_way.get(S, "Account", there, "Name") == "Three"
    one_way.assert_equal()


def test_a_drain_from_the_secondary_does_not_restore_it(one_way: ForwardWorld) -> None:
    """LKP-5: the primary's older view of the link never overrules the secondary, whichever way is drained."""
    account, there = severed(one_way)
    one_way.drain(S)
    assert one_way.status(S, there, "Account") == "Severed"
    one_way.drain(P)
    one_way.drain(S)
    assert one_way.status(S, there, "Account") == "Severed"
    assert one_way.status(P, account, "Account") == "Severed"


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
def test_children_that_come_back_are_severed_too(one_way: ForwardWorld) -> None:
    """LKP-5, LKP-4: an undelete brings the children back, and each of them leaves the sync with its parent."""
    case = one_way.insert(P, "Case", Subject="Question")
    comment = one_way.insert(P, "CaseComment", ParentId=case, CommentBody="Hello")
    one_way.drain()
    one_way.delete(P, "Case", case)
    one_way.drain()
    one_way.undelete(S, "Case", one_way.other(P, case) or "")
    assert one_way.count(S, "CaseComment") == 1
    one_way.drain()
    assert one_way.status(P, comment, "CaseComment") == "Severed"
    one_way.undelete(P, "Case", case)
    assert one_way.forward("Case", case).restored == 2
    one_way.drain()
    one_way.assert_equal()


def test_an_undelete_that_arrives_severs_nothing(one_way: ForwardWorld) -> None:
    """LKP-5: the sync's own undelete leaves the link as it is."""
    account = one_way.insert(P, "Account", Name="One")
    one_way.drain()
    one_way.delete(P, "Account", account)
    one_way.drain()
    one_way.undelete(P, "Account", account)
    one_way.drain()
    assert one_way.status(P, account, "Account") == "Active"
    one_way.assert_equal()


def test_two_way_undeletes_travel(two_way: ForwardWorld) -> None:
    """LKP-4, LKP-5: where both orgs publish the object an undelete goes back instead."""
    account, there = severed(two_way)
    assert two_way.status(S, there, "Account") == "Active"
    two_way.settle()
    assert two_way.get(P, "Account", account, "IsDeleted") == 0
    two_way.assert_equal()


def test_what_was_held_for_a_severed_record_is_forgotten(one_way: ForwardWorld) -> None:
    """LKP-5: a change that waits for its next try is not sent to a record that was severed meanwhile."""
    part = one_way.insert(P, "Part__c", Name="Part", Serial__c="A")
    one_way.drain()
    there = one_way.other(P, part) or ""
    one_way.insert(S, "Part__c", Name="Blocker", Serial__c="B")
    one_way.update(P, "Part__c", part, Serial__c="B", Note__c="note")
    one_way.drain()
    assert len(one_way.queue(P)) == 1
    one_way.delete(S, "Part__c", there)
    one_way.undelete(S, "Part__c", there)
    one_way.later(hours=1)
    one_way.drain()
    assert one_way.queue(P) == []
    assert one_way.get(S, "Part__c", there, "Note__c") is None
    one_way.drain()


def test_a_crash_before_the_source_knows_is_made_good(one_way: ForwardWorld) -> None:
    """LKP-5, FWD-1: restored in the secondary and not yet in the primary, the next drain sets it right."""
    account, there = severed(one_way)
    one_way.undelete(P, "Account", account)
    one_way.drain()
    one_way.clients[S].execute("UPDATE orgsync_link SET status = 1 WHERE local = ?", [there])
    one_way.update(P, "Account", account, Name="Two")
    one_way.drain()
    assert one_way.status(P, account, "Account") == "Active"
    assert one_way.get(S, "Account", there, "Name") == "Two"
