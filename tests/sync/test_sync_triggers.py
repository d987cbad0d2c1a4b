"""Orgs with triggers of their own, clients that replace rows, orgs in several connections (ORG-6, ORG-7, CON-10)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from org_stores import own_trigger, refuse, syncing, write_anew
from sync_world import CONNECTION, NAMES, P, S, Side, World, make_orgs

from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.layout import MAX_HOPS
from orgsync_reconcile.stores.urls import create_store


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
@pytest.mark.parametrize("before_connecting", [True, False])
def test_what_an_own_trigger_changes_flows_back(world: World, before_connecting: bool) -> None:
    """ORG-7, TRG-1: the secondary's trigger fills a field of arriving records; that is the secondary's change."""
    body = """UPDATE "Account" SET "Site" = 'rated ' || NEW."Name" WHERE orgsync_row = NEW.orgsync_row"""
    if before_connecting:
        own_trigger(world.clients[S], "rate", "AFTER INSERT", "Account", body)
    world.connect("Account")
    if not before_connecting:
        own_trigger(world.clients[S], "rate", "AFTER INSERT", "Account", body)
    account = world.insert(P, "Account", Name="x", Phone="1")
    world.drain(P)
    assert [item.action for item in world.queue(S)] == ["Generic Update"]
    world.drain()
    assert world.get(P, "Account", account, "Site") == "rated x"
    world.assert_equal()


@pytest.mark.pairings
def test_a_trigger_knows_a_replicated_record(world: World) -> None:
    """ORG-7, ORG-9: links are there before the record, so that a trigger can leave replicated records alone."""
    own_trigger(
        world.clients[S],
        "greet",
        "AFTER INSERT",
        "Account",
        """UPDATE "Account" SET "Site" = 'new' WHERE orgsync_row = NEW.orgsync_row""",
        'NOT EXISTS (SELECT 1 FROM "PartnerNetworkRecordConnection" WHERE "LocalRecordId" = NEW."Id")',
    )
    world.connect("Account")
    world.insert(P, "Account", Name="from the primary")
    world.insert(S, "Account", Name="own")
    world.drain()
    assert world.all(S, 'SELECT "Name", "Site" FROM "Account" ORDER BY 1') == [
        ("from the primary", None),
        ("own", "new"),
    ]


def test_a_trigger_on_another_object_is_the_orgs_own_change(world: World) -> None:
    """ORG-7: arriving contacts are counted on their account; the count goes back to the primary."""
    count = (
        'UPDATE "Account" SET "NumberOfEmployees" = coalesce("NumberOfEmployees", 0) + 1 WHERE "Id" = NEW."AccountId"'
    )
    own_trigger(world.clients[S], "tally", "AFTER INSERT", "Contact", count)
    world.connect("Account", "Contact")
    account = world.insert(P, "Account", Name="x")
    for name in "ab":
        world.insert(P, "Contact", LastName=name, AccountId=account)
    world.drain()
    assert world.get(P, "Account", account, "NumberOfEmployees") == 2
    world.assert_equal()


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
def test_triggers_that_answer_one_another_are_stopped(world: World) -> None:
    """ORG-7, LOG-1, TRG-1: after a few rounds the change is refused and logged, and other records go on."""
    world.connect("Account")
    account = world.insert(P, "Account", Name="x", NumberOfEmployees=0)
    world.drain()
    for side in (P, S):
        db = world.clients[side]
        more = (
            'UPDATE "Account" SET "NumberOfEmployees" = NEW."NumberOfEmployees" + 1 WHERE orgsync_row = NEW.orgsync_row'
        )
        when = 'AFTER UPDATE OF "NumberOfEmployees"'
        own_trigger(db, "more", when, "Account", more, f'{syncing(db)} AND NEW."NumberOfEmployees" > 0')
    world.update(P, "Account", account, NumberOfEmployees=1)
    for _ in range(2 * MAX_HOPS):
        world.drain()
    assert world.queue(P) + world.queue(S) != []
    entries = [item for side in (P, S) for item in world.log(side)]
    assert [(item.status, item.error_code) for item in entries] == [("Retrying", "LOOP_DETECTED")]
    assert world.get(P, "Account", account, "NumberOfEmployees") <= 2 * MAX_HOPS
    world.insert(P, "Account", Name="another")
    world.drain()
    assert world.count(S, "Account") == 2


@pytest.mark.parametrize("side", [P, S])
def test_a_client_that_replaces_rows(world: World, side: Side) -> None:
    """ORG-7: an insert under a linked Id is an update of all columns, a deleted record comes back, no second copy."""
    world.connect("Account")
    ids = {P: world.insert(P, "Account", Name="x", Phone="1", Site="1")}
    world.drain()
    ids[S] = str(world.other(P, ids[P]))
    write_anew(world.clients[side], "Account", ids[side], Name="y", Phone="2")
    world.drain()
    for org in (P, S):
        assert world.all(org, 'SELECT "Name", "Phone", "Site" FROM "Account"') == [("y", "2", None)]
    world.delete(side, "Account", ids[side])
    world.drain()
    write_anew(world.clients[side], "Account", ids[side], Name="z", Phone="3")
    world.drain()
    for org in (P, S):
        assert world.all(org, 'SELECT "Name", "IsDeleted" FROM "Account"') == [("z", 0)]
    world.assert_equal()


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
def test_a_replaced_row_against_an_edit_goes_by_the_policy(world: World) -> None:
    """ORG-7, CNF-1: all its columns count as changed."""
    world.connect("Account")
    account = world.insert(P, "Account", Name="x", Phone="1")
    world.drain()
    world.update(S, "Account", str(world.other(P, account)), Phone="secondary")
    write_anew(world.clients[P], "Account", account, Name="x", Phone="2")
    world.drain(S, P)
    assert [world.one(side, 'SELECT "Phone" FROM "Account"') for side in (P, S)] == ["2", "2"]
    world.assert_equal()


def make_hub(address: Callable[[str], str]) -> None:
    """Three new orgs."""
    make_orgs(address)
    create_store(address("east"), NewOrg(name="east", admin="admin@east.example"), base=Path()).close()


class Hub:
    """An org in two connections: `west` is world's secondary, `east` another org."""

    def __init__(self, folder: Path, stack: ExitStack, addresses: dict[str, str]) -> None:
        self.west = World(folder, stack, addresses=addresses)
        east = {**addresses, NAMES[S]: addresses["east"]}
        self.east = World(folder, stack, connection=CONNECTION + "-east", addresses=east)
        # One program, one handle of the hub for both connections.
        self.east.orgs[P].close()
        self.east.orgs[P] = self.west.orgs[P]
        for world in (self.west, self.east):
            world.connect("Account", "Contact")


@pytest.fixture
def hub(place: Callable[..., dict[str, str]], tmp_path: Path) -> Iterator[Hub]:
    addresses = place(make_hub, *NAMES.values(), "east")
    with ExitStack() as stack:
        yield Hub(tmp_path, stack, addresses)


@pytest.mark.pairings
def test_a_hub_hands_on_and_never_back(hub: Hub) -> None:
    """CON-10: a record of one spoke goes on to the other; updates, deletes and undeletes too; nothing returns."""
    west, east = hub.west, hub.east
    account = west.insert(S, "Account", Name="from the west", Phone="1")
    contact = west.insert(S, "Contact", LastName="w", AccountId=account)
    for world in (west, east, west, east):
        world.drain()
    here = str(west.other(S, account))
    there = str(east.other(P, here))
    assert east.get(S, "Account", there, "Name") == "from the west"
    assert east.all(S, 'SELECT "AccountId" FROM "Contact"') == [there]
    sizes = (west.log_size(S), east.log_size(S))
    west.update(S, "Account", account, Phone="2", Site="w")
    for world in (west, east, west):
        world.drain()
    assert east.one(S, 'SELECT "Phone", "Site" FROM "Account"') == ("2", "w")
    west.delete(S, "Account", account)
    for world in (west, east, west):
        world.drain()
    assert (east.count(S, "Account"), east.count(S, "Contact")) == (0, 0)
    west.undelete(S, "Account", account)
    west.update(S, "Account", account, Phone="3")
    west.drain(S)
    assert west.queue(P) == []
    assert [item.record for item in east.queue(P)] == [here, west.other(S, contact)]
    for world in (west, east, west):
        world.drain()
    assert (east.count(S, "Account"), east.count(S, "Contact")) == (1, 1)
    # The west logged its own five changes and the cascades of its two; the east none.
    assert east.log_size(S) == sizes[1]
    assert west.all(S, "SELECT record FROM orgsync_change") == []
    assert [west.count(side, name) for side in (P, S) for name in ("Account", "Contact")] == [1, 1, 1, 1]
    for world in (west, east):
        world.assert_equal()


def test_a_refusal_of_one_spoke_does_not_hold_back_children_from_another(hub: Hub) -> None:
    """CON-10, BLK-3, QUE-4: only the connection that refused the parent keeps its children waiting."""
    west, east = hub.west, hub.east
    refuse(west.clients[S], "Account")
    account = west.insert(P, "Account", Name="x")
    west.drain()
    east.clients[P].execute("DELETE FROM orgsync_change WHERE record = ?", [account])
    west.insert(P, "Contact", LastName="c", AccountId=account)
    for world in (west, east):
        world.drain()
    assert (west.count(S, "Contact"), east.count(S, "Contact")) == (0, 1)
