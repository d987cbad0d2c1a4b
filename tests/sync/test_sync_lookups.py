"""Lookups, record types, owners and polymorphic references between two orgs (LKP-*)."""

from __future__ import annotations

import pytest
from sync_world import P, S, Side, World, custom_object
from sync_world import field as custom_field

from orgsync_reconcile.model.schema import FieldType


@pytest.mark.parametrize("source", [P, S])
def test_parents_go_first_at_every_level(world: World, source: Side) -> None:
    """LKP-1, QUE-4: account, contact, case and comment arrive in one drain, each under its own parent."""
    world.connect("CaseComment", "Case", "Contact", "Account")
    account = world.insert(source, "Account", Name="Acme")
    contact = world.insert(source, "Contact", LastName="Doe", AccountId=account)
    case = world.insert(source, "Case", Subject="Help", ContactId=contact, AccountId=account)
    comment = world.insert(source, "CaseComment", ParentId=case, CommentBody="now", IsPublished=0)
    world.drain(source)
    there = {record: world.other(source, record) for record in (account, contact, case, comment)}
    assert all(there.values())
    assert world.get(source.other, "Contact", str(there[contact]), "AccountId") == there[account]
    assert world.get(source.other, "Case", str(there[case]), "ContactId") == there[contact]
    assert world.get(source.other, "CaseComment", str(there[comment]), "ParentId") == there[case]
    world.assert_equal()


@pytest.mark.pairings("sqlite-sqlite", "sqlite-postgres")
def test_an_optional_lookup_is_filled_in_when_the_parent_arrives(world: World) -> None:
    """LKP-2: the contact goes without its account, and gets it later; that is no edit of the secondary."""
    account = world.insert(P, "Account", Name="Older than the connection")
    world.connect("Account", "Contact")
    contact = world.insert(P, "Contact", LastName="Doe", AccountId=account)
    world.drain()
    there = str(world.other(P, contact))
    assert world.get(S, "Contact", there, "AccountId") is None
    assert world.verify().equal
    size = world.log_size(S)
    world.bulk(P, "Account")
    assert world.get(S, "Contact", there, "AccountId") == world.other(P, account)
    assert world.log_size(S) == size
    world.assert_equal()


def test_an_edit_of_a_waiting_lookup_stands(world: World) -> None:
    """LKP-2, CNF-1: who sets the blank lookup by hand keeps that value when the parent arrives."""
    account = world.insert(P, "Account", Name="Late")
    world.connect("Account", "Contact")
    mine = world.insert(S, "Account", Name="Mine")
    contact = world.insert(P, "Contact", LastName="Doe", AccountId=account)
    world.drain()
    there = str(world.other(P, contact))
    world.update(S, "Contact", there, AccountId=mine)
    world.bulk(P, "Account")
    assert world.get(S, "Contact", there, "AccountId") == mine
    world.settle()
    assert world.get(P, "Contact", contact, "AccountId") == world.other(S, mine)
    world.assert_equal()


def test_a_required_lookup_waits_for_its_parent_and_goes_at_once_with_it(world: World) -> None:
    """LKP-2, QUE-4, LOG-1: the comment is held with a reason, and needs no retry time once the case has come."""
    case = world.insert(P, "Case", Subject="Older")
    world.connect("Case", "CaseComment")
    comment = world.insert(P, "CaseComment", ParentId=case, CommentBody="x")
    assert world.drain()["CaseComment"].failed == 1
    assert world.log_words(P) == [("Retrying", "INVALID_CROSS_REFERENCE_KEY", comment)]
    world.drain()
    assert world.other(P, comment) is None
    world.bulk(P, "Case")
    world.drain()
    assert world.other(P, comment)
    assert world.log_words(P)[1:] == [("Resolved", "", comment)]
    world.assert_equal()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_self_lookups_in_any_order(world: World, order: tuple[int, ...]) -> None:
    """LKP-3: grandparent, parent and child, sent one by one in any order, and moved afterwards."""
    world.connect("Account")
    records = [world.insert(P, "Account", Name=str(number)) for number in range(3)]
    world.clients[P].execute("DELETE FROM orgsync_change")
    world.update(P, "Account", records[1], ParentId=records[0])
    world.update(P, "Account", records[2], ParentId=records[1])
    world.clients[P].execute("DELETE FROM orgsync_change")
    for number in order:
        world.update(P, "Account", records[number], Phone="1")
        world.drain()
    there = [str(world.other(P, record)) for record in records]
    assert [world.get(S, "Account", record, "ParentId") for record in there] == [None, there[0], there[1]]
    world.update(P, "Account", records[2], ParentId=records[0])
    world.update(P, "Account", records[0], ParentId=records[2])
    world.drain()
    assert world.get(S, "Account", there[0], "ParentId") == there[2]
    world.assert_equal()


@pytest.mark.pairings
def test_a_cycle_of_lookups_is_filled_in_by_a_second_pass(world: World) -> None:
    """LKP-2, LKP-3: two objects that point to each other, by a drain and by a bulk sync."""
    one = custom_object("One__c", "a00", custom_field("Two__c", FieldType.LOOKUP, reference_to=("Two__c",)))
    two = custom_object("Two__c", "a01", custom_field("One__c", FieldType.LOOKUP, reference_to=("One__c",)))
    world.deploy(one, two)

    def couple() -> tuple[str, str]:
        first = world.insert(P, "One__c", Name="x")
        second = world.insert(P, "Two__c", Name="y", One__c=first)
        world.update(P, "One__c", first, Two__c=second)
        return first, second

    before = couple()
    world.connect("One__c", "Two__c")
    world.bulk()
    live = couple()
    world.drain()
    for first, second in (before, live):
        assert world.get(S, "One__c", str(world.other(P, first)), "Two__c") == world.other(P, second)
        assert world.get(S, "Two__c", str(world.other(P, second)), "One__c") == world.other(P, first)
    assert world.log_size(S) == 0
    world.assert_equal()


@pytest.mark.pairings("sqlite-sqlite", "postgres-sqlite")
@pytest.mark.parametrize("at_once", [True, False])
def test_deletes_and_undeletes_cascade_once_in_both_orgs(world: World, at_once: bool) -> None:
    """LKP-4, ORG-6: children go and come back with their parent; one that was deleted before stays deleted."""
    world.connect("Account", "Contact", "Case", "CaseComment")
    account = world.insert(P, "Account", Name="Acme")
    _kept, before = (world.insert(P, "Contact", LastName=name, AccountId=account) for name in "ab")
    world.drain()
    world.delete(P, "Contact", before)
    if not at_once:
        world.drain()
    world.delete(P, "Account", account)
    world.drain()
    assert world.count(S, "Account") == world.count(S, "Contact") == 0
    assert world.log_size(S) == 0
    # The other org can take it back: it knows which children went with the parent.
    world.undelete(S, "Account", str(world.other(P, account)))
    world.drain()
    for side in (P, S):
        assert world.all(side, 'SELECT "LastName" FROM "Contact" WHERE "IsDeleted" = FALSE') == ["a"]
    world.assert_equal()


def test_a_child_that_left_before_its_parent_was_deleted_lives_on(world: World) -> None:
    """LKP-4, CNF-3: moved away and parent deleted in one batch: the target's own cascade must not take it."""
    world.connect("Account", "Contact", "Attachment")
    old, new = (world.insert(P, "Account", Name=name) for name in ("old", "new"))
    contact = world.insert(P, "Contact", LastName="Doe", AccountId=old)
    note = world.insert(P, "Attachment", ParentId=contact, Name="n", Body=b"1")
    world.drain()
    world.update(P, "Contact", contact, AccountId=new)
    world.delete(P, "Account", old)
    world.drain()
    there = str(world.other(P, contact))
    assert world.one(S, 'SELECT "AccountId", "IsDeleted" FROM "Contact" WHERE "Id" = ?', there) == (
        world.other(P, new),
        0,
    )
    assert world.get(S, "Attachment", str(world.other(P, note)), "IsDeleted") == 0
    assert world.log_size(S) == 0
    world.assert_equal()


def test_a_child_that_was_deleted_again_stays_deleted_when_its_parent_comes_back(world: World) -> None:
    """LKP-4, CNF-3: undeleted and deleted again on its own while the target had it among the parent's children."""
    world.connect("Account", "Contact")
    account = world.insert(P, "Account", Name="Acme")
    contact = world.insert(P, "Contact", LastName="Doe", AccountId=account)
    world.drain()
    world.delete(P, "Account", account)
    world.drain()
    world.undelete(P, "Contact", contact)
    world.delete(P, "Contact", contact)
    world.undelete(P, "Account", account)
    world.drain()
    assert (world.count(S, "Account"), world.count(S, "Contact")) == (1, 0)
    world.assert_equal()


def test_record_types_queues_and_roles_are_matched_by_name(world: World) -> None:
    """LKP-6: record types by object and developer name, queue owners by developer name, case-team roles by name."""
    world.insert(S, "CaseTeamRole", Name="Another")
    ids = {}
    for side in (P, S):
        world.insert(side, "RecordType", Name="x", DeveloperName="Partner", SobjectType="Account", IsActive=1)
        ids[side] = (
            world.insert(side, "RecordType", Name="Partner", DeveloperName="Partner", SobjectType="Case", IsActive=1),
            world.insert(side, "Group", Name="Tier 1", DeveloperName="Tier_1", Type="Queue"),
            world.insert(side, "CaseTeamRole", Name="Engineer"),
        )
    world.connect("Case", "CaseTeamMember")
    record_type, group, role = ids[P]
    case = world.insert(P, "Case", Subject="x", RecordTypeId=record_type, OwnerId=group)
    member = world.insert(P, "CaseTeamMember", ParentId=case, MemberId=world.orgs[P].admin_id, TeamRoleId=role)
    world.drain()
    there = world.one(S, 'SELECT "RecordTypeId", "OwnerId" FROM "Case" WHERE "Id" = ?', world.other(P, case))
    assert there == ids[S][:2]
    row = world.one(S, 'SELECT "TeamRoleId", "MemberId" FROM "CaseTeamMember" WHERE "Id" = ?', world.other(P, member))
    assert row == (ids[S][2], world.orgs[S].admin_id)
    world.assert_equal()


def test_a_record_type_that_the_target_gets_later_is_filled_in(world: World) -> None:
    """LKP-2, LKP-6: by the next drain, though nothing else was changed."""
    here = world.insert(P, "RecordType", Name="VIP", DeveloperName="VIP", SobjectType="Account", IsActive=1)
    world.connect("Account")
    account = world.insert(P, "Account", Name="x", RecordTypeId=here)
    world.drain()
    there = world.insert(S, "RecordType", Name="VIP", DeveloperName="VIP", SobjectType="Account", IsActive=1)
    world.drain()
    assert world.get(S, "Account", str(world.other(P, account)), "RecordTypeId") == there
    world.assert_equal()


def test_a_record_type_that_gets_another_name_is_no_longer_its_like(world: World) -> None:
    """LKP-6: what was paired by name parts with the name, and is paired with whoever has the new one."""
    ids = {}
    for side in (P, S):
        names = ("VIP",) if side is P else ("VIP", "Top")
        ids[side] = [
            world.insert(side, "RecordType", Name=name, DeveloperName=name, SobjectType="Account", IsActive=1)
            for name in names
        ]
    world.connect("Account")
    world.insert(P, "Account", Name="before", RecordTypeId=ids[P][0])
    world.drain()
    world.update(P, "RecordType", ids[P][0], DeveloperName="Top")
    account = world.insert(P, "Account", Name="after", RecordTypeId=ids[P][0])
    world.drain()
    assert world.get(S, "Account", str(world.other(P, account)), "RecordTypeId") == ids[S][1]


def test_polymorphic_references_follow_their_key_prefix(world: World) -> None:
    """LKP-6: WhoId, WhatId, ParentId and OwnerId may hold Ids of several objects."""
    world.connect("Account", "Contact", "Lead", "Task", "Attachment", "Opportunity")
    account = world.insert(P, "Account", Name="a")
    contact = world.insert(P, "Contact", LastName="c", AccountId=account)
    lead = world.insert(P, "Lead", LastName="l", Company="x")
    for who, what in ((contact, account), (lead, None)):
        task = world.insert(P, "Task", Subject="t", WhoId=who, WhatId=what)
        files = [world.insert(P, "Attachment", ParentId=parent, Name="f", Body=b"\x00\x01") for parent in (who, task)]
        world.drain()
        row = world.one(S, 'SELECT "WhoId", "WhatId", "OwnerId" FROM "Task" WHERE "Id" = ?', world.other(P, task))
        assert row == (world.other(P, who), world.other(P, what) if what else None, world.orgs[S].admin_id)
        parents = [world.get(S, "Attachment", str(world.other(P, item)), "ParentId") for item in files]
        assert parents == [world.other(P, who), world.other(P, task)]
    world.assert_equal()
