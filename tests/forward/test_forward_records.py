"""Forwarding by hand: whatever the cutoff, what goes along, what is left alone, what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from forward_world import ForwardWorld
from sync_world import P, S

from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.stores.sql import links


def test_one_record_goes_whatever_its_age(one_way: ForwardWorld) -> None:
    """FWD-1: a record that neither a drain nor a bulk sync with a cutoff takes is forwarded by its Id."""
    account = one_way.old(P, "Account", Name="Old", LastModifiedDate="2020-01-01T00:00:00.000Z")
    stays = one_way.old(P, "Account", Name="Stays", LastModifiedDate="2020-01-01T00:00:00.000Z")
    one_way.drain()
    one_way.bulk(cutoff=datetime.now(UTC) - timedelta(days=365))
    assert one_way.count(S, "Account") == 0

    done = one_way.forward("Account", account[:15])

    assert (done.asked, done.along, done.restored) == (1, 0, 0)
    assert [(item.object, item.copied) for item in done.objects] == [("Account", 1)]
    assert one_way.get(S, "Account", one_way.other(P, account) or "", "Name") == "Old"
    assert one_way.other(P, stays) is None
    one_way.update(P, "Account", account, Name="Newer")
    one_way.drain()
    assert one_way.all(S, 'SELECT "Name" FROM "Account"') == ["Newer"]
    one_way.assert_equal()


@pytest.mark.pairings("sqlite-sqlite", "postgres-sqlite")
def test_records_by_filter(one_way: ForwardWorld) -> None:
    """FWD-1: a list by filter."""
    for name, industry in (("A", "Energy"), ("B", "Media"), ("C", "energy")):
        one_way.old(P, "Account", Name=name, Industry=industry)
    done = one_way.forward("Account", where="Industry = 'Energy' AND NOT Name LIKE 'x%'")
    assert done.asked == 2
    assert one_way.all(S, 'SELECT "Name" FROM "Account" ORDER BY "Name"') == ["A", "C"]


def test_a_linked_record_gets_the_values_that_differ(two_way: ForwardWorld) -> None:
    """FWD-1: forwarding again sends the present values, and nothing where nothing differs."""
    account = two_way.insert(P, "Account", Name="One", Phone="1")
    two_way.drain()
    there = two_way.other(P, account) or ""
    two_way.update(S, "Account", there, Phone="lost")
    two_way.clients[S].execute("DELETE FROM orgsync_change WHERE record = ?", [there])
    (counts,) = two_way.forward("Account", account).objects
    assert (counts.copied, counts.updated) == (0, 1)
    assert two_way.all(S, 'SELECT "Phone" FROM "Account"') == ["1"]
    before = two_way.all(S, 'SELECT "SystemModstamp" FROM "Account"')
    (counts,) = two_way.forward("Account", account).objects
    assert (counts.copied, counts.updated) == (0, 0)
    assert two_way.all(S, 'SELECT "SystemModstamp" FROM "Account"') == before
    two_way.settle()
    two_way.assert_equal()


def test_what_is_on_its_way_back_is_left_alone(two_way: ForwardWorld) -> None:
    """FWD-1: fields that were edited in the other org and are still queued there keep the edit; others are sent."""
    account = two_way.insert(P, "Account", Name="One", Phone="1")
    two_way.drain()
    two_way.update(S, "Account", two_way.other(P, account) or "", Phone="2")
    two_way.update(P, "Account", account, Name="Two")
    two_way.forward("Account", account)
    assert two_way.all(S, 'SELECT "Name", "Phone" FROM "Account"') == [("Two", "2")]
    two_way.settle()
    assert two_way.all(P, 'SELECT "Name", "Phone" FROM "Account"') == [("Two", "2")]
    two_way.assert_equal()


def test_a_forward_never_comes_back(two_way: ForwardWorld) -> None:
    """FWD-1, ORG-7: what a forward writes is not queued in the other org."""
    account = two_way.old(P, "Account", Name="Old")
    two_way.forward("Account", account)
    assert two_way.queue(S) == []
    assert two_way.drain() == {}


def test_from_the_secondary(two_way: ForwardWorld) -> None:
    """FWD-1: --from secondary sends the other way."""
    account = two_way.old(S, "Account", Name="There")
    two_way.forward("Account", account, source=S)
    assert two_way.all(P, 'SELECT "Name" FROM "Account"') == ["There"]


def test_chosen_related_records_go_along(one_way: ForwardWorld) -> None:
    """FWD-1, FWD-3: only the related objects that were named, parents first; nothing of other parents."""
    account, other = (one_way.old(P, "Account", Name=name) for name in ("A", "B"))
    for parent in (account, other):
        one_way.old(P, "Contact", LastName="Person", AccountId=parent)
        one_way.old(P, "Case", Subject="Question", AccountId=parent)
    done = one_way.forward("Account", account, related=["Contact"])
    assert (done.asked, done.along) == (1, 1)
    assert (one_way.count(S, "Contact"), one_way.count(S, "Case")) == (1, 0)
    assert one_way.all(S, 'SELECT "AccountId" FROM "Contact"') == [one_way.other(P, account)]


def test_child_only_records_follow_others_do_not(one_way: ForwardWorld) -> None:
    """FWD-3: comments and attachments follow their parent by themselves, at every level; a contact does not."""
    account = one_way.old(P, "Account", Name="A")
    case = one_way.old(P, "Case", Subject="Question", AccountId=account)
    one_way.old(P, "Contact", LastName="Person", AccountId=account)
    one_way.old(P, "CaseComment", ParentId=case, CommentBody="Hello")
    one_way.old(P, "Attachment", ParentId=account, Name="a.txt", Body=b"x")
    one_way.forward("Account", account)
    assert [one_way.count(S, name) for name in ("Account", "Attachment", "Contact", "CaseComment")] == [1, 1, 0, 0]
    one_way.forward("Case", case)
    assert one_way.all(S, 'SELECT "CommentBody" FROM "CaseComment"') == ["Hello"]
    assert one_way.count(S, "Contact") == 0


@pytest.mark.pairings("sqlite-sqlite", "postgres-sqlite")
def test_a_case_takes_its_team_and_feed(one_way: ForwardWorld) -> None:
    """FWD-2: user members of the team, the predefined team's too, feed items and comments; contact members never."""
    for side in (P, S):
        # What feeds need besides both objects (CHT-1).
        one_way.clients[side].execute("INSERT INTO orgsync_feature VALUES ('feed-tracking')")
        one_way.clients[side].execute('UPDATE "PartnerNetworkConnection" SET "IsSyncAuditFields" = TRUE')
        one_way.insert(side, "CaseTeamRole", Name="Owner", AccessLevel="Edit")
        one_way.insert(side, "CaseTeamTemplate", Name="Night shift")
    role = one_way.one(P, 'SELECT "Id" FROM "CaseTeamRole"')
    team = one_way.one(P, 'SELECT "Id" FROM "CaseTeamTemplate"')
    admin = one_way.orgs[P].admin_id
    contact = one_way.old(P, "Contact", LastName="Person")
    case = one_way.old(P, "Case", Subject="Question")
    one_way.old(P, "CaseTeamMember", ParentId=case, MemberId=admin, TeamRoleId=role)
    one_way.old(P, "CaseTeamMember", ParentId=case, MemberId=admin, TeamRoleId=role, TeamTemplateId=team)
    one_way.old(P, "CaseTeamMember", ParentId=case, MemberId=contact, TeamRoleId=role)
    item = one_way.old(P, "FeedItem", ParentId=case, Body="Post", Type="TextPost")
    one_way.old(P, "FeedComment", FeedItemId=item, ParentId=case, CommentBody="Answer", CommentType="TextComment")

    one_way.forward("Case", case)

    members = one_way.all(
        S, 'SELECT "MemberId", "TeamTemplateId" FROM "CaseTeamMember" ORDER BY "TeamTemplateId" IS NOT NULL'
    )
    there = one_way.one(S, 'SELECT "Id" FROM "CaseTeamTemplate"')
    assert members == [(one_way.orgs[S].admin_id, None), (one_way.orgs[S].admin_id, there)]
    assert one_way.all(S, 'SELECT "Body" FROM "FeedItem"') == ["Post"]
    assert one_way.all(S, 'SELECT "CommentBody" FROM "FeedComment"') == ["Answer"]


def test_a_refused_record_is_logged_and_tried_again(one_way: ForwardWorld) -> None:
    """FWD-1, QUE-5: a refusal is held and logged like any other; the next forward sends it and resolves the entry."""
    blocker = one_way.insert(S, "Part__c", Name="Blocker", Serial__c="X1")
    part = one_way.old(P, "Part__c", Name="Part", Serial__c="x1")
    (counts,) = one_way.forward("Part__c", part).objects
    assert (counts.copied, counts.failed) == (0, 1)
    assert one_way.log_words(P) == [("Retrying", "DUPLICATE_VALUE", part)]
    one_way.update(S, "Part__c", blocker, Serial__c="X2")
    (counts,) = one_way.forward("Part__c", part).objects
    assert (counts.copied, counts.failed) == (1, 0)
    assert [words[0] for words in one_way.log_words(P)] == ["Retrying", "Resolved"]
    assert one_way.queue(P) == []


def test_a_failed_record_is_tried_again(one_way: ForwardWorld) -> None:
    """FWD-1: a record that has failed for good goes by a forward."""
    blocker = one_way.insert(S, "Part__c", Name="Blocker", Serial__c="X1")
    part = one_way.insert(P, "Part__c", Name="Part", Serial__c="X1")
    for _ in range(8):
        one_way.drain()
        one_way.later(hours=9)
    assert one_way.log_words(P)[-1] == ("Failed", "DUPLICATE_VALUE", part)
    one_way.delete(S, "Part__c", blocker)
    one_way.forward("Part__c", part)
    assert one_way.other(P, part) is not None
    one_way.assert_equal()


def test_a_record_purged_there_is_made_again(one_way: ForwardWorld) -> None:
    """FWD-1: where the partner was deleted for good, the record is inserted anew and linked in both orgs."""
    account = one_way.insert(P, "Account", Name="One")
    one_way.drain()
    before = one_way.other(P, account)
    for _ in range(2):
        one_way.delete(S, "Account", before or "")
    assert one_way.one(S, 'SELECT count(*) FROM "Account"') == 0
    one_way.forward("Account", account)
    after = one_way.other(P, account)
    assert after not in (None, before)
    assert one_way.one(S, 'SELECT "Name" FROM "Account" WHERE "Id" = ?', after) == "One"
    one_way.assert_equal()


def test_a_record_deleted_there_comes_back(one_way: ForwardWorld) -> None:
    """FWD-1, LKP-5: a record that somebody deleted in the secondary of a one-way sync is alive after a forward."""
    account = one_way.insert(P, "Account", Name="One")
    one_way.drain()
    there = one_way.other(P, account) or ""
    one_way.delete(S, "Account", there)
    one_way.forward("Account", account)
    assert one_way.get(S, "Account", there, "IsDeleted") == 0
    assert one_way.status(S, there, "Account") == "Active"


def test_a_delete_on_its_way_back_is_left_alone(two_way: ForwardWorld) -> None:
    """FWD-1, CNF-2: a record whose delete is still queued in the other org is not brought back by a forward."""
    account = two_way.insert(P, "Account", Name="One")
    two_way.drain()
    there = two_way.other(P, account) or ""
    two_way.delete(S, "Account", there)
    two_way.forward("Account", account)
    assert two_way.get(S, "Account", there, "IsDeleted") == 1
    two_way.settle()
    assert two_way.count(P, "Account") == 0


def test_a_disconnected_link_is_restored(two_way: ForwardWorld) -> None:
    """FWD-1: a record whose link was cut is linked with the same record again, in both orgs."""
    account = two_way.insert(P, "Account", Name="One")
    two_way.drain()
    there = two_way.other(P, account)
    for side in (P, S):
        two_way.clients[side].execute("UPDATE orgsync_link SET status = 2 WHERE status = 1 AND local LIKE '001%'")
    assert two_way.status(P, account, "Account") == "Disconnected"
    two_way.update(P, "Account", account, Name="Two")
    assert two_way.forward("Account", account).restored == 1
    assert two_way.other(P, account) == there
    assert two_way.other(S, there or "") == account
    assert two_way.all(S, 'SELECT "Name" FROM "Account"') == ["Two"]


def test_a_lookup_waits_for_its_parent(one_way: ForwardWorld) -> None:
    """FWD-1, LKP-2: a forwarded child whose parent is not there has it filled in when the parent is forwarded."""
    account = one_way.old(P, "Account", Name="A")
    contact = one_way.old(P, "Contact", LastName="Person", AccountId=account)
    one_way.forward("Contact", contact)
    assert one_way.all(S, 'SELECT "AccountId" FROM "Contact"') == [None]
    one_way.forward("Account", account)
    assert one_way.all(S, 'SELECT "AccountId" FROM "Contact"') == [one_way.other(P, account)]


def test_what_cannot_go_is_named(one_way: ForwardWorld) -> None:
    """FWD-1: unknown, deleted and never synced records are all named at once, and nothing is sent."""
    good, gone = (one_way.old(P, "Account", Name=name) for name in ("A", "B"))
    one_way.delete(P, "Account", gone)
    nobody = "001000000000001AAA"
    with pytest.raises(UsageError) as caught:
        one_way.forward("Account", good, gone, nobody)
    assert f"{gone} is deleted" in str(caught.value)
    assert f"{nobody} is no Account of this org" in str(caught.value)
    contact = one_way.old(P, "Contact", LastName="Person")
    case = one_way.old(P, "Case", Subject="Question")
    role = one_way.insert(P, "CaseTeamRole", Name="Owner", AccessLevel="Edit")
    member = one_way.old(P, "CaseTeamMember", ParentId=case, MemberId=contact, TeamRoleId=role)
    with pytest.raises(UsageError, match="never syncs"):
        one_way.forward("CaseTeamMember", member)
    assert one_way.count(S, "Account") == 0


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        ("Acount", {}, "did you mean Account"),
        ("Lead", {}, "not published"),
        ("Account", {"related": ["Contct"]}, "did you mean Contact"),
        ("Contact", {"related": ["CaseComment"]}, "no lookup to Contact"),
        ("Account", {"where": "Nme = 'x'"}, "column 1: Account has no field Nme; did you mean Name"),
    ],
)
def test_mistakes_are_explained(one_way: ForwardWorld, name: str, more: dict[str, object], message: str) -> None:
    """FWD-1: objects, related objects and fields that are not there are named with the nearest that is."""
    with pytest.raises(UsageError, match=message):
        one_way.forward(name, **more)


def test_a_one_way_connection_has_no_way_back(one_way: ForwardWorld) -> None:
    """FWD-1, PUB-7: nothing is forwarded from the secondary of a one-way sync."""
    account = one_way.old(S, "Account", Name="There")
    with pytest.raises(UsageError, match="not published"):
        one_way.forward("Account", account, source=S)


def test_reference_links_are_no_shares(two_way: ForwardWorld) -> None:
    """FWD-4: a user's link is active, and a record that is not there has no share."""
    users = links.partners_of(two_way.orgs[P], two_way.numbers.get(P, 1), "User")
    assert users[two_way.orgs[S].admin_id] == two_way.orgs[P].admin_id
    account = two_way.old(P, "Account", Name="Old")
    assert two_way.status(P, account, "Account") == "Not shared"
    two_way.forward("Account", account)
    assert two_way.status(P, account, "Account") == "Active"
