"""Edits of one record in both orgs (CNF-*)."""

from __future__ import annotations

import time

import pytest
from sync_world import P, S, Side, World, text

from orgsync_reconcile.model.records import LogEntry

POLICIES = ("primary-wins", "secondary-wins", "latest-wins")
ORDERS = ((P, S), (S, P))


def linked(world: World, policy: str, **values: object) -> dict[Side, str]:
    """One account in both orgs, Id by org. The secondary's fields have other numbers."""
    world.extend("Account", text("Own__c"), side=S)
    for side in (P, S):
        world.extend("Account", text("A__c"), text("B__c"), side=side)
    world.connect("Account", "Contact", settings={"conflicts": policy})
    account = world.insert(P, "Account", **{"Name": "x", **values})
    world.drain()
    return {P: account, S: str(world.other(P, account))}


def edit(world: World, ids: dict[Side, str], side: Side, **values: object) -> None:
    """An edit, at a time of its own."""
    time.sleep(0.005)
    world.update(side, "Account", ids[side], **values)


def conflict_entries(world: World) -> list[LogEntry]:
    return [item for side in (P, S) for item in world.log(side) if item.event == "Conflict"]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("policy", POLICIES)
def test_edits_of_different_fields_both_survive(world: World, policy: str, order: tuple[Side, Side]) -> None:
    """CNF-1, CNF-3: whichever org is drained first, and nothing is logged."""
    ids = linked(world, policy)
    edit(world, ids, P, A__c="primary", Phone="1")
    edit(world, ids, S, B__c="secondary", Website="w")
    world.drain(*order)
    for side in (P, S):
        row = world.one(side, 'SELECT "A__c", "B__c", "Phone", "Website" FROM "Account" WHERE "Id" = ?', ids[side])
        assert row == ("primary", "secondary", "1", "w")
    assert conflict_entries(world) == []
    world.assert_equal()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("policy", "last", "winner"),
    [("primary-wins", S, P), ("secondary-wins", P, S), ("latest-wins", P, P), ("latest-wins", S, S)],
)
def test_the_policy_decides_over_the_same_field(
    world: World, policy: str, last: Side, winner: Side, order: tuple[Side, Side]
) -> None:
    """CNF-1, CNF-3, LOG-1: one value in both orgs, the other in the log as an entry of its own."""
    ids = linked(world, policy)
    for side in (last.other, last):
        edit(world, ids, side, B__c=str(side))
    world.drain(*order)
    world.settle()
    assert [world.get(side, "Account", ids[side], "B__c") for side in (P, S)] == [winner.value] * 2
    (entry,) = conflict_entries(world)
    assert (entry.status, entry.object, entry.record) == ("Resolved", "Account", ids[P if entry.org == "acme" else S])
    assert f"kept '{winner}', lost '{winner.other}'" in entry.description
    world.assert_equal()


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
@pytest.mark.parametrize("order", ORDERS)
def test_latest_wins_goes_by_column(world: World, order: tuple[Side, Side]) -> None:
    """CNF-1: a later edit of another field does not make an earlier one win; a tie of values is no conflict."""
    ids = linked(world, "latest-wins")
    edit(world, ids, P, A__c="old")
    edit(world, ids, S, A__c="new", Phone="same")
    edit(world, ids, P, B__c="later", Phone="same")
    world.drain(*order)
    world.settle()
    for side in (P, S):
        row = world.one(side, 'SELECT "A__c", "B__c", "Phone" FROM "Account" WHERE "Id" = ?', ids[side])
        assert row == ("new", "later", "same")
    assert len(conflict_entries(world)) == 1
    world.assert_equal()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("deleter", [P, S])
@pytest.mark.parametrize(
    ("policy", "survives"),
    [
        ("primary-wins", {P: False, S: True}),
        ("secondary-wins", {P: True, S: False}),
        ("latest-wins", {P: True, S: True}),
    ],
)
def test_update_against_delete(
    world: World, policy: str, survives: dict[Side, bool], deleter: Side, order: tuple[Side, Side]
) -> None:
    """CNF-2, CNF-3: the policy decides whether the record lives, in both orgs, logged. The edit comes last."""
    ids = linked(world, policy)
    contact = world.insert(P, "Contact", LastName="Doe", AccountId=ids[P])
    world.drain()
    world.delete(deleter, "Account", ids[deleter])
    edit(world, ids, deleter.other, Phone="9")
    world.drain(*order)
    world.settle()
    alive = survives[deleter]
    assert [world.count(side, "Account") for side in (P, S)] == [alive, alive]
    assert [world.count(side, "Contact") for side in (P, S)] == [alive, alive], contact
    if alive:
        assert [world.get(side, "Account", ids[side], "Phone") for side in (P, S)] == ["9", "9"]
    assert len(conflict_entries(world)) == 1
    world.assert_equal()


@pytest.mark.pairings("sqlite-sqlite", "sqlite-postgres")
@pytest.mark.parametrize("side", [P, S])
def test_an_undelete_that_a_hard_delete_takes_back(world: World, side: Side) -> None:
    """CNF-2: nothing can be brought back where it is gone for good; it goes in both, and the log keeps what it held."""
    ids = linked(world, "latest-wins", Phone="0", Industry="Energy")
    world.delete(side, "Account", ids[side])
    world.drain()
    world.undelete(side, "Account", ids[side])
    edit(world, ids, side, Phone="it's new")
    world.delete(side.other, "Account", ids[side.other])
    world.settle()
    assert world.get(side, "Account", ids[side], "IsDeleted") == 1
    (entry,) = conflict_entries(world)
    assert (entry.status, entry.org, entry.record) == ("Resolved", world.orgs[side.other].label, ids[side.other])
    assert entry.description.startswith("deleted for good here while the other org brought it back; deleted there too;")
    for lost in ("Name 'x'", "Phone 'it''s new'", "Industry 'Energy'"):
        assert lost in entry.description
    world.drain()
    assert len(conflict_entries(world)) == 1


@pytest.mark.parametrize("order", ORDERS)
def test_what_a_copy_already_held_is_no_conflict(world: World, order: tuple[Side, Side]) -> None:
    """CNF-1, BLK-2: an old entry for a record that a bulk sync has brought does not overwrite a newer edit there."""
    world.connect("Account")
    account = world.insert(P, "Account", Name="x", Phone="1")
    world.update(P, "Account", account, Phone="2")
    world.bulk()
    there = str(world.other(P, account))
    world.update(S, "Account", there, Phone="3")
    world.drain(*order)
    assert [world.get(P, "Account", account, "Phone"), world.get(S, "Account", there, "Phone")] == ["3", "3"]
    assert conflict_entries(world) == []
    world.assert_equal()


@pytest.mark.pairings
def test_what_could_not_be_sent_yet_is_still_an_edit(world: World) -> None:
    """CNF-1, QUE-4: a change that the other org refuses for now does not lose to that org's older value."""
    ids = linked(world, "secondary-wins", B__c="old")
    world.extend("Account", text("B__c", unique=True), side=P)
    blocker = world.insert(P, "Account", Name="blocker", B__c="wanted")
    world.drain()
    world.extend("Account", text("B__c"), side=S)
    edit(world, ids, S, B__c="wanted")
    world.drain(S)
    assert [item.attempts for item in world.queue(S)] == [1]
    edit(world, ids, P, B__c="primary")
    world.drain(P)
    assert world.get(S, "Account", ids[S], "B__c") == "wanted"
    world.delete(P, "Account", blocker)
    world.settle()
    assert world.get(P, "Account", ids[P], "B__c") == "wanted"
    world.assert_equal()
