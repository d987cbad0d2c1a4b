"""Mirrors of auto-numbers from the first apply to the last: numbers travel, formats stay apart (AUT-1)."""

from __future__ import annotations

import pytest
from mirror_world import CASE_MIRROR, CASES, P, S, World, layout, shown_on
from org_stores import triggers_of

from orgsync_reconcile.metadata import to_component
from orgsync_reconcile.model.component import ComponentKey
from orgsync_reconcile.stores.sql import components

OBJECT = {
    "label": "Order",
    "pluralLabel": "Orders",
    "nameField": {"type": "AutoNumber", "label": "Order", "displayFormat": "O-{0000}"},
    "deploymentStatus": "Deployed",
    "sharingModel": "ReadWrite",
}


@pytest.mark.pairings
def test_replicated_records_keep_their_number(world: World) -> None:
    """AUT-1: old and new cases, bulk sync and drain, both ways; each org counts in its own format."""
    world.insert(P, Subject="old")
    world.apply()
    world.insert(P, Subject="new")
    world.insert(S, Subject="there")
    world.sync(bulk=True)
    here, there = world.numbers(P), world.numbers(S)
    assert {name: mirror for name, (_, mirror) in here.items()} == {
        "old": "00000001",
        "new": "00000002",
        "there": "2-00000001",
    }
    assert {name: mirror for name, (_, mirror) in there.items()} == {name: mirror for name, (_, mirror) in here.items()}
    assert {number[:2] for number, _ in there.values()} == {"2-"}
    assert {number[:2] for number, _ in here.values()} == {"00"}
    assert world.plan().actions == ()


def test_only_blank_mirrors_are_filled(world: World) -> None:
    """AUT-1: what a company's own field holds already stays, in old and in new records."""
    field = {"fullName": "Acme_Number__c", "label": "Number", "type": "Text", "length": "40"}
    world.deploy(P, to_component("CustomField", "Case.Acme_Number__c", field))
    world.insert(P, Subject="kept", Acme_Number__c="K-1")
    world.insert(P, Subject="blank", Acme_Number__c="")
    modified = world.one(P, 'SELECT "LastModifiedDate" FROM "Case" WHERE "Subject" = \'blank\'')
    assert "primary/field" not in world.steps()
    world.apply()
    world.insert(P, Subject="given", Acme_Number__c="G-1")
    world.insert(P, Subject="loaded", CaseNumber="L-7")
    assert {name: mirror for name, (_, mirror) in world.numbers(P).items()} == {
        "kept": "K-1",
        "blank": "00000002",
        "given": "G-1",
        "loaded": "L-7",
    }
    # The bulk sync goes by the last modification (BLK-1), which the filling is not.
    assert world.one(P, 'SELECT "LastModifiedDate" FROM "Case" WHERE "Subject" = \'blank\'') == modified
    assert world.one(S, "SELECT 1 FROM orgsync_field WHERE name = 'Acme_Number__c' AND definition LIKE '%40%'") == 1


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
def test_a_later_mirror_reaches_linked_records(world: World) -> None:
    """AUT-1: declared on a live connection, every record gets the number of the org that it was made in."""
    world.declare()
    world.apply()
    world.insert(P, Subject="here")
    world.insert(S, Subject="there")
    world.sync(bulk=True)
    world.declare(CASE_MIRROR)
    steps = world.steps()
    assert (steps["primary/values"], steps["secondary/values"]) == ("fill-mirror", "fill-mirror")
    filled = [action for action in world.plan().actions if action.op.value == "fill-mirror"]
    assert [action.effects for action in filled] == [{"records": 1}, {"records": 1}]
    world.apply()
    world.sync()
    # The secondary had counted in the primary's format until then.
    for side in (P, S):
        assert {name: mirror for name, (_, mirror) in world.numbers(side).items()} == {
            "here": "00000001",
            "there": "00000001",
        }


def test_layouts_show_the_mirror(world: World) -> None:
    """AUT-1, MET-5: in both orgs, in the place of the number, and no drift afterwards, nor when the layout changes."""
    world.deploy(P, layout("Case-Case Layout", "Subject", "CaseNumber"), layout("Case-Close", "Status"))
    world.deploy(S, layout("Case-Local", "Acme_Number__c", "CaseNumber"))
    world.apply()
    for side in (P, S):
        assert shown_on(world, side, "Case-Case Layout") == ["Subject", "Acme_Number__c"]
        assert shown_on(world, side, "Case-Close") == ["Status"]
    assert shown_on(world, S, "Case-Local") == ["Acme_Number__c"]
    world.deploy(P, layout("Case-Case Layout", "Status", "Acme_Number__c", "CaseNumber"))
    plan = world.plan()
    assert plan.drift == ()
    assert sorted(action.op.value for action in plan.actions) == ["deploy-component", "mirror-layout"]
    world.apply()
    assert shown_on(world, S, "Case-Case Layout") == ["Status", "Acme_Number__c"]


def test_layouts_of_both_orgs_stay_in_step(world: World) -> None:
    """AUT-1, MET-5: a layout that was synced before counts as synced after both orgs have changed it."""
    world.declare()
    world.deploy(P, layout("Case-Case Layout", "Subject", "CaseNumber"))
    world.apply()
    world.declare(CASE_MIRROR)
    world.apply()
    world.deploy(P, layout("Case-Case Layout", "Status", "Acme_Number__c"))
    plan = world.plan()
    assert plan.drift == ()
    assert [action.reason for action in plan.actions] == ["changed"]


def test_the_name_of_a_custom_object(world: World) -> None:
    """AUT-1, MET-5: its format is the object's, its layouts keep it, and the object can change without drift."""
    world.declare('auto_numbers: [{object: Order__c, field: Name, mirror: Number__c, secondary_format: "B-{0000}"}]')
    world.write("cases.yaml", CASES.replace("Case", "Order__c").replace("{include: [Subject]}", "all"))
    world.deploy(P, to_component("CustomObject", "Order__c", OBJECT), layout("Order__c-Order Layout", "Name"))
    world.apply()
    world.clients[P].execute('INSERT INTO "Order__c" DEFAULT VALUES')
    world.clients[S].execute('INSERT INTO "Order__c" DEFAULT VALUES')
    world.sync()
    shown = [world.clients[side].execute('SELECT "Name", "Number__c" FROM "Order__c"').fetchall() for side in (P, S)]
    assert shown == [[("O-0001", "O-0001"), ("O-0002", "B-0001")], [("B-0001", "B-0001"), ("B-0002", "O-0001")]]
    assert shown_on(world, S, "Order__c-Order Layout") == ["Name", "Number__c"]
    world.deploy(P, to_component("CustomObject", "Order__c", {**OBJECT, "label": "Sales Order"}))
    assert world.plan().drift == ()
    world.apply()
    world.clients[S].execute('INSERT INTO "Order__c" DEFAULT VALUES')
    assert world.one(S, 'SELECT max("Name") FROM "Order__c"') == "B-0003"


def test_a_custom_auto_number_keeps_its_own_format(world: World) -> None:
    """AUT-1, MET-5: the secondary's display format is no drift and is not corrected."""
    number = {"fullName": "Serial__c", "label": "Serial", "type": "AutoNumber", "displayFormat": "S-{000}"}
    world.deploy(P, to_component("CustomField", "Case.Serial__c", number))
    mirror = 'auto_numbers: [{object: Case, field: Serial__c, mirror: Acme_Number__c, secondary_format: "T-{000}"}]'
    world.declare(mirror)
    world.apply()
    world.insert(P, Subject="a")
    world.insert(S, Subject="b")
    world.sync()
    sql = 'SELECT "Subject", "Serial__c", "Acme_Number__c" FROM "Case" ORDER BY "Subject"'
    assert world.clients[S].execute(sql).fetchall() == [("a", "T-002", "S-001"), ("b", "T-001", "T-001")]
    world.deploy(P, to_component("CustomField", "Case.Serial__c", {**number, "label": "Serial number"}))
    assert world.plan().drift == ()
    world.apply()


@pytest.mark.pairings("sqlite-sqlite", "postgres-sqlite")
def test_taking_the_declaration_back(world: World) -> None:
    """AUT-1: the triggers go, planned; the field and its values stay."""
    world.declare()
    world.apply()
    before = [triggers_of(world.clients[side], "Case") for side in (P, S)]
    world.declare(CASE_MIRROR)
    world.insert(P, Subject="old")
    world.apply()
    assert all(triggers_of(world.clients[side], "Case") > known for side, known in zip((P, S), before, strict=True))
    world.declare()
    assert world.steps() == {"primary/trigger": "remove-mirror", "secondary/trigger": "remove-mirror"}
    world.apply()
    assert [triggers_of(world.clients[side], "Case") for side in (P, S)] == before
    world.insert(P, Subject="new")
    assert world.numbers(P) == {"old": ("00000001", "00000001"), "new": ("00000002", None)}


def test_another_mirror_takes_over(world: World) -> None:
    """AUT-1: the old field keeps its values and is filled no more."""
    world.apply()
    world.insert(P, Subject="one")
    world.declare(CASE_MIRROR.replace("Acme_Number__c", "Fresh__c"))
    world.apply()
    world.insert(P, Subject="two")
    sql = 'SELECT "Acme_Number__c", "Fresh__c" FROM "Case" ORDER BY "Subject"'
    assert world.clients[P].execute(sql).fetchall() == [("00000001", "00000001"), (None, "00000002")]


def test_a_deleted_mirror_comes_back(world: World) -> None:
    """AUT-1: records can be made while the field is gone, and the next apply mends it."""
    world.write("cases.yaml", CASES)
    world.apply()
    with world.open(P) as org:
        components.delete(org, ComponentKey("CustomField", "Case.Acme_Number__c"))
    world.insert(P, Subject="meanwhile")
    world.apply()
    assert world.numbers(P) == {"meanwhile": ("00000001", "00000001")}
