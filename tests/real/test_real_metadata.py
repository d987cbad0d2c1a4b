"""A published project whose metadata changes after it was connected: new and resized fields, picklists, layouts, drift."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from real_compare import compare
from real_world import ABSENT, REAL, World

pytestmark = [
    pytest.mark.skipif(not REAL.is_dir(), reason=ABSENT),
    pytest.mark.pairings("sqlite-sqlite", "sqlite-postgres", "postgres-postgres"),
]

SOURCE = REAL / "dreamhouse" / "force-app" / "main" / "default"
FIELDS = "objects/Property__c/fields"
CITY = f"{FIELDS}/City__c.field-meta.xml"
STATUS = f"{FIELDS}/Status__c.field-meta.xml"
LAYOUT = "layouts/Property__c-Property Layout.layout-meta.xml"


@pytest.fixture
def world(connected: Callable[[str], World]) -> World:
    """Dreamhouse, connected and copied."""
    return connected("dreamhouse")


def deploy(world: World, org: str, name: str, old: str, new: str, *, into: str = "") -> None:
    """Imports one of the project's files into an org, with one piece of its text replaced."""
    text = (SOURCE / name).read_text(encoding="utf-8")
    assert old in text
    path = world.folder / "changed" / (into or name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace(old, new), encoding="utf-8")
    world.run("org", "import", world.store(org), "changed")
    path.unlink()


def planned(world: World) -> list[tuple[str, str, str]]:
    """(op, address, reason) of every planned action."""
    return [(item["op"], item["address"], item["reason"]) for item in world.plan()["actions"]]


def set_all(world: World, org: str, column: str, value: object) -> None:
    world.write_sql(org, f'UPDATE "Property__c" SET "{column}" = ?', value)


def test_pub_9_a_new_field_is_deployed_published_and_synced(world: World) -> None:
    """PUB-9, MET-1, MET-9: a field that the primary gets goes to the secondary and travels from then on, both ways."""
    deploy(world, "acme", CITY, "City", "Quarter", into=f"{FIELDS}/Quarter__c.field-meta.xml")
    address = "acme-dr/publication/Property__c/field/Quarter__c"
    found = planned(world)
    assert ("deploy-component", "acme-dr/metadata/CustomField:Property__c.Quarter__c", "added") in found
    assert address in [item[1] for item in found]
    world.apply()
    set_all(world, "acme", "Quarter__c", "Harbour")
    assert world.drain() == {"Property__c": (0, 12, 0)}
    set_all(world, "acme-secondary", "Quarter__c", "Hill")
    assert world.drain() == {"Property__c": (0, 12, 0)}
    assert world.one("acme", 'SELECT DISTINCT "Quarter__c" FROM "Property__c"') == "Hill"
    assert compare(world)["Property__c"] == 12


def test_pub_8_a_resized_field_stops_until_both_orgs_agree(world: World) -> None:
    """PUB-8: what the resized field gets meanwhile stays where it is; the plan subscribes it again."""
    deploy(world, "acme", CITY, "<length>50</length>", "<length>60</length>")
    set_all(world, "acme", "City__c", "Springfield")
    world.write_sql("acme", 'UPDATE "Property__c" SET "Zip__c" = ?', "12345")
    world.drain()
    assert world.read("acme-secondary", 'SELECT DISTINCT "Zip__c" FROM "Property__c"') == [("12345",)]
    assert ("Springfield",) not in world.read("acme-secondary", 'SELECT "City__c" FROM "Property__c"')

    assert any(op == "subscribe-field" and "City__c" in address for op, address, _ in planned(world))
    world.apply()
    long = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"
    set_all(world, "acme", "City__c", long)
    world.drain()
    assert world.read("acme-secondary", 'SELECT DISTINCT "City__c" FROM "Property__c"') == [(long,)]
    compare(world)


def test_pub_11_a_new_picklist_value_is_deployed_and_travels(world: World) -> None:
    """PUB-11, MET-1: the secondary refuses a value that it does not know; with the metadata it takes it."""
    deploy(world, "acme", STATUS, "<fullName>Closed</fullName>", "<fullName>Withdrawn</fullName>")
    assert ("deploy-component", "acme-dr/metadata/CustomField:Property__c.Status__c", "changed") in planned(world)
    world.apply()
    set_all(world, "acme", "Status__c", "Withdrawn")
    assert world.drain() == {"Property__c": (0, 12, 0)}
    compare(world)


def test_met_5_a_layout_changed_in_either_org(world: World) -> None:
    """MET-1, MET-5, REC-6: a change in the primary goes over; one in the secondary is drift, shown and corrected."""
    address = "acme-dr/metadata/Layout:Property__c-Property Layout"
    content = (
        "SELECT content FROM orgsync_component WHERE type = 'Layout' AND full_name = 'Property__c-Property Layout'"
    )
    deploy(world, "acme", LAYOUT, "<label>Information</label>", "<label>Facts</label>")
    assert planned(world) == [("deploy-component", address, "changed")]
    world.apply()
    assert world.one("acme", content) == world.one("acme-secondary", content)

    deploy(world, "acme-secondary", LAYOUT, "<label>Information</label>", "<label>By hand</label>")
    plan = world.plan()
    assert [(item["op"], item["address"], item["reason"]) for item in plan["actions"]] == [
        ("deploy-component", address, "drift")
    ]
    assert [item["address"] for item in plan["drift"]] == [address]
    assert any("By hand" in line for line in plan["drift"][0]["diff"])
    world.apply()
    assert world.one("acme", content) == world.one("acme-secondary", content)
    assert "By hand" not in world.one("acme-secondary", content)
