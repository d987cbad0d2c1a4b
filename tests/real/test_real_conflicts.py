"""Both orgs of a published project change the same records before anything is sent: they end equal all the same."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from real_compare import ORGS, compare
from real_random import edit_at_random
from real_world import ABSENT, REAL, World

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=ABSENT)


@pytest.fixture
def world(connected: Callable[[str], World]) -> World:
    """Easy Spaces, connected and copied."""
    return connected("easy-spaces")


def pair(world: World, name: str, *, at: int = 0) -> tuple[str, str]:
    """The Ids of one linked record in both orgs."""
    sql = f'SELECT l.local, l.partner FROM "{name}" AS t JOIN orgsync_link AS l ON l.local = t."Id" ORDER BY 1'
    return world.read("acme", sql)[at]


def delete(world: World, org: str, name: str, record: str) -> None:
    world.write_sql(org, f'DELETE FROM "{name}" WHERE "Id" = ?', record)


def update(world: World, org: str, name: str, record: str, field: str, value: object) -> None:
    world.write_sql(org, f'UPDATE "{name}" SET "{field}" = ? WHERE "Id" = ?', value, record)


@pytest.mark.parametrize("seed", range(6))
def test_cnf_3_whatever_both_orgs_do(world: World, seed: int) -> None:
    """CNF-1, CNF-2, CNF-3, LKP-2, LKP-4, ORG-6, QUE-4: random edits, drained in parts and in any order."""
    edit_and_compare(world, seed)


@pytest.mark.pairings("sqlite-postgres", "postgres-sqlite", "postgres-postgres")
@pytest.mark.parametrize("seed", range(2))
def test_cnf_3_whatever_both_orgs_do_on_servers(world: World, seed: int) -> None:
    """The same where one of them lies on a server, or both."""
    edit_and_compare(world, seed)


def edit_and_compare(world: World, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(3):
        for org in dice.sample(ORGS, 2):
            edit_at_random(world, org, dice)
        side = dice.choice(["primary", "secondary"])
        sent = world.invoke("drain", "--from", side, "--max", str(dice.randint(1, 60)))
        assert sent.exit_code in (0, 5), sent.output
    for _ in range(2):
        assert world.invoke("drain").exit_code in (0, 5)
    compare(world)


def test_cnf_1_edits_of_different_fields_survive_though_the_orgs_number_them_differently(
    connected: Callable[[str], World],
) -> None:
    """CNF-1: the secondary got its fields in another order, so one column's number there is another one's here."""
    world = connected("coral-cloud")
    number = (
        "SELECT f.number FROM orgsync_field AS f JOIN orgsync_object AS o ON o.number = f.object"
        " WHERE o.name = 'Experience__c' AND f.name = ?"
    )
    mixed = world.one("acme", number, "Type__c") == world.one("acme-secondary", number, "Reviews_Summary__c")
    assert mixed, "the project's fields no longer collide; choose two that do"
    here, there = pair(world, "Experience__c")
    update(world, "acme", "Experience__c", here, "Type__c", "Swimming")
    update(world, "acme-secondary", "Experience__c", there, "Reviews_Summary__c", "Splendid")
    world.run("drain", "--from", "secondary")
    world.drain()
    both = 'SELECT "Type__c", "Reviews_Summary__c" FROM "Experience__c" WHERE "Id" = ?'
    assert world.read("acme", both, here) == world.read("acme-secondary", both, there) == [("Swimming", "Splendid")]


def test_lkp_4_a_child_that_was_moved_under_a_parent_that_is_deleted(world: World) -> None:
    """LKP-4, CNF-3: the parent's delete takes it along in one org alone, and so the other org hears of it."""
    (market, market_there), (_, space_there) = pair(world, "Market__c"), pair(world, "Space__c", at=40)
    update(world, "acme-secondary", "Space__c", space_there, "Market__c", market_there)
    delete(world, "acme", "Market__c", market)
    world.run("drain", "--from", "primary")
    world.drain()
    compare(world)
    assert world.drain() == {}


def test_cnf_2_a_delete_that_loses_brings_the_children_back(world: World) -> None:
    """CNF-2, LKP-4: the primary edits a market that the secondary deletes with its spaces; all of them come back."""
    market, market_there = pair(world, "Market__c")
    spaces = world.one("acme", 'SELECT count(*) FROM "Space__c" WHERE "Market__c" = ?', market)
    assert spaces
    update(world, "acme", "Market__c", market, "Name", "Still here")
    delete(world, "acme-secondary", "Market__c", market_there)
    world.run("drain", "--from", "secondary")
    world.drain()
    compare(world)
    alive = 'SELECT count(*) FROM "Space__c" WHERE "Market__c" = ? AND "IsDeleted" = FALSE'
    assert world.one("acme", alive, market) == world.one("acme-secondary", alive, market_there) == spaces


def test_que_4_what_was_deleted_for_good_does_not_stay_in_the_other_org(world: World) -> None:
    """QUE-4, CNF-2: the primary's edit cannot bring back a record that the secondary no longer has."""
    lead, lead_there = pair(world, "Lead")
    update(world, "acme", "Lead", lead, "Company", "Edited")
    delete(world, "acme-secondary", "Lead", lead_there)
    delete(world, "acme-secondary", "Lead", lead_there)
    world.run("drain", "--from", "secondary")
    assert world.one("acme", 'SELECT "IsDeleted" FROM "Lead" WHERE "Id" = ?', lead) == 0
    world.drain()
    assert world.read("acme-secondary", 'SELECT 1 FROM "Lead" WHERE "Id" = ?', lead_there) == []
    assert world.one("acme", 'SELECT "IsDeleted" FROM "Lead" WHERE "Id" = ?', lead) == 1
    compare(world)
    assert world.drain() == {}
