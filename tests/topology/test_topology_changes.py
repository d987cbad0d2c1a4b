"""One of several connections is suspended, ended or narrowed, and bulk syncs over two ways: the others go on (CON-10)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from net_world import Net, S

from orgsync_reconcile.model.connection import ConnectionStatus


@pytest.fixture
def diamond(net: Callable[[str], Net]) -> Net:
    world = net("abcd").connect("ab", "ac", "bd", "cd")
    world.insert("a", "r", A__c="0")
    world.settle()
    return world


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
def test_a_suspended_way_is_gone_round(diamond: Net) -> None:
    """CON-10, SUS-1: while one way is suspended changes come and go the other way; afterwards nothing comes back."""
    diamond.status("bd", ConnectionStatus.SUSPENDED)
    diamond.update("a", "r", A__c="1")
    diamond.update("d", "r", B__c="1")
    diamond.insert("d", "new")
    for _ in range(3):
        diamond.round("ab", "ac", "cd")
    for org in "abcd":
        assert diamond.values(org) == {"r": "1", "new": None}
        assert diamond.values(org, "B__c")["r"] == "1"
    diamond.status("bd", ConnectionStatus.ACCEPTED)
    diamond.settle()
    diamond.assert_same()
    assert diamond.values("a") == {"r": "1", "new": None}


def test_an_ended_way_leaves_the_others(diamond: Net) -> None:
    """CON-9, CON-10: a way that ended with changes still queued: they arrive the other way, once."""
    diamond.update("a", "r", A__c="1")
    diamond.insert("d", "new")
    diamond.end_connection("bd")
    diamond.settle()
    diamond.assert_same()
    assert diamond.values("d") == {"r": "1", "new": None}
    assert not diamond.pairs["cd"].ring


def test_an_object_withdrawn_from_one_way(diamond: Net) -> None:
    """PUB-10, CON-10: the object still flows the other way; published again, its links live and nothing is doubled."""
    diamond.unpublish("bd")
    diamond.update("a", "r", A__c="1")
    diamond.update("d", "r", B__c="1")
    diamond.settle()
    assert diamond.values("d") == {"r": "1"}
    assert diamond.values("b", "B__c") == {"r": "1"}
    diamond.publish("bd", "Thing__c")
    diamond.insert("b", "new")
    diamond.settle()
    diamond.assert_same()
    assert diamond.values("d") == {"r": "1", "new": None}


def test_bulk_syncs_over_two_ways(net: Callable[[str], Net]) -> None:
    """BLK-2, CON-10: records from before the connections are copied once, linked over both ways, and edits go on."""
    world = net("abcd")
    parent = world.insert("a", "parent")
    for number in range(30):
        world.insert("a", f"r{number}", A__c="0", Parent__c=parent)
    world.connect("ab", "ac", "bd", "cd")
    copied = [sum(item.copied for item in world.bulk(way)) for way in ("ab", "ac", "bd", "cd")]
    assert copied == [31, 31, 31, 0]
    world.settle()
    world.assert_same()
    assert len(world.all("d", 'SELECT "Id" FROM "Thing__c"')) == 31
    world.update("d", "r7", A__c="d")
    world.settle()
    world.assert_same()
    assert world.values("a")["r7"] == "d"
    assert [item.copied for item in world.bulk("cd", S)] == [0]
