"""Bulk sync: what goes, in which order, what stays behind, and how far it is (BLK-*)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from org_stores import refuse
from sync_world import P, S, World

from orgsync_reconcile.clock import iso
from orgsync_reconcile.errors import OrgsyncError, UsageError
from orgsync_reconcile.model.connection import ConnectionStatus
from orgsync_reconcile.stores.sql import connections
from orgsync_reconcile.stores.sql.flow import Flow
from orgsync_reconcile.stores.sql.flow.bulk import checkpoints
from orgsync_reconcile.sync import bulk as bulk_module
from orgsync_reconcile.sync.bulk import bulk_sync


def old(world: World, days: int) -> dict[str, object]:
    """Audit dates so many days back."""
    moment = iso(world.now - timedelta(days=days))
    return {"CreatedDate": moment, "LastModifiedDate": moment}


def test_cutoff_takes_what_was_created_or_modified_since(world: World) -> None:
    """BLK-1, BLK-2: stages with earlier cutoffs bring only what is new; nothing is copied twice."""
    world.insert(P, "Account", Name="new")
    world.insert(P, "Account", Name="loaded", LastModifiedDate=iso(world.now - timedelta(days=900)))
    world.insert(P, "Account", Name="older", **old(world, 100))
    edited = world.insert(P, "Account", Name="oldest", **old(world, 500))
    world.insert(P, "Account", Name="never", **old(world, 900))
    world.update(P, "Account", edited, Phone="1")
    deleted = world.insert(P, "Account", Name="deleted")
    world.delete(P, "Account", deleted)
    world.connect("Account")
    stages = [world.bulk(P, cutoff=world.now - timedelta(days=days))["Account"].copied for days in (90, 90, 180, 365)]
    assert stages == [3, 0, 1, 0]
    assert sorted(world.all(S, 'SELECT "Name" FROM "Account"')) == ["loaded", "new", "older", "oldest"]
    assert world.bulk(P, cutoff=None)["Account"].copied == 1
    world.assert_equal()


def test_a_parent_before_the_cutoff_is_not_pulled_in(world: World) -> None:
    """BLK-1, LKP-2: an optional lookup waits for it, a required one is logged; both go once it is there."""
    account = world.insert(P, "Account", Name="old", **old(world, 400))
    case = world.insert(P, "Case", Subject="old", **old(world, 400))
    contact = world.insert(P, "Contact", LastName="Doe", AccountId=account)
    comment = world.insert(P, "CaseComment", ParentId=case, CommentBody="x")
    world.connect("Account", "Case", "Contact", "CaseComment")
    counts = world.bulk(P, cutoff=world.now - timedelta(days=365))
    assert [(item.object, item.copied, item.failed) for item in counts.values() if item.copied or item.failed] == [
        ("Contact", 1, 0),
        ("CaseComment", 0, 1),
    ]
    assert world.log_words(P) == [("Retrying", "INVALID_CROSS_REFERENCE_KEY", comment)]
    world.bulk(P)
    world.drain()
    assert world.get(S, "Contact", str(world.other(P, contact)), "AccountId") == world.other(P, account)
    assert world.other(P, comment)
    world.assert_equal()


def test_limit_is_a_total_parents_first_newest_first(world: World) -> None:
    """BLK-1, LKP-1: three records: both accounts, then the newest contact."""
    for days in (3, 1):
        account = world.insert(P, "Account", Name=f"{days} days", **old(world, days))
        world.insert(P, "Contact", LastName=f"{days} days", AccountId=account, **old(world, days))
    world.connect("Contact", "Account")
    counts = world.bulk(P, limit=3)
    assert {name: item.copied for name, item in counts.items()} == {"Account": 2, "Contact": 1}
    assert world.all(S, 'SELECT "LastName" FROM "Contact"') == ["1 days"]
    assert world.bulk(P, limit=1)["Contact"].copied == 1
    assert world.bulk(P, limit=5)["Contact"].copied == 0
    world.assert_equal()


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
@pytest.mark.parametrize("limit", [None, 1000])
def test_a_bad_record_and_its_children_stay_behind(world: World, limit: int | None) -> None:
    """BLK-3, LOG-1, PUB-8: everything else arrives; the bad one goes with its family once it is mended."""
    accounts = [world.insert(P, "Account", Name=f"Account {number}", Site=str(number)) for number in range(40)]
    contacts = [world.insert(P, "Contact", LastName="x", AccountId=account) for account in accounts]
    task = world.insert(P, "Task", Subject="t", WhoId=contacts[17])
    refuse(world.clients[S], "Account", "not 17", field="Site", only="""NEW."Site" = '17'""")
    world.connect("Account", "Contact", "Task")
    counts = world.bulk(P, limit=limit)
    assert {name: (item.copied, item.failed) for name, item in counts.items()} == {
        "Account": (39, 1),
        "Contact": (39, 1),
        "Task": (0, 1),
    }
    words = world.log_words(P)
    assert words[0] == ("Retrying", "FIELD_CUSTOM_VALIDATION_EXCEPTION", accounts[17])
    assert [item[1:] for item in words[1:]] == [
        ("INVALID_CROSS_REFERENCE_KEY", contacts[17]),
        ("INVALID_CROSS_REFERENCE_KEY", task),
    ]
    world.update(P, "Account", accounts[17], Site="mended")
    world.settle()
    assert world.count(S, "Contact") == 40
    assert [item[0] for item in world.log_words(P)[3:]] == ["Resolved"] * 3
    world.assert_equal()


@pytest.mark.pairings
def test_progress_is_seen_from_another_process(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """BLK-5: remaining records per object, in the target, while the bulk sync runs."""
    monkeypatch.setattr(bulk_module, "RANGE", 10)
    for number in range(35):
        world.insert(P, "Account", Name=str(number))
    world.connect("Account")
    seen: list[tuple[int, int, int]] = []

    def look(_: str, done: int, total: int) -> None:
        seen.append((done, total, world.one(S, "SELECT remaining FROM orgsync_bulk")))

    bulk_sync(world.pair, source=P, cutoff=None, clock=world.clock, progress=look)
    assert seen == [(10, 35, 25), (20, 35, 15), (30, 35, 5), (35, 35, 0)]
    (checkpoint,) = checkpoints(Flow(world.pair, P))
    assert (checkpoint.finished, checkpoint.copied, checkpoint.failed) == (True, 35, 0)


def test_both_orgs_agree_afterwards(world: World) -> None:
    """BLK-7, BLK-2, VER-1: from either org, with live changes and records linked already in between."""
    for side in (P, S):
        for number in range(5):
            account = world.insert(side, "Account", Name=f"{side} {number}", AnnualRevenue=number)
            world.insert(side, "Contact", LastName="x", AccountId=account)
    world.connect("Account", "Contact")
    live = world.insert(P, "Account", Name="live")
    world.drain()
    world.update(P, "Account", live, Phone="1")
    world.bulk(P)
    world.bulk(S)
    world.bulk(P)
    world.settle()
    assert [world.count(side, name) for side in (P, S) for name in ("Account", "Contact")] == [11, 10, 11, 10]
    assert [item.linked for item in world.verify().objects] == [11, 10]
    world.assert_equal()


def test_a_bulk_sync_that_cannot_run_says_why(world: World) -> None:
    """BLK-1, CON-5: an object that does not flow; a connection that is not active."""
    world.connect("Account")
    with pytest.raises(UsageError, match="Lead is not published by acme"):
        world.bulk(P, "Lead")
    connections.set_status(
        world.orgs[S], world.connection, ConnectionStatus.SUSPENDED, actor="x", clock=lambda: datetime.now(UTC)
    )
    with pytest.raises(OrgsyncError, match=r"Suspended in the secondary org; bring it to Active first"):
        world.bulk(P)


@pytest.mark.pairings
def test_what_a_drain_brought_is_left_out_of_each_range(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """BLK-2: that one range has no links says nothing of the next one."""
    monkeypatch.setattr(bulk_module, "RANGE", 10)
    for number in range(15):
        world.insert(P, "Account", Name=f"early {number}")
    world.connect("Account")
    for number in range(10):
        world.insert(P, "Account", Name=f"live {number}")
    world.drain()
    counts = world.bulk(P)["Account"]
    assert (counts.copied, counts.failed, world.log(P)) == (15, 0, [])
    assert world.count(S, "Account") == 25
    world.assert_equal()
