"""Published projects, connected two-way: planned, applied, copied, edited in both orgs by plain SQL, drained, equal."""

from __future__ import annotations

import pytest
from real_compare import ORGS, compare
from real_edits import edit_both
from real_npsp import fill_from_dump
from real_world import ABSENT, REAL, RECORDS, World, fill

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=ABSENT)


def watch(world: World) -> None:
    """Every entry of a change log is kept beside it: the log itself is trimmed once it was sent."""
    for org in ORGS:
        world.write_sql(org, "CREATE TABLE seen (op TEXT)")
        note, when = "INSERT INTO seen VALUES (NEW.op)", "CREATE TRIGGER watch AFTER INSERT ON orgsync_change"
        if world.store(org).startswith("sqlite:"):
            world.write_sql(org, f"{when} BEGIN {note}; END")
        else:
            made = f"CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {note}; RETURN NULL; END $$"
            world.write_sql(org, made)
            world.write_sql(org, f"{when} FOR EACH ROW EXECUTE FUNCTION watch()")


def seen(world: World, *ops: str) -> list[int]:
    """How many entries each org's change log has ever had."""
    chosen = ", ".join(f"'{op}'" for op in ops)
    return [world.one(org, f"SELECT count(*) FROM seen WHERE op IN ({chosen})") for org in ORGS]


def verified(world: World) -> int:
    """What `verify` says of the orgs: nothing differs. Returns how many linked records are alive in both."""
    found = world.json("verify", "--detailed-exitcode")
    assert found["differences"] == []
    assert all(item["linked"] == item["equal"] for item in found["objects"])
    return sum(item["linked"] for item in found["objects"])


@pytest.fixture(params=[*sorted(RECORDS), "dev_org", "trailhead"])
def world(request: pytest.FixtureRequest, new_world: World) -> World:
    return (fill if request.param in RECORDS else fill_from_dump)(new_world, request.param)


def test_blk_7_cnf_3_ver_1_the_whole_way(world: World) -> None:
    """ORG-10, REC-2, PUB-2, BLK-7, ORG-7, CNF-1, CNF-3, LKP-1, LKP-4, QUE-4, VER-1: from import to equal after edits."""
    go_the_whole_way(world)


@pytest.mark.soak
@pytest.mark.pairings("postgres-postgres", "sqlite-postgres", "postgres-sqlite")
@pytest.mark.parametrize("dump", ["dev_org", "trailhead"])
def test_blk_7_cnf_3_ver_1_the_whole_way_of_a_large_project_on_servers(new_world: World, dump: str) -> None:
    """The same with NPSP, where one of the orgs lies on a server, or both."""
    go_the_whole_way(fill_from_dump(new_world, dump))


def go_the_whole_way(world: World) -> None:
    """Imported already: connects, copies, edits both orgs, and compares them."""
    objects = world.publishable()
    dirt = {item["kind"] for item in world.json("org", "check", world.store("acme"))["findings"]}
    assert dirt <= {"duplicate"}
    world.connect(objects)
    world.apply()
    records = {name: world.one("acme", f'SELECT count(*) FROM "{name}"') for name in objects}
    assert all(world.one("acme-secondary", f'SELECT count(*) FROM "{name}"') == 0 for name in objects)

    watch(world)
    assert world.bulk_sync() == {name: (count, 0, 0) for name, count in records.items()}
    assert compare(world) == records
    assert world.bulk_sync() == world.drain() == {}
    assert seen(world, "I", "U", "D", "R") == [0, 0]

    for step in range(3):
        edit_both(world, step)
        before = seen(world, "I", "U")
        assert world.drain() != {}
        # A delete that lost, and a cascade that the other org does not share, may go back; no value ever does.
        assert seen(world, "I", "U") == before
        alive = compare(world)
        assert sum(alive.values()) <= verified(world)
        assert world.drain() == {}
    assert world.plan()["actions"] == []
    assert world.json("queue", "list")["items"] == []
