"""`verify --repair`: after it and a drain both orgs agree, by the connection's policy."""

from __future__ import annotations

import pytest
from joined_orgs import Joined, P, S
from org_stores import keep_others_out

from orgsync_reconcile.errors import StoreBusyError
from orgsync_reconcile.model.connection import Side


def damaged(joined: Joined, side: Side, record: str, **values: object) -> None:
    """Changes an account without anybody hearing of it."""
    joined.update(side, "Account", record, **values)
    joined.forget(side)


@pytest.fixture
def two_way(joined: Joined) -> Joined:
    return joined.connect("Account", "Contact", "Thing__c")


def account(joined: Joined, **values: object) -> tuple[str, str]:
    """(primary, secondary) Ids of a new account that both orgs have."""
    ours = joined.insert(P, "Account", **{"Name": "One", "Phone": "1", **values})
    joined.drain()
    return ours, joined.other(P, ours)


def assert_mended(joined: Joined) -> None:
    """VER-1: verify, repair, drain, verify."""
    report = joined.verify(repair=True)
    assert not report.equal
    assert report.repair is not None
    assert report.repair.queued
    joined.drain()
    after = joined.verify(repair=True)
    assert after.equal, (after.objects, after.differences)
    assert after.repair is not None
    assert after.repair.queued == 0


@pytest.mark.parametrize("damaged_side", [P, S])
@pytest.mark.parametrize(("policy", "winner"), [("primary-wins", P), ("secondary-wins", S), ("latest-wins", None)])
def test_the_policy_says_who_wins(joined: Joined, policy: str, winner: Side | None, damaged_side: Side) -> None:
    """VER-1, CNF-1: a lost change is mended towards the winner's value; the latest is the org that changed last."""
    joined.connect("Account", settings={"conflicts": policy})
    ours, theirs = account(joined)
    ids = {P: ours, S: theirs}
    damaged(joined, damaged_side, ids[damaged_side], Phone="lost", Website="kept.example")
    assert_mended(joined)
    won = winner or damaged_side
    for side in (P, S):
        assert joined.get(side, "Account", ids[side], "Phone") == ("lost" if won is damaged_side else "1")


@pytest.mark.pairings
def test_only_the_columns_that_differ_are_queued(two_way: Joined) -> None:
    """VER-1: other columns of the record are not sent, so that nothing else is overwritten."""
    ours, theirs = account(two_way)
    damaged(two_way, P, ours, Phone="2")
    two_way.verify(repair=True)
    two_way.update(S, "Account", theirs, Website="edited.example")
    two_way.drain()
    assert two_way.get(P, "Account", ours, "Website") == "edited.example"
    assert two_way.get(S, "Account", theirs, "Phone") == "2"
    assert two_way.verify().equal


def test_a_queued_change_is_left_to_the_drain(two_way: Joined) -> None:
    """VER-1, CNF-1: a difference that a change on its way explains is no fault; a repair would overwrite that change."""
    ours, theirs = account(two_way)
    two_way.update(S, "Account", theirs, Phone="new")
    report = two_way.verify(repair=True)
    assert not report.equal
    assert report.repair is not None
    assert report.repair.queued == 0
    two_way.drain()
    assert two_way.get(P, "Account", ours, "Phone") == "new"
    assert two_way.verify().equal


@pytest.mark.parametrize("side", [P, S])
@pytest.mark.parametrize("policy", ["primary-wins", "secondary-wins"])
def test_a_lost_delete(joined: Joined, side: Side, policy: str) -> None:
    """VER-1, CNF-2: the policy decides between deleted and alive, and fields that differ come along."""
    joined.connect("Account", settings={"conflicts": policy})
    ours, theirs = account(joined)
    ids = {P: ours, S: theirs}
    joined.update(side.other, "Account", ids[side.other], Phone="lost")
    joined.delete(side, "Account", ids[side])
    joined.forget(side)
    joined.forget(side.other)
    report = joined.verify()
    assert (report.objects[0].missing_primary, report.objects[0].missing_secondary) == (int(side is P), int(side is S))
    assert_mended(joined)
    deleted = (policy == "primary-wins") == (side is P)
    for each in (P, S):
        assert joined.get(each, "Account", ids[each], "IsDeleted") == int(deleted)
        if not deleted:
            assert joined.get(each, "Account", ids[each], "Phone") == "lost"


@pytest.mark.pairings("sqlite-sqlite", "sqlite-postgres")
@pytest.mark.parametrize("side", [P, S])
def test_a_row_that_is_gone_is_sent_as_a_new_one(two_way: Joined, side: Side) -> None:
    """VER-1: its link ends, it arrives under a new Id, and the lookups that named the old one follow."""
    ours, theirs = account(two_way)
    ids = {P: ours, S: theirs}
    thing = two_way.insert(P, "Thing__c", Name="Child", Account__c=ours)
    two_way.drain()
    child = {P: thing, S: two_way.other(P, thing)}
    for _ in range(2):
        two_way.delete(side, "Account", ids[side])
    two_way.forget(side)
    assert two_way.get(side, "Account", ids[side], "Name") is None
    report = two_way.verify(repair=True)
    assert report.repair is not None
    assert report.repair.sent_as_new == 1
    two_way.drain()
    new = two_way.other(side.other, ids[side.other])
    assert new != ids[side]
    assert two_way.get(side, "Account", new, "Name") == "One"
    assert two_way.get(side, "Thing__c", child[side], "Account__c") == new
    assert two_way.get(side.other, "Thing__c", child[side.other], "Account__c") == ids[side.other]
    assert two_way.verify().equal
    assert two_way.verify_hashes().equal


@pytest.mark.parametrize("side", [P, S])
def test_a_repair_that_was_cut_off_is_made_again(two_way: Joined, side: Side) -> None:
    """VER-1, QUE-3: whatever happens between the two orgs' commits, the next repair finds the row that is gone."""
    ours, theirs = account(two_way)
    ids = {P: ours, S: theirs}
    for _ in range(2):
        two_way.delete(side, "Account", ids[side])
    two_way.forget(side)
    two_way.open(S, busy_seconds=0.05)
    let_go = keep_others_out(two_way.clients[S], "orgsync_link")
    with pytest.raises(StoreBusyError):
        two_way.verify(repair=True)
    let_go()
    links = "SELECT count(*) FROM orgsync_link WHERE local = ?"
    assert (two_way.one(P, links, ours), two_way.one(S, links, theirs)) == (0, 1)
    two_way.drain()
    if not two_way.verify(repair=True).equal:
        two_way.drain()
    assert two_way.verify().equal
    assert two_way.verify_hashes().equal
    for each in (P, S):
        assert two_way.one(each, 'SELECT count(*) FROM "Account" WHERE "IsDeleted" = FALSE') == 1


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
def test_a_lookup_that_points_elsewhere(two_way: Joined) -> None:
    """VER-1, LKP-1: references are compared after translation and mended to the translated Id."""
    first, _ = account(two_way)
    second, there = account(two_way, Name="Two")
    thing = two_way.insert(P, "Thing__c", Name="Child", Account__c=first)
    two_way.drain()
    child = two_way.other(P, thing)
    two_way.update(S, "Thing__c", child, Account__c=there)
    two_way.forget(S)
    assert [item.field for item in two_way.verify().differences] == ["Account__c"]
    assert_mended(two_way)
    assert two_way.get(S, "Thing__c", child, "Account__c") == two_way.other(P, first)
    assert second


def test_a_repair_stays_within_the_objects_named(two_way: Joined) -> None:
    """VER-1: --object limits the repair too."""
    ours, _ = account(two_way)
    damaged(two_way, P, ours, Phone="2")
    report = two_way.verify("Contact", repair=True)
    assert report.repair is not None
    assert report.repair.queued == 0
    two_way.drain()
    assert not two_way.verify().equal


def test_one_way_an_edit_of_the_secondary_stands(joined: Joined) -> None:
    """PUB-7, VER-1: it is counted apart, repair leaves it, and the primary's next change of the field ends it."""
    joined.connect("Account", one_way=True)
    ours, theirs = account(joined)
    joined.update(S, "Account", theirs, Phone="edited")
    for report in (joined.verify(repair=True), joined.verify_hashes()):
        assert report.equal
        (result,) = report.objects
        assert (result.linked, result.equal, result.different, result.edited_in_secondary) == (1, 0, 0, 1)
        assert report.differences == ()
    joined.drain()
    assert joined.get(S, "Account", theirs, "Phone") == "edited"
    joined.update(P, "Account", ours, Phone="3")
    joined.drain()
    assert joined.verify().objects[0].equal == 1


def test_one_way_a_change_that_never_arrived_is_mended(joined: Joined) -> None:
    """PUB-7, VER-1: the primary changed last, so the difference is a fault, and only the primary wins."""
    joined.connect("Account", one_way=True, settings={"conflicts": "secondary-wins"})
    ours, theirs = account(joined)
    damaged(joined, P, ours, Phone="lost")
    assert not joined.verify_hashes().equal
    assert_mended(joined)
    assert joined.get(S, "Account", theirs, "Phone") == "lost"


def test_one_way_a_row_deleted_for_good_in_the_secondary(joined: Joined) -> None:
    """VER-1: it comes back as a new record, since nobody can edit what is gone."""
    joined.connect("Account", one_way=True)
    ours, theirs = account(joined)
    joined.delete(S, "Account", theirs)
    assert joined.verify().objects[0].edited_in_secondary == 1
    joined.delete(S, "Account", theirs)
    assert_mended(joined)
    assert joined.get(S, "Account", joined.other(P, ours), "IsDeleted") == 0


def test_many_records_are_mended_at_once(two_way: Joined) -> None:
    """VER-1: hundreds of differences of several kinds, in one repair."""
    for number in range(400):
        two_way.insert(P, "Account", Name=f"Account {number}", Phone=str(number))
    two_way.drain()
    records = [row[0] for row in two_way.clients[P].execute('SELECT "Id" FROM "Account" ORDER BY "Id"')]
    for number, record in enumerate(records):
        if number % 4 == 0:
            two_way.update(P, "Account", record, Phone="lost")
        elif number % 4 == 1:
            two_way.delete(S, "Account", two_way.other(P, record))
    two_way.forget(P)
    two_way.forget(S)
    report = two_way.verify(repair=True)
    assert report.repair is not None
    assert (report.repair.from_primary, report.repair.from_secondary) == (200, 0)
    assert len(report.differences) == 100
    two_way.drain()
    assert two_way.verify().equal
    assert two_way.one(S, 'SELECT count(*) FROM "Account" WHERE "IsDeleted" = FALSE') == 400
