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
        world.write_sql(org, "CREATE TABLE seen (op TEXT, record TEXT, origin INTEGER)")
        world.write_sql(
            org,
            "CREATE TRIGGER watch AFTER INSERT ON orgsync_change"
            " BEGIN INSERT INTO seen VALUES (NEW.op, NEW.record, NEW.origin); END",
        )


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
