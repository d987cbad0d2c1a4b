"""A published project, connected one-way: only the primary's changes travel, and the secondary's edits stand."""

from __future__ import annotations

import pytest
from real_compare import compare, facts, opened
from real_edits import edit_both
from real_world import ABSENT, REAL, World, fill

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=ABSENT)


def test_pub_7_one_way(new_world: World) -> None:
    """PUB-7, LKP-5: nothing goes back; an edit in the secondary stands until the primary changes that very field."""
    world = fill(new_world, "easy-spaces")
    objects = world.publishable()
    world.connect(objects, direction="one-way")
    world.apply()
    copied = world.bulk_sync()
    assert {name: count for name, (count, _, _) in copied.items()} == compare(world)
    with opened(world, "acme-secondary") as db:
        assert facts(db).fields == {}
    world.run("bulk-sync", "acme-dr", "--from", "secondary", code=64)

    here, there = world.read("acme", "SELECT local, partner FROM orgsync_link WHERE local LIKE '001%' LIMIT 1")[0]
    world.write_sql("acme-secondary", 'UPDATE "Account" SET "Phone" = ?, "Fax" = ? WHERE "Id" = ?', "1", "2", there)
    made = 'INSERT INTO "Account" ("Name") VALUES (?)'
    world.write_sql("acme-secondary", made, "Only in the secondary")
    assert world.drain() == {}
    world.write_sql("acme", 'UPDATE "Account" SET "Phone" = ? WHERE "Id" = ?', "3", here)
    assert world.drain() == {"Account": (0, 1, 0)}
    found = world.read("acme-secondary", 'SELECT "Phone", "Fax" FROM "Account" WHERE "Id" = ?', there)
    assert found == [("3", "2")]
    assert world.one("acme", 'SELECT count(*) FROM "Account" WHERE "Name" = ?', "Only in the secondary") == 0
    assert world.plan()["actions"] == []


def test_cnf_3_one_way_edits_of_the_primary_arrive(new_world: World) -> None:
    """QUE-4, LKP-1, LKP-4: inserts, updates, deletes, undeletes and new parents of the primary, value by value."""
    world = fill(new_world, "coral-cloud")
    world.connect(world.publishable(), direction="one-way")
    world.apply()
    world.bulk_sync()
    for step in range(3):
        edit_both(world, step, orgs=("acme",))
        assert world.drain() != {}
        compare(world)
        assert world.drain() == {}
        assert world.json("verify", "--detailed-exitcode")["differences"] == []
