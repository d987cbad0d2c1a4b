"""Which fields and records flow, what happens to audit fields and users (PUB-*, AUD-1, USR-5)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from org_stores import write_anew
from sync_world import ACTOR, P, S, Side, World, text
from sync_world import field as custom_field

from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.stores.sql import publications, subscriptions
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.sync.control import deliver
from orgsync_reconcile.sync.drain import drain
from orgsync_reconcile.sync.forward import forward
from orgsync_reconcile.sync.metadata import drop_mismatched
from orgsync_reconcile.sync.users import sync_all_users

OLD = "2020-02-03T04:05:06.789Z"


def new_user(world: World, side: Side, name: str, suffix: str = "") -> str:
    profile = world.one(side, 'SELECT "Id" FROM "Profile" WHERE "Name" = \'Standard User\'')
    return world.insert(
        side,
        "User",
        Username=f"{name}@acme.example{suffix}",
        LastName=name,
        Email=f"{name}@acme.example",
        Alias=name,
        CommunityNickname=name,
        ProfileId=profile,
        IsActive=1,
    )


def test_one_way_an_edit_in_the_secondary_stands_until_that_field_changes(world: World) -> None:
    """PUB-7: it is not sent, other fields' changes leave it alone, a change of that field replaces it."""
    world.connect("Account", one_way=True)
    account = world.insert(P, "Account", Name="x", Phone="1", Site="1")
    world.drain()
    there = str(world.other(P, account))
    world.update(S, "Account", there, Phone="mine")
    world.update(P, "Account", account, Site="2")
    world.drain()
    assert world.get(P, "Account", account, "Phone") == "1"
    assert world.one(S, 'SELECT "Phone", "Site" FROM "Account" WHERE "Id" = ?', there) == ("mine", "2")
    assert world.log_size(S) == 0
    world.update(P, "Account", account, Phone="3")
    world.drain()
    assert world.get(S, "Account", there, "Phone") == "3"


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
@pytest.mark.parametrize("side", [P, S])
def test_a_field_that_fell_out_of_step_stops_flowing(world: World, side: Side) -> None:
    """PUB-8: resized after subscribing, in either org: it alone stops, and flows again once subscribed anew."""
    for org in (P, S):
        world.extend("Account", text("Code__c", 20), side=org)
    world.connect("Account")
    account = world.insert(P, "Account", Name="x", Code__c="1")
    world.drain()
    world.extend("Account", text("Code__c", 40), side=side)
    world.update(P, "Account", account, Code__c="2", Phone="2")
    world.drain()
    there = str(world.other(P, account))
    assert world.one(S, 'SELECT "Code__c", "Phone" FROM "Account" WHERE "Id" = ?', there) == ("1", "2")
    dropped = drop_mismatched(world.orgs[P], world.orgs[S], world.connection, clock=world.clock)
    assert {item[:2] for item in dropped} == {("Account", "Code__c")}
    for org in (P, S):
        world.extend("Account", text("Code__c", 40), side=org)
    world.update(P, "Account", account, Code__c="3")
    world.drain()
    assert world.get(S, "Account", there, "Code__c") == "1"
    shape = Objects(world.orgs[P])["Account"].fields["Code__c"].shape
    for org in world.orgs.values():
        subscriptions.subscribe_field(
            org, world.connection, "Account", "Code__c", shape, actor=ACTOR, clock=world.clock
        )
    world.update(P, "Account", account, Code__c="4")
    world.drain()
    assert world.get(S, "Account", there, "Code__c") == "4"
    world.assert_equal()


def test_a_field_that_is_published_later_flows_from_then_on(world: World) -> None:
    """PUB-9, PUB-10: earlier values wait for a change or a backfill; an unpublished field stops alone."""
    world.connect("Account", fields={"Account": ["Name", "Phone"]})
    account = world.insert(P, "Account", Name="x", Site="before", Phone="1")
    world.drain()
    there = str(world.other(P, account))
    world.publish("Account", ["Name", "Phone", "Site"])
    world.update(P, "Account", account, Name="y")
    world.drain()
    assert world.get(S, "Account", there, "Site") is None
    publications.send_again(world.orgs[P], world.connection, "Account", ["Site"], world.clock)
    world.drain()
    assert world.get(S, "Account", there, "Site") == "before"
    for org in world.orgs.values():
        publications.unpublish_field(org, world.connection, "Account", "Phone", actor=ACTOR, clock=world.clock)
    world.update(P, "Account", account, Phone="2", Site="after")
    world.drain()
    assert world.one(S, 'SELECT "Phone", "Site" FROM "Account" WHERE "Id" = ?', there) == ("1", "after")


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
def test_unpublishing_disconnects_and_publishing_again_revives(world: World) -> None:
    """PUB-10: nothing flows in between; afterwards the old pairs are pairs again, and nothing is doubled."""
    world.connect("Account")
    account = world.insert(P, "Account", Name="x")
    world.drain()
    there = world.other(P, account)
    for org in world.orgs.values():
        publications.unpublish_object(org, world.connection, "Account", actor=ACTOR, clock=world.clock)
        subscriptions.unsubscribe_object(org, world.connection, "Account", actor=ACTOR, clock=world.clock)
    world.update(P, "Account", account, Phone="1")
    assert (world.drain(), world.other(P, account)) == ({}, None)
    world.publish("Account", ["Name", "Phone"])
    world.bulk()
    world.update(P, "Account", account, Phone="2")
    world.drain()
    assert world.other(P, account) == there
    assert world.all(S, 'SELECT "Phone" FROM "Account"') == ["2"]
    world.assert_equal()


@pytest.mark.parametrize("live", [True, False])
def test_what_never_goes(world: World, live: bool) -> None:
    """PUB-12, FWD-2: email drafts, contact team members and inline images stay; private files and comments go."""
    objects = ("Case", "Contact", "CaseComment", "CaseTeamMember", "EmailMessage", "Attachment")
    for side in (P, S):
        world.insert(side, "CaseTeamRole", Name="Engineer")
    if live:
        world.connect(*objects)
    role = world.one(P, 'SELECT "Id" FROM "CaseTeamRole"')
    contact = world.insert(P, "Contact", LastName="c")
    case = world.insert(P, "Case", Subject="s")
    for public in (0, 1):
        world.insert(P, "CaseComment", ParentId=case, CommentBody=f"c{public}", IsPublished=public)
        world.insert(P, "Attachment", ParentId=case, Name=f"a{public}", Body=b"1", IsPrivate=public)
    for member in (contact, world.orgs[P].admin_id):
        world.insert(P, "CaseTeamMember", ParentId=case, MemberId=member, TeamRoleId=role)
    world.insert(P, "EmailMessage", ParentId=case, Subject="draft", Status="5")
    mail = world.insert(P, "EmailMessage", ParentId=case, Subject="sent", Status="3", HtmlBody="<img src='cid:1'>")
    world.insert(P, "Attachment", ParentId=mail, Name="inline", ContentType="image/png", Body=b"1")
    world.insert(P, "Attachment", ParentId=mail, Name="file", ContentType="application/pdf", Body=b"1")
    if live:
        world.drain()
    else:
        world.connect(*objects)
        world.bulk()
        world.drain()
    assert world.all(S, 'SELECT "CommentBody" FROM "CaseComment" ORDER BY 1') == ["c0", "c1"]
    assert world.all(S, 'SELECT "Name", "IsPrivate" FROM "Attachment" ORDER BY 1') == [
        ("a0", 0),
        ("a1", 1),
        ("file", 0),
    ]
    assert world.all(S, 'SELECT "MemberId" FROM "CaseTeamMember"') == [world.orgs[S].admin_id]
    assert world.all(S, 'SELECT "Subject" FROM "EmailMessage"') == ["sent"]
    assert world.log(P) == []


@pytest.mark.parametrize("bulk", [True, False])
def test_audit_fields_travel_with_the_first_copy_only(world: World, bulk: bool) -> None:
    """AUD-1: users in them are translated; a later update does not send them."""
    users = [new_user(world, side, "ann", suffix) for side, suffix in ((P, ""), (S, ".dr"))]
    audit = {"CreatedById": users[0], "CreatedDate": OLD, "LastModifiedById": users[0], "LastModifiedDate": OLD}
    if bulk:
        account = world.insert(P, "Account", Name="x", **audit)
    world.connect("Account", audit=True)
    world.link(S, "User", users[1], users[0])
    if bulk:
        world.bulk()
    else:
        account = world.insert(P, "Account", Name="x", **audit)
        world.drain()
    there = str(world.other(P, account))
    columns = '"CreatedById", "CreatedDate", "LastModifiedById", "LastModifiedDate"'
    read = f'SELECT {columns} FROM "Account" WHERE "Id" = ?'
    assert world.one(S, read, there) == (users[1], OLD, users[1], OLD)
    world.update(P, "Account", account, Phone="1", LastModifiedById=world.orgs[P].admin_id)
    world.drain()
    row = world.one(S, read, there)
    assert row[:3] == (users[1], OLD, world.orgs[S].admin_id)
    assert row[3] > OLD


@pytest.mark.parametrize(("side", "old"), [(P, True), (S, False)])
def test_the_option_is_the_primarys(world: World, side: Side, old: bool) -> None:
    """CON-6, AUD-1: the secondary holds a copy of it, and who changes that changes nothing of what goes in either way."""
    world.connect("Account")
    world.clients[side].execute('UPDATE "PartnerNetworkConnection" SET "IsSyncAuditFields" = TRUE')
    for end in (P, S):
        world.insert(end, "Account", Name=f"of {end}", CreatedDate=OLD)
    world.drain()
    for end in (P, S):
        found = world.one(end, 'SELECT "CreatedDate" FROM "Account" WHERE "Name" = ?', f"of {end.other}")
        assert (found == OLD) is old


def test_without_the_option_a_copy_is_made_now(world: World) -> None:
    """AUD-1, CON-6: off: created now, by the connection's user."""
    before = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M")
    world.connect("Account")
    account = world.insert(P, "Account", Name="x", CreatedDate=OLD, LastModifiedDate=OLD)
    world.drain()
    row = world.one(S, 'SELECT "CreatedDate", "LastModifiedDate", "CreatedById" FROM "Account"')
    assert row[0] >= before
    assert row[1] >= before
    assert row[2] == world.orgs[S].admin_id, account


@pytest.mark.parametrize("bulk", [True, False])
def test_a_stand_in_owner_stays_in_the_target(world: World, bulk: bool) -> None:
    """USR-5, VER-1: it never flows back, not even with edits, and is corrected when the user arrives."""
    owner = new_user(world, P, "ann")
    if bulk:
        account = world.insert(P, "Account", Name="x", OwnerId=owner)
    world.connect("Account", users=True)
    if bulk:
        world.bulk()
    else:
        account = world.insert(P, "Account", Name="x", OwnerId=owner)
        world.drain(S)
        world.clients[P].execute("DELETE FROM orgsync_change WHERE record = ?", [owner])
        world.drain()
    there = str(world.other(P, account))
    assert world.get(S, "Account", there, "OwnerId") == world.orgs[S].admin_id
    assert world.verify().equal
    world.update(S, "Account", there, Phone="1")
    write_anew(world.clients[S], "Account", there, Name="x", Phone="2", OwnerId=world.orgs[S].admin_id)
    world.drain()
    assert world.one(P, 'SELECT "OwnerId", "Phone" FROM "Account"') == (owner, "2")
    size = world.log_size(S)
    sync_all_users(world.orgs[P], world.orgs[S], world.connection, P, world.clock)
    world.drain()
    assert world.get(S, "Account", there, "OwnerId") == world.other(P, owner) != world.orgs[S].admin_id
    assert world.log_size(S) == size
    world.assert_equal()


@pytest.mark.parametrize("policy", ["primary-wins", "secondary-wins", "latest-wins"])
def test_a_stand_in_that_replaced_an_edit_does_not_come_back(world: World, policy: str) -> None:
    """USR-5, CNF-1, FWD-1: both orgs chose an owner whom the other one lacks; the winner keeps theirs, by hand as well."""
    world.connect("Account", settings={"conflicts": policy})
    account = world.insert(P, "Account", Name="x")
    world.drain()
    ids = {P: account, S: str(world.other(P, account))}
    owners = {side: new_user(world, side, name, end) for side, name, end in ((P, "ann", ""), (S, "bob", ".dr"))}
    winner = S if policy == "secondary-wins" else P
    for side in (winner.other, winner):
        world.update(side, "Account", ids[side], OwnerId=owners[side])
    world.drain(winner)
    world.drain()
    found = {side: world.get(side, "Account", ids[side], "OwnerId") for side in (P, S)}
    assert found == {winner: owners[winner], winner.other: world.orgs[winner.other].admin_id}
    forward(world.pair, source=winner.other, object_name="Account", records=[ids[winner.other]], clock=world.clock)
    assert world.get(winner, "Account", ids[winner], "OwnerId") == owners[winner]


def test_an_owner_that_was_chosen_meanwhile_stands(world: World) -> None:
    """USR-5, CNF-1: somebody gave the record to another user of the secondary: that is an edit, and goes back."""
    owner, other = new_user(world, P, "ann"), new_user(world, S, "bob", ".dr")
    here = new_user(world, P, "bob")
    world.connect("Account")
    for side, local, partner in ((P, here, other), (S, other, here)):
        world.link(side, "User", local, partner)
    account = world.insert(P, "Account", Name="x", OwnerId=owner)
    world.drain()
    world.update(S, "Account", str(world.other(P, account)), OwnerId=other)
    world.drain()
    assert world.get(P, "Account", account, "OwnerId") == here
    sync_all_users(world.orgs[P], world.orgs[S], world.connection, P, world.clock)
    world.drain()
    assert world.get(S, "Account", str(world.other(P, account)), "OwnerId") == other
    world.assert_equal()


@pytest.mark.pairings
def test_all_kinds_of_values_arrive_unchanged(world: World) -> None:
    """BLK-7, ORG-4: 18 digits, exact text, dates, blanks and bytes, by drain and by bulk sync."""
    fields = [
        custom_field("Big__c", FieldType.NUMBER, precision=18, scale=0),
        custom_field("Money__c", FieldType.CURRENCY, precision=18, scale=4),
        custom_field("Flag__c", FieldType.CHECKBOX, default="false"),
        custom_field("Day__c", FieldType.DATE),
        custom_field("Long__c", FieldType.LONG_TEXT_AREA, length=32768),
    ]
    for side in (P, S):
        world.extend("Account", *fields, side=side)
    values = {
        "Big__c": 10**18 - 1,
        "Money__c": -(10**18) + 1,
        "Flag__c": 1,
        "Day__c": "2024-02-29",
        "Long__c": "ä\n\t'\"\\ 𝄞" * 2000,
    }
    world.insert(P, "Account", Name="bulk", **values)
    world.connect("Account")
    world.bulk()
    record = world.insert(P, "Account", Name="live", **values)
    blank = world.insert(P, "Account", Name="blank", **values)
    world.drain()
    world.update(P, "Account", blank, Big__c=None, Long__c="", Flag__c=0)
    world.drain()
    names = ", ".join(f'"{name}"' for name in values)
    assert set(world.all(S, f'SELECT {names} FROM "Account" WHERE "Name" <> \'blank\'')) == {tuple(values.values())}
    assert world.one(S, f'SELECT {names} FROM "Account" WHERE "Id" = ?', world.other(P, blank)) == (
        None, values["Money__c"], 0, values["Day__c"], "",
    )  # fmt: skip
    assert world.other(P, record)
    world.assert_equal()


def test_what_another_program_withdraws_stays_from_the_next_batch_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PUB-10, QUE-3: an apply unpublishes a field while a long drain is under way, which has heard nothing of it."""
    for name in ("BATCH", "SERVER_BATCH"):
        monkeypatch.setattr(f"orgsync_reconcile.sync.drain.{name}", 2)
    world.connect("Account")
    records = [world.insert(P, "Account", Name=f"A {number}", Phone="1") for number in range(6)]

    others = {side: world.opened(side) for side in (P, S)}

    def withdraw(*_: object) -> None:
        publications.unpublish_field(others[P], world.connection, "Account", "Phone", actor=ACTOR, clock=world.clock)
        deliver(Pair(others[P], others[S], world.connection), sides=(P,), clock=world.clock)

    drain(world.pair, sides=(P,), clock=world.clock, progress=withdraw)
    phones = [world.get(S, "Account", str(world.other(P, record)), "Phone") for record in records]
    assert phones == ["1", "1", None, None, None, None]
