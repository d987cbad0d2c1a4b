"""Records that several orgs have already, linked by a match field over connections that meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations

import pytest
from net_world import ACTOR, Net, P, S

from orgsync_reconcile.stores.sql import publications
from orgsync_reconcile.stores.sql.flow import Pair

FIELDS = ("Name", "A__c", "B__c", "Parent__c")


def matching(net: Net, ways: Sequence[str]) -> Net:
    """The connections, with records linked by A__c."""
    net.connect(*ways)
    for way in ways:
        for side in (P, S):
            publications.publish_object(
                net.end(way, side), way, "Thing__c", FIELDS, match_on="A__c", actor=ACTOR, clock=net.clock
            )
        net.pairs[way] = Pair(net.orgs[way[0]], net.orgs[way[1]], way)
    return net


@pytest.mark.parametrize("order", list(permutations(("ab", "bc", "ca"))), ids="-".join)
def test_likes_in_a_ring_end_as_one_record(net: Callable[[str], Net], order: Sequence[str]) -> None:
    """BLK-6, CON-10, CNF-3: whichever two are linked first, and though one was edited before, all end equal, each once."""
    ring = net("abc")
    for org in "abc":
        ring.insert(org, "edited", A__c="1", B__c=f"of {org}")
        ring.insert(org, "left alone", A__c="2", B__c=f"of {org}")
    matching(ring, ("ab", "bc", "ca"))
    # Until they have talked, the orgs do not know that they form a ring.
    ring.settle()
    ring.update("a", "edited", B__c="new")
    for way in order:
        for side in (S, P):
            ring.bulk(way, side)
        ring.drain(way, S)
    ring.settle()
    ring.assert_same()
    for org in "abc":
        assert ring.all(org, 'SELECT count(*) FROM "Thing__c"') == [2]
        assert ring.values(org, "B__c")["edited"] == "new"


def test_the_values_of_a_like_go_on_from_the_org_that_got_them(net: Callable[[str], Net]) -> None:
    """BLK-6, CON-10: c has told d of its own edit; what b's like brings instead is told to d as well."""
    chain = net("bcd")
    for org in "bc":
        chain.insert(org, "one", A__c="1", B__c=f"of {org}")
    matching(chain, ("cd", "bc"))
    chain.bulk("cd")
    chain.update("c", "one", B__c="edited in c")
    chain.settle("cd")
    assert chain.values("d", "B__c") == {"one": "edited in c"}
    chain.bulk("bc")
    chain.settle()
    chain.assert_same()
    assert chain.values("d", "B__c") == {"one": "of b"}


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
def test_what_a_forward_overwrites_goes_on_as_well(net: Callable[[str], Net]) -> None:
    """FWD-1, CON-10: the org that got it had changed the field itself before, and told the next one."""
    chain = net("bcd").connect("bc", one_way=True).connect("cd")
    record = chain.insert("b", "one", A__c="1", B__c="of b")
    chain.settle()
    chain.update("c", "one", B__c="edited in c")
    chain.settle()
    assert chain.values("d", "B__c") == {"one": "edited in c"}
    chain.forward("bc", P, record)
    chain.settle()
    assert [chain.values(org, "B__c") for org in "bcd"] == [{"one": "of b"}] * 3
