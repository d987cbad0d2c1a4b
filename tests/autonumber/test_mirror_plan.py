"""What a plan says about mirrors of auto-numbers, and what it refuses (AUT-1)."""

from __future__ import annotations

import pytest
from mirror_world import CASE_MIRROR, P, S, World, layout

from orgsync_reconcile.metadata import to_component
from orgsync_reconcile.plan import from_json, render_text, to_json


def custom(name: str, type_: str = "Text", **content: str) -> object:
    """A custom field of Case."""
    return to_component("CustomField", f"Case.{name}", {"fullName": name, "label": name, "type": type_, **content})


def test_everything_is_planned(world: World) -> None:
    """AUT-1: field, layout, triggers and existing values in both orgs, the format in the secondary, the publication."""
    world.insert(P, Subject="old")
    world.deploy(S, layout("Case-Case Layout", "CaseNumber", "Subject"))
    assert world.steps() == {
        "primary/field": "create-mirror",
        "primary/trigger": "install-mirror",
        "primary/values": "fill-mirror",
        "secondary/field": "create-mirror",
        "secondary/layout/Case-Case Layout": "mirror-layout",
        "secondary/format": "set-display-format",
        "secondary/trigger": "install-mirror",
    }
    plan = world.plan()
    by_op = {(action.op.value, action.org): action for action in plan.actions}
    filled = by_op["fill-mirror", "acme"]
    assert (filled.risk, filled.effects, filled.change) == ("moves-data", {"records": 1}, "run")
    assert by_op["publish-object", "acme"].after["fields"] == ["Acme_Number__c", "Subject"]  # type: ignore[index]
    order = [(action.op.value, action.org) for action in plan.actions]
    assert order.index(("create-mirror", "acme-dr")) < order.index(("subscribe-object", "acme-dr"))
    assert by_op["create-mirror", "acme"].id in by_op["publish-object", "acme"].depends_on
    assert from_json(to_json(plan), "plan.json") == plan
    text = render_text(plan)
    assert "display_format: {00000000} → 2-{00000000}" in text
    assert "fill-mirror in acme (from CaseNumber, 1 record)" in text
    assert "shows: CaseNumber → Acme_Number__c" in text


def test_a_publication_takes_the_mirror_along(world: World) -> None:
    """AUT-1: declared later, the mirror is added to the published fields because of its auto-number."""
    world.declare()
    world.apply()
    world.declare(CASE_MIRROR)
    found = {action.address: action.reason for action in world.plan().actions}
    assert found["dr/publication/Case/field/Acme_Number__c"] == "dependency"
    assert found["dr/subscription-back/Case/field/Acme_Number__c"] == "dependency"


@pytest.mark.parametrize(
    ("publication", "warned"),
    [("all", False), ("{exclude: [Acme_Number__c]}", True), ("{include: [Subject]}", False)],
)
def test_a_mirror_that_does_not_travel_is_a_warning(world: World, publication: str, warned: bool) -> None:
    """AUT-1: who excludes the mirror by name is told."""
    world.write("cases.yaml", f"version: 1\nkind: Publication\nconnection: dr\nobject: Case\nfields: {publication}\n")
    assert ("W329" in [item.code for item in world.plan().diagnostics]) is warned


@pytest.mark.pairings("sqlite-sqlite", "sqlite-postgres")
@pytest.mark.parametrize(
    ("field", "problem"),
    [
        (custom("Acme_Number__c", "Checkbox"), "is of type checkbox"),
        (custom("Acme_Number__c", length="9"), "holds 9 characters, the numbers have 10"),
        (custom("Acme_Number__c", length="30", required="true"), "is required"),
    ],
)
def test_a_field_that_cannot_hold_numbers_is_an_error(world: World, field: object, problem: str) -> None:
    """AUT-1: a field of that name is used as it is, if it can be."""
    world.deploy(S, field)  # type: ignore[arg-type]
    [error] = [item for item in world.plan().diagnostics if item.severity == "error"]
    assert error.code == "E329"
    assert problem in error.message
    assert "acme-dr" in error.message


def test_two_mirrors_of_one_number_are_an_error(world: World) -> None:
    """AUT-1: one number, one mirror."""
    other = CASE_MIRROR.replace("Acme_Number__c", "Other__c").partition("[")[2].rstrip("]")
    world.declare(CASE_MIRROR.rstrip("]") + ", " + other + "]")
    plan = world.plan()
    assert [item.code for item in plan.diagnostics if item.severity == "error"] == ["E329"]
    assert not plan.applyable


def test_whoever_acts_must_be_allowed_to(world: World) -> None:
    """AUT-1, CON-11: fields, layouts and triggers take Customize Application in each org."""
    world.clients[S].execute("DELETE FROM orgsync_grant WHERE permission = 'CustomizeApplication'")
    errors = [item.message for item in world.plan().diagnostics if item.code == "E306"]
    assert errors == ["admin@acme.example.dr lacks CustomizeApplication in acme-dr, which the plan needs"]
