"""Planner: objects and fields to publish and subscribe (PUB, MET-10, BLK-6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from plan_facts import (
    ACCOUNT,
    actual,
    addresses,
    at,
    by_address,
    components,
    connected,
    connection,
    desired,
    exclude,
    include,
    lookup,
    messages,
    obj,
    primary,
    publication,
    published,
    secondary,
    subscribed,
    text,
)

from orgsync_reconcile.model.actual import Actual
from orgsync_reconcile.model.connection import Direction, SyncOptions
from orgsync_reconcile.model.desired import AutoNumberMirror
from orgsync_reconcile.model.plan import Change, Op, Plan, Reason, Risk
from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef
from orgsync_reconcile.plan import build_plan

ONE_WAY = Direction.ONE_WAY


def orgs(*items: ObjectDef) -> Actual:
    return actual(primary(items=items), secondary(items=items))


def lane(
    offered: dict[str, Any], accepted: dict[str, Any], *items: ObjectDef, there: tuple[ObjectDef, ...] = (), **more: Any
) -> Actual:
    """A live one-way connection that publishes `offered` and subscribes to `accepted`."""
    wanted = connection(direction=ONE_WAY)
    first = {"published": offered, "bulk_synced": dict.fromkeys(offered, 1), **more}
    return connected(
        first,
        {"subscribed": accepted},
        wanted=wanted,
        here=primary(items=items),
        there=secondary(items=there or items),
    )


def errors(plan: Plan) -> list[tuple[str, int]]:
    return [(item.code, item.origin.line if item.origin else 0) for item in plan.diagnostics if item.code[0] == "E"]


def test_new_object_is_published_and_subscribed_in_both_directions() -> None:
    """PUB-2, PUB-7: two-way is publish and subscribe in each direction; nothing is copied."""
    plan = build_plan(desired(publication("Account")), connected())
    assert [(item.address, item.op, item.org) for item in plan.actions] == [
        ("acme-dr/publication/Account", Op.PUBLISH_OBJECT, "acme"),
        ("acme-dr/subscription/Account", Op.SUBSCRIBE_OBJECT, "acme-secondary"),
        ("acme-dr/publication-back/Account", Op.PUBLISH_OBJECT, "acme-secondary"),
        ("acme-dr/subscription-back/Account", Op.SUBSCRIBE_OBJECT, "acme"),
    ]
    assert all(item.change is Change.CREATE and item.risk is Risk.SAFE for item in plan.actions)
    assert plan.actions[0].after == {
        "fields": ["Name", "OwnerId", "ParentId", "Phone"],
        "match_on": None,
        "record_types": [],
    }
    assert plan.actions[1].after == {"fields": ["Name", "OwnerId", "ParentId", "Phone"]}


def test_one_way_publishes_from_the_primary_only() -> None:
    """PUB-7: one-way is primary to secondary."""
    plan = build_plan(
        desired(publication("Account"), direction=ONE_WAY), connected(wanted=connection(direction=ONE_WAY))
    )
    assert addresses(plan) == ["acme-dr/publication/Account", "acme-dr/subscription/Account"]


def test_mixed_directions_are_a_warning() -> None:
    """PUB-7: a publication with a direction of its own."""
    plan = build_plan(desired(publication("Account", direction=ONE_WAY), publication("Contact")), actual())
    assert messages(plan, "W322") == ["acme-dr is two-way, but Account is one-way"]
    assert "acme-dr/publication-back/Account" not in addresses(plan)
    assert "acme-dr/publication-back/Contact" in addresses(plan)


@pytest.mark.parametrize(
    ("item", "name", "code", "part"),
    [
        (ACCOUNT, "Acount", "E320", "did you mean Account?"),
        (obj("Invoice__c", text("Name"), deployed=False), "Invoice__c", "E321", "not deployed"),
        (obj("Conf__mdt", text("Name"), kind="metadata_type"), "Conf__mdt", "E321", "metadata type"),
        (obj("Quote", text("Name")), "Quote", "E321", "cannot be published"),
    ],
)
def test_objects_that_cannot_be_published(item: ObjectDef, name: str, code: str, part: str) -> None:
    """PUB-1: an error at the manifest's line, with the nearest name or the reason."""
    wanted = publication(name, origins={"object": at(33)})
    plan = build_plan(desired(wanted), orgs(ACCOUNT, item))
    assert errors(plan) == [(code, 33)]
    assert part in plan.diagnostics[0].one_line()
    assert not plan.applyable


@pytest.mark.parametrize(
    "kind",
    [
        FieldType.RICH_TEXT_AREA,
        FieldType.FORMULA,
        FieldType.ROLL_UP_SUMMARY,
        FieldType.AUTO_NUMBER,
        FieldType.GEOLOCATION,
    ],
)
def test_fields_that_never_travel(kind: FieldType) -> None:
    """PUB-3: left out by default; asked for by name, an error at that name with a workaround."""
    item = obj("Account", text("Name"), FieldDef(name="Odd__c", type=kind, custom=True))
    plan = build_plan(desired(publication("Account")), orgs(item))
    assert (by_address(plan)["acme-dr/publication/Account"].after or {})["fields"] == ["Name"]
    asked = build_plan(desired(publication("Account", fields=include("Name", "Odd__c"))), orgs(item))
    assert errors(asked) == [("E323", 41)]
    assert asked.diagnostics[0].hint


def test_unknown_and_audit_fields_by_name() -> None:
    """PUB-3: unknown names get the nearest one; audit fields are never published by name."""
    plan = build_plan(desired(publication("Account", fields=include("Nme", "CreatedDate"))), orgs(ACCOUNT))
    assert errors(plan) == [("E322", 40), ("E323", 41)]
    assert "did you mean Name?" in plan.diagnostics[0].hint
    plan = build_plan(desired(publication("Account", fields=exclude("Fax", "CreatedDate"))), orgs(ACCOUNT))
    assert errors(plan) == [("E322", 40)]


def test_an_address_is_named_by_its_parts() -> None:
    """PUB-3: the compound that admins know from reports is no field; the hint names the fields that it is made of."""
    parts = (text("BillingStreet"), text("BillingCity"), text("BillingLatitude"))
    asked = desired(publication("Account", fields=include("BillingAddress", "HomeAddress")))
    plan = build_plan(asked, orgs(obj("Account", *parts)))
    hints = [item.hint for item in plan.diagnostics if item.code == "E322"]
    assert hints[0] == "name its parts: BillingStreet, BillingCity"
    assert hints[1].startswith(("did you mean", "remove it"))


def test_exclude_leaves_fields_out() -> None:
    """PUB-3: the manifest can exclude."""
    plan = build_plan(desired(publication("Account", fields=exclude("Phone"))), orgs(ACCOUNT))
    assert (by_address(plan)["acme-dr/publication/Account"].after or {})["fields"] == ["Name", "OwnerId", "ParentId"]


def test_formula_inputs_and_missing_formula() -> None:
    """PUB-3: a formula's inputs should be published, and the other org should have the same field."""
    formula = FieldDef(
        name="Total__c", type=FieldType.FORMULA, formula='IF(Phone = "Name", Parent.Name, Site__c)', custom=True
    )
    item = obj("Account", text("Name"), text("Phone"), text("Site__c"), formula)
    bare = replace(item, fields={key: value for key, value in item.fields.items() if key != "Total__c"})
    facts = actual(primary(items=(item,)), secondary(items=(bare,)))
    plan = build_plan(desired(publication("Account", fields=include("Name", "Phone"))), facts)
    assert len(messages(plan, "W323")) == 1
    assert "Account.Site__c" in messages(plan, "W323")[0] and "Account.Phone" not in messages(plan, "W323")[0]
    assert len(messages(plan, "W324")) == 1


def test_roll_up_needs_its_children() -> None:
    """PUB-3: a roll-up over an object that is not published."""
    roll = FieldDef(name="Sum__c", type=FieldType.ROLL_UP_SUMMARY, summary=("sum", "Contact", "AccountId", "Pay__c"))
    contact = obj("Contact", text("LastName"), text("Pay__c"), lookup("AccountId", "Account"))
    item = obj("Account", text("Name"), roll)
    plan = build_plan(desired(publication("Account")), orgs(item, contact))
    assert "computed from Contact," in messages(plan, "W323")[0]
    both = build_plan(desired(publication("Account"), publication("Contact")), orgs(item, contact))
    assert messages(both, "W323") == []


def test_lookup_to_an_unpublished_object() -> None:
    """PUB-4, PUB-5: left out by default; kept with a warning when named, and then none available to subscribe."""
    contact = obj("Contact", text("LastName"), lookup("AccountId", "Account"))
    plan = build_plan(desired(publication("Contact")), orgs(ACCOUNT, contact))
    assert (by_address(plan)["acme-dr/publication/Contact"].after or {})["fields"] == ["LastName"]
    named = build_plan(desired(publication("Contact", fields=include("LastName", "AccountId"))), orgs(ACCOUNT, contact))
    found = by_address(named)
    assert (found["acme-dr/publication/Contact"].after or {})["fields"] == ["AccountId", "LastName"]
    assert (found["acme-dr/subscription/Contact"].after or {})["fields"] == ["LastName"]
    assert len(messages(named, "W320")) == 1


def test_lookups_that_need_no_published_parent() -> None:
    """LKP-6, LKP-3: users, record types, queues, self lookups and references to any object are kept."""
    item = obj(
        "Case",
        lookup("OwnerId", "Group", "User", required=True),
        lookup("RecordTypeId", "RecordType"),
        lookup("ParentId", "Case", required=True),
        lookup("WhatId", "Opportunity", "*", required=True),
    )
    plan = build_plan(desired(publication("Case")), orgs(item))
    assert plan.applyable
    assert (by_address(plan)["acme-dr/subscription/Case"].after or {})["fields"] == [
        "OwnerId",
        "ParentId",
        "RecordTypeId",
        "WhatId",
    ]


def master(name: str, parent: str) -> FieldDef:
    return FieldDef(name=name, type=FieldType.MASTER_DETAIL, reference_to=(parent,), custom=True)


def test_required_parent_must_be_published() -> None:
    """PUB-6: a master-detail or required lookup without its parent is an error; so is leaving the field out."""
    line = obj("Line__c", master("Order__c", "Order__c"))
    order = obj("Order__c", text("Name"))
    assert errors(build_plan(desired(publication("Line__c")), orgs(line, order))) == [("E325", 30)]
    both = desired(publication("Line__c", fields=exclude("Order__c")), publication("Order__c"))
    assert errors(build_plan(both, orgs(line, order))) == [("E325", 30)]
    good = build_plan(desired(publication("Line__c"), publication("Order__c")), orgs(line, order))
    assert good.applyable


def test_parents_are_published_before_children() -> None:
    """PUB-6: at every level, whatever the names."""
    items = (
        obj("A__c", master("Up__c", "B__c")),
        obj("B__c", master("Up__c", "C__c")),
        obj("C__c", text("Name")),
    )
    plan = build_plan(desired(*[publication(item.name) for item in items], direction=ONE_WAY), orgs(*items))
    order = [item.address.rpartition("/")[2] for item in plan.actions if item.op is Op.PUBLISH_OBJECT]
    assert order == ["C__c", "B__c", "A__c"]
    found = by_address(plan)
    assert found["acme-dr/publication/B__c"].id in found["acme-dr/publication/A__c"].depends_on
    assert found["acme-dr/subscription/C__c"].id in found["acme-dr/subscription/B__c"].depends_on


def test_required_cycle_is_printed() -> None:
    """PUB-6: a cycle of required references is an error with every step."""
    items = (obj("A__c", master("B__c", "B__c")), obj("B__c", lookup("A__c", "A__c", required=True)))
    plan = build_plan(desired(publication("A__c"), publication("B__c")), orgs(*items))
    assert messages(plan, "E324") == ["required references form a cycle: A__c.B__c → B__c.A__c → A__c"]
    assert not plan.applyable


def test_optional_cycle_is_a_warning() -> None:
    """PUB-6: other cycles are filled in by a second pass, as in NPSP's Account and Contact."""
    account = obj("Account", text("Name"), lookup("One2OneContact__c", "Contact"))
    contact = obj("Contact", text("LastName"), lookup("AccountId", "Account"))
    plan = build_plan(desired(publication("Account"), publication("Contact")), orgs(account, contact))
    assert plan.applyable
    assert messages(plan, "W321") == [
        "lookups form a cycle: Account.One2OneContact__c → Contact.AccountId → Account; a second pass fills them in"
    ]


@pytest.mark.parametrize(
    ("field", "code"),
    [(text("Key__c", unique=True), None), (text("Key__c", external_id=True), None), (text("Key__c"), "E326")],
)
def test_match_key_must_tell_records_apart(field: FieldDef, code: str | None) -> None:
    """BLK-6: only unique and external id fields match records."""
    wanted = publication("Account", match_on="Key__c", origins={"match_on": at(44)})
    plan = build_plan(desired(wanted), orgs(obj("Account", text("Name"), field)))
    assert errors(plan) == ([(code, 44)] if code else [])
    assert (by_address(plan)["acme-dr/publication/Account"].after or {})["match_on"] == "Key__c"


def test_match_key_that_is_unknown_or_stays_home() -> None:
    """BLK-6: the field must exist and be published."""
    item = obj("Account", text("Name"), text("Key__c", unique=True))
    unknown = build_plan(desired(publication("Account", match_on="Kee__c")), orgs(item))
    assert "did you mean Key__c?" in unknown.diagnostics[0].one_line()
    unpublished = publication("Account", match_on="Key__c", fields=exclude("Key__c"))
    assert errors(build_plan(desired(unpublished), orgs(item))) == [("E326", 30)]


def test_required_field_that_is_not_published() -> None:
    """PUB-3: leaving out a required field is worth a warning."""
    plan = build_plan(desired(publication("Account", fields=exclude("Name"))), orgs(ACCOUNT))
    assert "Account.Name is required" in messages(plan, "W327")[0]


def test_new_field_on_a_published_object() -> None:
    """PUB-9: planned in both orgs; values that were set before stay, and the plan says so."""
    facts = lane(published("Account", "Name"), subscribed("Account", "Name"), ACCOUNT, linked={"Account": 12})
    plan = build_plan(desired(publication("Account", fields=include("Name", "Phone")), direction=ONE_WAY), facts)
    assert [(item.address, item.op, item.reason, item.risk) for item in plan.actions] == [
        ("acme-dr/publication/Account/field/Phone", Op.PUBLISH_FIELD, Reason.ADDED, Risk.SAFE),
        ("acme-dr/subscription/Account/field/Phone", Op.SUBSCRIBE_FIELD, Reason.ADDED, Risk.SAFE),
    ]
    assert plan.actions[1].depends_on == ("a1",)
    assert "12 linked records" in messages(plan, "W326")[0]


def test_backfill_sends_the_values_that_were_there() -> None:
    """PUB-9: with backfill the field's action moves data, counted."""
    facts = lane(published("Account", "Name"), subscribed("Account", "Name"), ACCOUNT, linked={"Account": 12})
    wanted = publication("Account", fields=include("Name", "Phone"), backfill=True)
    plan = build_plan(desired(wanted, direction=ONE_WAY), facts)
    assert plan.actions[0].risk is Risk.MOVES_DATA
    assert plan.actions[0].after == {"backfill": True} and plan.actions[0].effects == {"records": 12}
    assert messages(plan, "W326") == []


def test_removed_field_stops_alone() -> None:
    """PUB-10: a field that the manifest leaves out is unpublished, and so unsubscribed; no record is disconnected."""
    facts = lane(
        published("Account", "Name", "Phone"), subscribed("Account", "Name", "Phone"), ACCOUNT, linked={"Account": 12}
    )
    plan = build_plan(desired(publication("Account", fields=include("Name")), direction=ONE_WAY), facts)
    assert [(item.address, item.op, item.reason) for item in plan.actions] == [
        ("acme-dr/publication/Account/field/Phone", Op.UNPUBLISH_FIELD, Reason.REMOVED),
        ("acme-dr/subscription/Account/field/Phone", Op.UNSUBSCRIBE_FIELD, Reason.REMOVED),
    ]
    assert all(item.risk is Risk.SAFE for item in plan.actions)


def test_lookup_follows_its_parent() -> None:
    """PUB-5: once the parent is published and subscribed, the lookup is too, as a dependency."""
    contact = obj("Contact", text("LastName"), lookup("AccountId", "Account"))
    facts = lane(published("Contact", "LastName"), subscribed("Contact", "LastName"), ACCOUNT, contact)
    plan = build_plan(desired(publication("Account"), publication("Contact"), direction=ONE_WAY), facts)
    found = by_address(plan)
    for kind in ("publication", "subscription"):
        action = found[f"acme-dr/{kind}/Contact/field/AccountId"]
        assert action.reason is Reason.DEPENDENCY
        assert found[f"acme-dr/{kind}/Account"].id in action.depends_on


def test_named_lookup_is_subscribed_when_its_parent_is() -> None:
    """PUB-5: published before, none available until now."""
    contact = obj("Contact", text("LastName"), lookup("AccountId", "Account"))
    facts = lane(published("Contact", "LastName", "AccountId"), subscribed("Contact", "LastName"), ACCOUNT, contact)
    wanted = publication("Contact", fields=include("LastName", "AccountId"))
    plan = build_plan(desired(publication("Account"), wanted, direction=ONE_WAY), facts)
    action = by_address(plan)["acme-dr/subscription/Contact/field/AccountId"]
    assert action.reason is Reason.DEPENDENCY
    assert "acme-dr/publication/Contact/field/AccountId" not in addresses(plan)


def test_lookup_leaves_with_its_parent() -> None:
    """PUB-4, PUB-10: unpublishing the parent takes the lookup back, as a dependency."""
    contact = obj("Contact", text("LastName"), lookup("AccountId", "Account"))
    names = ("Name", "Phone", "ParentId", "OwnerId")
    offered = {**published("Account", *names), **published("Contact", "LastName", "AccountId")}
    accepted = {**subscribed("Account", *names), **subscribed("Contact", "LastName", "AccountId")}
    plan = build_plan(desired(publication("Contact"), direction=ONE_WAY), lane(offered, accepted, ACCOUNT, contact))
    assert by_address(plan)["acme-dr/publication/Contact/field/AccountId"].reason is Reason.DEPENDENCY
    assert addresses(plan).index("acme-dr/publication/Contact/field/AccountId") < addresses(plan).index(
        "acme-dr/publication/Account"
    )


DROPPED = {"dropped": {"Phone": "retyped to number in acme"}}


def test_dropped_field_waits_until_both_orgs_agree() -> None:
    """PUB-8: it stays published; the plan shows why it is not subscribed."""
    numeric = FieldDef(name="Phone", type=FieldType.NUMBER, precision=18, scale=0)
    item = obj("Account", text("Name"), numeric)
    other = obj("Account", text("Name"), text("Phone"))
    facts = lane(published("Account", "Name", "Phone"), subscribed("Account", "Name", **DROPPED), item, there=(other,))
    plan = build_plan(desired(publication("Account"), direction=ONE_WAY), facts)
    assert plan.actions == ()
    assert messages(plan, "W325") == [
        "Account.Phone is published but not subscribed: number(18,0) in acme, text(80) in acme-secondary"
        " (retyped to number in acme)"
    ]


def test_dropped_field_is_subscribed_again() -> None:
    """PUB-8: once the metadata matches, with the reason why it had gone."""
    item = obj("Account", text("Name"), text("Phone"))
    facts = lane(published("Account", "Name", "Phone"), subscribed("Account", "Name", **DROPPED), item)
    plan = build_plan(desired(publication("Account"), direction=ONE_WAY), facts)
    assert addresses(plan) == ["acme-dr/subscription/Account/field/Phone"]
    assert plan.actions[0].before == {"dropped": "retyped to number in acme"}
    assert plan.actions[0].reason is Reason.CHANGED


def test_what_changed_while_a_field_was_dropped() -> None:
    """PUB-8, PUB-9: the plan says that linked records do not get it, or, with backfill, that data moves."""
    item = obj("Account", text("Name"), text("Phone"))
    accepted = subscribed("Account", "Name", **DROPPED)
    facts = lane(published("Account", "Name", "Phone"), accepted, item, linked={"Account": 12})
    plan = build_plan(desired(publication("Account"), direction=ONE_WAY), facts)
    assert messages(plan, "W326") == ["what changed meanwhile in Account.Phone is not sent for the 12 linked records"]
    assert plan.actions[0].risk is Risk.SAFE
    sending = build_plan(desired(publication("Account", backfill=True), direction=ONE_WAY), facts)
    assert messages(sending, "W326") == []
    assert (sending.actions[0].risk, sending.actions[0].effects) == (Risk.MOVES_DATA, {"records": 12})


def test_what_changed_while_an_object_was_not_published() -> None:
    """PUB-9, PUB-10: the same for the records whose links come back to life."""
    facts = lane({}, {}, ACCOUNT, disconnected={"Account": 12})
    plan = build_plan(desired(publication("Account"), direction=ONE_WAY), facts)
    assert "12 linked records" in messages(plan, "W326")[0]
    sending = build_plan(desired(publication("Account", backfill=True), direction=ONE_WAY), facts)
    assert messages(sending, "W326") == []
    found = by_address(sending)["acme-dr/subscription/Account"]
    assert (found.risk, found.effects) == (Risk.MOVES_DATA, {"records": 12})


@pytest.mark.parametrize("length", [40, 255])
def test_resized_field_is_unsubscribed(length: int) -> None:
    """PUB-8: a size that no longer agrees stops the field in the linked org; it stays published."""
    item = obj("Account", text("Name"), replace(text("Phone"), length=length))
    other = obj("Account", text("Name"), text("Phone"))
    facts = lane(published("Account", "Name", "Phone"), subscribed("Account", "Name", "Phone"), item, there=(other,))
    plan = build_plan(desired(publication("Account"), direction=ONE_WAY), facts)
    assert [(item.address, item.op) for item in plan.actions] == [
        ("acme-dr/subscription/Account/field/Phone", Op.UNSUBSCRIBE_FIELD)
    ]


def test_deleted_field_is_taken_back() -> None:
    """PUB-8: a field that is gone from the primary leaves both lists."""
    item = obj("Account", text("Name"))
    facts = lane(published("Account", "Name", "Old__c"), subscribed("Account", "Name"), item)
    plan = build_plan(desired(publication("Account"), direction=ONE_WAY), facts)
    assert [(action.op, action.reason) for action in plan.actions] == [(Op.UNPUBLISH_FIELD, Reason.CHANGED)]


def test_removed_object_disconnects_its_records_on_both_sides() -> None:
    """PUB-10: destructive, counted once, children before parents, in two-way sync both directions."""
    account = published("Account", "Name")
    contact = published("Contact", "LastName")
    both = {
        "published": {**account, **contact},
        "subscribed": {**subscribed("Account", "Name"), **subscribed("Contact", "LastName")},
        "linked": {"Account": 5, "Contact": 9},
        "bulk_synced": {"Account": 1, "Contact": 1},
    }
    plan = build_plan(desired(), connected(both, both))
    assert [item.address for item in plan.actions if item.op is Op.UNPUBLISH_OBJECT and item.org == "acme"] == [
        "acme-dr/publication/Contact",
        "acme-dr/publication/Account",
    ]
    assert {item.risk for item in plan.actions} == {Risk.DESTRUCTIVE}
    assert len(plan.actions) == 8
    assert sum(item.effects.get("disconnected", 0) for item in plan.actions) == 14
    found = by_address(plan)
    assert found["acme-dr/publication/Account"].id in found["acme-dr/subscription/Account"].depends_on


def test_ending_only_the_way_back_keeps_the_links() -> None:
    """PUB-7, PUB-10: from two-way to one-way nothing is disconnected."""
    names = ("Name", "Phone", "ParentId", "OwnerId")
    both = {
        "published": published("Account", *names),
        "subscribed": subscribed("Account", *names),
        "linked": {"Account": 5},
        "bulk_synced": {"Account": 1},
    }
    wanted = connection(direction=ONE_WAY)
    plan = build_plan(desired(publication("Account"), connections=[wanted]), connected(both, both, wanted=wanted))
    assert addresses(plan) == ["acme-dr/publication-back/Account", "acme-dr/subscription-back/Account"]
    assert all(item.risk is Risk.SAFE and item.after == {"disconnect": False} for item in plan.actions)


def test_first_record_types_publish_the_object_again() -> None:
    """MET-10: an object that was published without record types is published again once it has some."""
    names = ("Name", "Phone", "ParentId", "OwnerId")
    facts = lane(published("Account", *names), subscribed("Account", *names), ACCOUNT)
    orgs_now = dict(facts.orgs)
    orgs_now["acme"] = replace(orgs_now["acme"], record_types={"Account": frozenset({"Partner", "Direct"})})
    plan = build_plan(desired(publication("Account"), direction=ONE_WAY), replace(facts, orgs=orgs_now))
    assert [(item.address, item.op, item.change) for item in plan.actions] == [
        ("acme-dr/publication/Account", Op.PUBLISH_OBJECT, Change.UPDATE)
    ]
    assert (plan.actions[0].after or {})["record_types"] == ["Direct", "Partner"]
    assert len(messages(plan, "W328")) == 1


def test_subscriptions_are_planned_against_the_schema_to_come() -> None:
    """PUB-5, MET-1: one plan deploys an object with its field and record type and subscribes to it."""
    parts = components(
        ("CustomObject", "Invoice__c", {"label": "Invoice"}),
        ("CustomField", "Invoice__c.Total__c", {"type": "Text"}),
        ("RecordType", "Invoice__c.Big", {"label": "Big"}),
    )
    invoice = obj("Invoice__c", text("Name"), text("Total__c"))
    here = primary(items=(invoice,), record_types={"Invoice__c": frozenset({"Big"})}, **parts)
    plan = build_plan(desired(publication("Invoice__c")), actual(here, secondary(items=())))
    found = by_address(plan)
    assert plan.applyable
    subscription = found["acme-dr/subscription/Invoice__c"]
    assert subscription.after == {"fields": ["Name", "Total__c"]}
    assert found["acme-dr/metadata/CustomField:Invoice__c.Total__c"].id in subscription.depends_on
    assert (found["acme-dr/publication-back/Invoice__c"].after or {})["record_types"] == ["Big"]
    off = SyncOptions(metadata=False)
    without = build_plan(desired(publication("Invoice__c"), options=off), actual(here, secondary(items=())))
    assert errors(without) == [("E327", 30)]


def test_auto_number_mirror() -> None:
    """AUT-1: the workaround is planned as far as it is missing; a field that is no auto-number is an error."""
    number = FieldDef(name="CaseNumber", type=FieldType.AUTO_NUMBER, display_format="{00000000}")
    mirror = AutoNumberMirror(
        object="Case", field="CaseNumber", mirror="Old__c", secondary_format="2-{0}", origin=at(50)
    )
    case = obj("Case", number, text("Old__c"))
    plan = build_plan(desired(publication("Case"), auto_numbers=(mirror,)), orgs(case))
    steps = {address: str(action.op) for address, action in by_address(plan).items() if "/auto-number/" in address}
    assert steps == {
        "acme-dr/auto-number/Case.Old__c/primary/trigger": "install-mirror",
        "acme-dr/auto-number/Case.Old__c/secondary/format": "set-display-format",
        "acme-dr/auto-number/Case.Old__c/secondary/trigger": "install-mirror",
    }
    bare = build_plan(desired(auto_numbers=(mirror,)), orgs(obj("Case", number)))
    assert [action.org for action in bare.actions if action.op == "create-mirror"] == ["acme", "acme-secondary"]
    assert len(messages(bare, "W329")) == 1
    wrong = build_plan(desired(auto_numbers=(replace(mirror, field="Old__c"),)), orgs(case))
    assert errors(wrong) == [("E328", 50)]
    apart = actual(primary(items=(case,)), secondary(items=(obj("Case", text("Old__c")),)))
    assert [item.code for item in build_plan(desired(auto_numbers=(mirror,)), apart).manual] == ["M309"]
