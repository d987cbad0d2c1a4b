"""Hubs, chains, diamonds and rings: a change reaches every org once and comes back to none (CON-10)."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from net_world import Net, P

SHAPES = {
    "hub": ("abcd", ("ab", "ac", "ad")),
    "chain": ("abc", ("ab", "bc")),
    "diamond": ("abcd", ("ab", "ac", "bd", "cd")),
    "ring": ("abc", ("ab", "bc", "ca")),
}


@pytest.fixture(params=SHAPES)
def shape(request: pytest.FixtureRequest, net: Callable[[str], Net]) -> Net:
    orgs, ways = SHAPES[request.param]
    return net(orgs).connect(*ways)


def test_every_change_reaches_everyone_once(shape: Net) -> None:
    """CON-10, ORG-7, QUE-4: inserts, updates, deletes and undeletes from every org; one record in each, no echo."""
    for org in shape.orgs:
        parent = shape.insert(org, f"{org} parent")
        shape.insert(org, f"{org} child", Parent__c=parent, A__c="new")
    moved = shape.settle()
    shape.assert_same()
    others = len(shape.orgs) - 1
    assert moved == 2 * len(shape.orgs) * others, "each record is copied into each other org, and nothing else"
    for org in shape.orgs:
        shape.update(org, f"{org} child", A__c=f"by {org}")
    assert shape.settle() == len(shape.orgs) * others
    shape.assert_same()
    for org in shape.orgs:
        assert shape.values(org) == {
            **{f"{name} child": f"by {name}" for name in shape.orgs},
            **{f"{name} parent": None for name in shape.orgs},
        }
    for org in reversed(shape.orgs):
        shape.delete(org, "a child")
        shape.settle()
        shape.assert_same()
        shape.clients[org].execute('UPDATE "Thing__c" SET "IsDeleted" = FALSE WHERE "Name" = \'a child\'')
        shape.settle()
        shape.assert_same()
        assert "a child" in shape.values("c")
    assert shape.round() == 0, "a second drain moves nothing"


def test_edits_at_all_ends_settle_the_same(shape: Net) -> None:
    """CNF-1, CNF-3: the same field edited everywhere at once, round after round; every org has one and the same."""
    shape.insert("a", "r")
    shape.settle()
    for turn in range(4):
        for org in shape.orgs if turn % 2 else reversed(shape.orgs):
            shape.update(org, "r", A__c=f"{org}{turn}", B__c=f"{org}{turn}")
        ways = list(shape.pairs)
        shape.settle(*(ways[turn % len(ways) :] + ways[: turn % len(ways)]))
        shape.assert_same()
        assert shape.values("a")["r"] in {f"{org}{turn}" for org in shape.orgs}


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
def test_records_of_both_ways_are_linked_over_both(net: Callable[[str], Net]) -> None:
    """CON-10: what reaches d over b and over c is one record with two links, and a later drain moves nothing."""
    diamond = net("abcd").connect("ab", "ac", "bd", "cd")
    diamond.insert("a", "r")
    diamond.settle()
    assert len(diamond.all("d", 'SELECT "Id" FROM "Thing__c"')) == 1
    numbers = diamond.all(
        "d",
        "SELECT connection FROM orgsync_link WHERE object ="
        " (SELECT number FROM orgsync_object WHERE name = 'Thing__c') ORDER BY 1",
    )
    assert len(numbers) == 2 and len(set(numbers)) == 2
    assert diamond.round() == 0


def test_a_chain_of_eight_is_no_loop(net: Callable[[str], Net]) -> None:
    """CON-10, ORG-7: passing on is not answering; the far end gets what the near end wrote, and the other way round."""
    names = "abcdefgh"
    chain = net(names).connect(*(f"{one}{two}" for one, two in itertools.pairwise(names)))
    chain.insert("a", "from a", A__c="1")
    chain.insert("h", "from h", A__c="2")
    chain.settle()
    chain.update("a", "from h", A__c="3")
    chain.settle()
    chain.assert_same()
    assert chain.values("h") == {"from a": "1", "from h": "3"}
    for org in names:
        assert chain.all(org, 'SELECT "Error" FROM "PartnerNetworkSyncLog"') == []


@pytest.mark.pairings("sqlite-sqlite", "sqlite-postgres")
def test_a_one_way_chain_goes_on(net: Callable[[str], Net]) -> None:
    """CON-10, PUB-7: what arrives one way goes on one way; a one-way diamond leaves one record."""
    chain = net("abcd").connect("ab", "ac", "bd", "cd", one_way=True)
    chain.insert("a", "r", A__c="1")
    chain.settle()
    chain.update("a", "r", A__c="2")
    chain.settle()
    chain.assert_same()
    assert chain.values("d") == {"r": "2"}
    chain.update("d", "r", B__c="mine")
    assert chain.settle() == 0


@pytest.mark.pairings
def test_a_late_older_value_does_not_come_back(net: Callable[[str], Net]) -> None:
    """CON-10, CNF-3: the slow way brings what the fast way has replaced already: it is dropped, and nothing moves back."""
    diamond = net("abcd").connect("ab", "ac", "bd", "cd")
    diamond.insert("a", "r", A__c="0")
    diamond.settle()
    diamond.update("a", "r", A__c="1")
    diamond.drain("ac")
    diamond.update("a", "r", A__c="2")
    diamond.drain("ab")
    diamond.drain("bd")
    diamond.drain("cd", P)
    assert diamond.values("d") == {"r": "2"}
    diamond.settle()
    diamond.assert_same()
    assert diamond.values("a") == {"r": "2"}


def test_fields_of_one_way_only_come_that_way(net: Callable[[str], Net]) -> None:
    """CON-10, PUB-3: a field that only one of two ways carries is filled in from that one."""
    diamond = net("abcd").connect("ab", "ac", "bd", "cd", fields={"ab": ("Name", "A__c"), "bd": ("Name", "A__c")})
    diamond.insert("a", "r", A__c="1", B__c="1")
    diamond.round("ab", "bd")
    assert diamond.values("d", "B__c") == {"r": None}
    diamond.settle()
    assert diamond.values("d", "B__c") == {"r": "1"}
    diamond.update("a", "r", B__c="2")
    diamond.settle()
    assert diamond.values("d", "B__c") == {"r": "2"}
