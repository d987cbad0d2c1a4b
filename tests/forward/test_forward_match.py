"""Records that were in both orgs before: linked by their match field instead of doubled (BLK-6)."""

from __future__ import annotations

from typing import Any

import pytest
from forward_world import CODE, ForwardWorld
from org_stores import way_of
from sync_world import P, S


def move(world: ForwardWorld, how: str, *records: str) -> Any:
    """Sends the records by a bulk sync, a limited one, a drain or a forward."""
    if how == "bulk":
        world.bulk(P, "Part__c")
    elif how == "newest":
        world.bulk(P, "Part__c", limit=10)
    elif how == "forward":
        world.forward("Part__c", *records)
    return world.drain()


def part(world: ForwardWorld, how: str, **values: object) -> str:
    """A part of the primary: new where it is to be drained, old otherwise."""
    return (world.insert if how == "drain" else world.old)(P, "Part__c", **{"Name": "Part", **values})


WAYS = pytest.mark.parametrize("how", ["bulk", "newest", "drain", "forward"])


@WAYS
@pytest.mark.parametrize("key", [CODE, "Serial__c"])
def test_like_records_are_linked_and_equal(two_way: ForwardWorld, how: str, key: str) -> None:
    """BLK-6: the record of the same key is linked, takes the source's values, and nothing comes back."""
    two_way.match("Part__c", key)
    there = two_way.insert(S, "Part__c", Name="Theirs", Note__c="theirs", **{key: "k-1"})
    here = part(two_way, how, Note__c="ours", **{key: "K-1"})
    other = part(two_way, how, **{key: "k-2"})
    move(two_way, how, here, other)
    assert two_way.other(P, here) == there
    assert two_way.other(S, there) == here
    assert two_way.count(S, "Part__c") == 2
    assert two_way.get(S, "Part__c", there, "Note__c") == "ours"
    assert two_way.all(P, 'SELECT "Note__c" FROM "Part__c" WHERE "Id" = ?', here) == ["ours"]
    two_way.settle()
    two_way.assert_equal()
    assert two_way.log(P) == two_way.log(S) == []
    two_way.update(P, "Part__c", here, Note__c="later")
    two_way.drain()
    assert two_way.get(S, "Part__c", there, "Note__c") == "later"


def test_matched_records_count_once(two_way: ForwardWorld) -> None:
    """BLK-6: a matched record counts as copied, however many of its values differ."""
    two_way.match("Part__c", CODE)
    two_way.insert(S, "Part__c", Name="Theirs", **{CODE: "1"})
    part(two_way, "drain", **{CODE: "1"})
    counts = two_way.drain(P)["Part__c"]
    assert (counts.copied, counts.updated, counts.failed) == (1, 0, 0)


@WAYS
def test_blank_keys_never_match(two_way: ForwardWorld, how: str) -> None:
    """BLK-6: records without a key are not the same."""
    two_way.match("Part__c", CODE)
    two_way.insert(S, "Part__c", Name="Theirs")
    two_way.insert(S, "Part__c", Name="Theirs", **{CODE: ""})
    one, two = part(two_way, how), part(two_way, how, **{CODE: ""})
    move(two_way, how, one, two)
    assert two_way.count(S, "Part__c") == 4


@WAYS
def test_deleted_and_linked_records_are_no_likes(two_way: ForwardWorld, how: str) -> None:
    """BLK-6: what is deleted, or linked already, is not linked with anything else."""
    two_way.match("Part__c", CODE)
    first = two_way.insert(P, "Part__c", Name="First", **{CODE: "1"})
    two_way.drain()
    gone = two_way.insert(S, "Part__c", Name="Gone", **{CODE: "2"})
    two_way.delete(S, "Part__c", gone)
    second, third = part(two_way, how, **{CODE: "1"}), part(two_way, how, **{CODE: "2"})
    move(two_way, how, second, third)
    assert len({two_way.other(P, record) for record in (first, second, third)} - {None, gone}) == 3


@WAYS
def test_two_likes_are_refused(two_way: ForwardWorld, how: str) -> None:
    """BLK-6: with two candidates nothing is guessed: the record is refused and logged; it goes once it is clear."""
    two_way.match("Part__c", CODE)
    one, two = (two_way.insert(S, "Part__c", Name=name, **{CODE: "1"}) for name in ("A", "B"))
    two_way.clients[S].execute("DELETE FROM orgsync_change")
    here = part(two_way, how, **{CODE: "1"})
    fine = part(two_way, how, **{CODE: "2"})
    move(two_way, how, here, fine)
    assert two_way.other(P, here) is None
    assert two_way.other(P, fine) is not None
    assert two_way.log_words(P) == [("Retrying", "DUPLICATE_EXTERNAL_ID", here)]
    assert "2 records of the linked org have its Code__c" in two_way.log(P)[0].description
    two_way.update(S, "Part__c", two, **{CODE: "3"})
    two_way.later(hours=1)
    two_way.drain(P)
    assert two_way.other(P, here) == one
    assert two_way.log_words(P)[-1][0] == "Resolved"


@WAYS
def test_two_rivals_are_refused(two_way: ForwardWorld, how: str) -> None:
    """BLK-6: where two records of the source have the key of one of the target, neither is linked by chance."""
    two_way.match("Part__c", CODE)
    two_way.old(S, "Part__c", Name="Theirs", **{CODE: "1"})
    rivals = [part(two_way, how, **{CODE: "1"}) for _ in range(2)]
    move(two_way, how, *rivals)
    assert {two_way.other(P, record) for record in rivals} == {None}
    assert [words[1] for words in two_way.log_words(P)] == ["DUPLICATE_EXTERNAL_ID"] * 2
    assert "2 records of this org have its Code__c" in two_way.log(P)[0].description


def test_without_a_match_field_records_are_doubled(two_way: ForwardWorld) -> None:
    """BLK-6: by themselves records that were there before are not linked."""
    two_way.insert(S, "Part__c", Name="Theirs", **{CODE: "1"})
    part(two_way, "bulk", **{CODE: "1"})
    two_way.bulk(P, "Part__c")
    assert two_way.count(S, "Part__c") == 2


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
def test_lookups_of_and_to_matched_records(two_way: ForwardWorld) -> None:
    """BLK-6, LKP-1, LKP-2: children point to the matched parent; a matched child waits for a parent that is not there."""
    two_way.match("Part__c", CODE)
    parent_there, child_there = (two_way.insert(S, "Part__c", Name=key, **{CODE: key}) for key in ("p", "c"))
    account = two_way.old(P, "Account", Name="Late")
    parent = part(two_way, "bulk", **{CODE: "p"})
    child = part(two_way, "bulk", Parent__c=parent, Account__c=account, **{CODE: "c"})
    two_way.bulk(P, "Part__c")
    assert two_way.other(P, child) == child_there
    assert two_way.get(S, "Part__c", child_there, "Parent__c") == parent_there
    two_way.forward("Account", account)
    assert two_way.get(S, "Part__c", child_there, "Account__c") == two_way.other(P, account)
    two_way.settle()
    two_way.assert_equal()


def test_an_edit_after_the_match_is_no_conflict(two_way: ForwardWorld) -> None:
    """BLK-6, CNF-1: what the target had queued of its own record before it was linked never overrules later edits."""
    two_way.match("Part__c", CODE)
    there = two_way.insert(S, "Part__c", Name="Theirs", Note__c="theirs", **{CODE: "1"})
    here = part(two_way, "drain", Note__c="ours", **{CODE: "1"})
    two_way.drain(P)
    two_way.update(P, "Part__c", here, Note__c="newest")
    two_way.drain(S)
    two_way.drain(P)
    assert two_way.get(S, "Part__c", there, "Note__c") == "newest"
    assert two_way.get(P, "Part__c", here, "Note__c") == "newest"
    assert two_way.log(P) == two_way.log(S) == []


def test_the_match_field_is_indexed(two_way: ForwardWorld) -> None:
    """BLK-6: looking for likes does not read the whole target: external ids have an index of live records."""
    fold = two_way.orgs[S].db.dialect.fold
    likes = f"""SELECT 1 FROM "Part__c" WHERE {fold('"Code__c"')} = {fold("'x'")} AND "IsDeleted" = FALSE"""
    assert "orgsync_Part__c_Code__c" in way_of(two_way.clients[S], likes)
