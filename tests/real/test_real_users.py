"""Users of both orgs of a connected project: copied with their names, changed, deactivated, and owners of records."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from real_compare import compare
from real_world import ABSENT, REAL, World

pytestmark = [
    pytest.mark.skipif(not REAL.is_dir(), reason=ABSENT),
    pytest.mark.pairings("sqlite-sqlite", "postgres-sqlite", "postgres-postgres"),
]


@pytest.fixture
def world(connected: Callable[[str], World]) -> World:
    """E-Bikes, connected and copied."""
    return connected("ebikes")


def add(world: World, org: str, username: str) -> str:
    """A user with the Standard User profile, as any client makes one; returns the Id."""
    world.write_sql(
        org,
        'INSERT INTO "User" ("Username", "LastName", "FirstName", "Email", "Alias", "ProfileId", "IsActive")'
        " VALUES (?, 'Rider', 'Ada', 'ada@acme.example', 'arider', (SELECT \"Id\" FROM \"Profile\" WHERE \"Name\" = 'Standard User'), TRUE)",
        username,
    )
    return str(world.one(org, 'SELECT "Id" FROM "User" WHERE "Username" = ?', username))


def test_usr_2_usr_3_users_go_both_ways_under_their_names(world: World) -> None:
    """USR-1, USR-2, USR-3, ORG-7: `.dr` is appended and removed; changes and deactivation follow, without an echo."""
    add(world, "acme", "ada@acme.example")
    add(world, "acme-secondary", "bea@acme.example.dr")
    world.drain()
    named = 'SELECT "Username" FROM "User" WHERE "LastName" = \'Rider\' ORDER BY 1'
    assert world.read("acme", named) == [("ada@acme.example",), ("bea@acme.example",)]
    assert world.read("acme-secondary", named) == [("ada@acme.example.dr",), ("bea@acme.example.dr",)]
    assert world.plan()["actions"] == []

    world.write_sql("acme", 'UPDATE "User" SET "Title" = ? WHERE "Username" = ?', "Mechanic", "bea@acme.example")
    world.write_sql(
        "acme-secondary", 'UPDATE "User" SET "IsActive" = FALSE WHERE "Username" = ?', "ada@acme.example.dr"
    )
    world.drain()
    title = 'SELECT "Title" FROM "User" WHERE "Username" = ?'
    assert world.one("acme-secondary", title, "bea@acme.example.dr") == "Mechanic"
    assert world.one("acme", 'SELECT "IsActive" FROM "User" WHERE "Username" = ?', "ada@acme.example") == 0
    assert world.drain() == {}
    assert world.plan()["actions"] == []


def test_usr_2_a_user_without_the_ending_is_logged(world: World) -> None:
    """USR-2: a user made in the secondary without `.dr` stays there; the secondary's log says so."""
    user = add(world, "acme-secondary", "eve@acme.example")
    world.run("drain")
    assert world.read("acme", 'SELECT 1 FROM "User" WHERE "FirstName" = \'Ada\'') == []
    entries = world.read("acme-secondary", 'SELECT "Status" FROM "PartnerNetworkSyncLog" WHERE "LocalRecord" = ?', user)
    assert entries == [("Failed",)]


def test_usr_5_owners_are_translated(world: World) -> None:
    """USR-5, LKP-6: records that change hands arrive with the other org's user, whichever org they changed in."""
    first, second = add(world, "acme", "ada@acme.example"), add(world, "acme-secondary", "bea@acme.example.dr")
    owner = 'UPDATE "Product__c" SET "OwnerId" = ? WHERE "Id" = (SELECT {}("Id") FROM "Product__c")'
    world.write_sql("acme", owner.format("min"), first)
    world.write_sql("acme-secondary", owner.format("max"), second)
    world.drain()
    compare(world)
    owners = 'SELECT DISTINCT u."Username" FROM "Product__c" AS p JOIN "User" AS u ON u."Id" = p."OwnerId" ORDER BY 1'
    assert world.read("acme", owners) == [("ada@acme.example",), ("admin@acme.example",), ("bea@acme.example",)]
    assert world.drain() == {}
