"""What components mean: fields, objects, access, reports, and what the sync leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from orgsync_reconcile.catalog import publishable_object, standard_objects
from orgsync_reconcile.errors import MetadataError
from orgsync_reconcile.metadata import (
    field_def,
    host_objects,
    merge_unsynced,
    namespace_of,
    object_def,
    permission_set,
    profile,
    record_type,
    report_references,
    rewrite_reports,
    role,
    strip_unsynced,
    to_component,
    value_set,
)
from orgsync_reconcile.model.component import Component
from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef


def field(name: str = "Thing__c.X__c", **content: Any) -> Component:
    return to_component("CustomField", name, content)


def defined(component: Component, known: dict[str, ObjectDef] | None = None, **sets: tuple[str, ...]) -> FieldDef:
    result = field_def(component, known=known or {}, value_sets=sets)
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("said", "type_", "length"),
    [
        ("Text", FieldType.TEXT, 30),
        ("TextArea", FieldType.TEXT_AREA, 255),
        ("LongTextArea", FieldType.LONG_TEXT_AREA, 32768),
        ("Html", FieldType.RICH_TEXT_AREA, 32768),
        ("Email", FieldType.EMAIL, 80),
        ("Phone", FieldType.PHONE, 40),
        ("Url", FieldType.URL, 255),
        ("Date", FieldType.DATE, None),
        ("DateTime", FieldType.DATETIME, None),
        ("Time", FieldType.TIME, None),
        ("Checkbox", FieldType.CHECKBOX, None),
        ("EncryptedText", FieldType.TEXT, 175),
        ("MetadataRelationship", FieldType.TEXT, 255),
    ],
)
def test_org_4_types_and_lengths(said: str, type_: FieldType, length: int | None) -> None:
    content = {"Text": {"length": "30"}, "EncryptedText": {"length": "175"}}.get(said, {})
    found = defined(field(type=said, label="X", **content))
    assert (found.type, found.length, found.custom, found.label) == (type_, length, True, "X")


@pytest.mark.parametrize(
    ("content", "default"),
    [
        ({"type": "Checkbox", "defaultValue": "true"}, "true"),
        ({"type": "Checkbox"}, "false"),
        ({"type": "Number", "precision": "5", "scale": "2", "defaultValue": "-1.5"}, "-1.5"),
        ({"type": "Number", "precision": "5", "scale": "2", "defaultValue": "1 + 1"}, None),
        ({"type": "Text", "length": "9", "defaultValue": '"New"'}, "New"),
        ({"type": "Date", "defaultValue": "TODAY()"}, None),
    ],
)
def test_org_4_only_literal_defaults_are_kept(content: dict[str, str], default: str | None) -> None:
    assert defined(field(**content)).default == default


def test_org_4_numbers_and_geolocation() -> None:
    money = defined(field(type="Currency", precision="18", scale="2"))
    assert (money.type, money.precision, money.scale) == (FieldType.CURRENCY, 18, 2)
    place = defined(field(type="Location", scale="7"))
    assert (place.type, place.scale, place.columns) == (
        FieldType.GEOLOCATION,
        7,
        ("X__Latitude__s", "X__Longitude__s"),
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"type": "Number", "precision": "2", "scale": "5"}, "do not fit together"),
        ({"type": "Number", "precision": "19", "scale": "0"}, "do not fit together"),
        ({"type": "Text", "length": "ten"}, "no whole number"),
        ({"type": "Txet"}, "unknown field type Txet"),
        ({"label": "X"}, "no <type>"),
        ({"type": "Lookup"}, "no <referenceTo>"),
        ({"type": "Summary", "summaryOperation": "sum"}, "incomplete"),
    ],
)
def test_org_4_impossible_fields_are_refused_by_name(content: dict[str, str], problem: str) -> None:
    with pytest.raises(MetadataError, match=problem) as caught:
        field_def(field(**content), known={})
    assert caught.value.where == "CustomField:Thing__c.X__c"
    assert caught.value.hint


def test_org_4_picklists() -> None:
    values = [
        {"fullName": "New", "default": "true"},
        {"fullName": "Old", "isActive": "false"},
        {"fullName": "Used"},
    ]
    found = defined(field(type="Picklist", valueSet={"restricted": "true", "valueSetDefinition": {"value": values}}))
    assert (found.picklist, found.default, found.restricted) == (("New", "Used"), "New", True)
    many = defined(field(type="MultiselectPicklist", valueSet={"valueSetDefinition": {"value": values}}))
    assert (many.type, many.restricted) == (FieldType.MULTI_SELECT_PICKLIST, False)
    older = defined(field(type="Picklist", picklist={"picklistValues": values, "sorted": "false"}))
    assert older.picklist == ("New", "Used")


def test_org_4_global_value_sets() -> None:
    shared = to_component("GlobalValueSet", "Codes", {"customValue": [{"fullName": "B"}, {"fullName": "A"}]})
    content = {"type": "Picklist", "valueSet": {"restricted": "true", "valueSetName": "Codes"}}
    found = defined(field(**content), Codes=value_set(shared))
    assert (found.picklist, found.restricted) == (("B", "A"), True)
    unknown = defined(field(**content))
    assert (unknown.picklist, unknown.restricted) == ((), False)


def test_org_4_relationships() -> None:
    """ORG-4, ORG-6: a master-detail is required and cascades, a lookup cascades only where it says so."""
    detail = defined(field(type="MasterDetail", referenceTo="Account", relationshipName="Things"))
    assert (detail.required, detail.cascade_delete, detail.reference_to) == (True, True, ("Account",))
    assert detail.relationship_name == "X__r"
    lookup = defined(field(type="Lookup", referenceTo="Account", deleteConstraint="SetNull"))
    assert (lookup.required, lookup.cascade_delete) == (False, False)
    assert defined(field(type="Lookup", referenceTo="Account", deleteConstraint="Cascade")).cascade_delete
    assert defined(field(type="Hierarchy")).reference_to == ("User",)
    assert defined(field(type="ExternalLookup", referenceTo="Order__x")).type is FieldType.EXTERNAL_LOOKUP


def test_org_4_formula_and_roll_up() -> None:
    """ORG-4, PUB-3: a formula keeps its result's type, a roll-up takes that of the field it sums up."""
    formula = defined(field(type="Number", precision="18", scale="1", formula="A__c * 2"))
    assert (formula.type, formula.result_type, formula.formula, formula.scale) == (
        FieldType.FORMULA,
        FieldType.NUMBER,
        "A__c * 2",
        1,
    )
    amount = FieldDef(name="Amount__c", type=FieldType.CURRENCY, precision=16, scale=2)
    known = {"Line__c": ObjectDef(name="Line__c", key_prefix="a01", fields={"Amount__c": amount})}
    roll_up = defined(
        field(
            type="Summary",
            summaryOperation="sum",
            summarizedField="Line__c.Amount__c",
            summaryForeignKey="Line__c.Thing__c",
        ),
        known,
    )
    assert roll_up.summary == ("sum", "Line__c", "Thing__c", "Amount__c")
    assert (roll_up.result_type, roll_up.scale) == (FieldType.CURRENCY, 2)
    count = defined(field(type="Summary", summaryOperation="count", summaryForeignKey="Line__c.Thing__c"))
    assert count.summary == ("count", "Line__c", "Thing__c", "")


def test_org_8_a_customised_standard_field_is_no_new_field() -> None:
    assert field_def(field("Account.Industry", label="Trade"), known=standard_objects()) is None


def test_org_8_activity_fields_belong_to_tasks() -> None:
    assert host_objects("Activity.Level__c") == ("Task",)
    assert host_objects("Account.Level__c") == ("Account",)


@pytest.mark.parametrize(
    ("name", "content", "kind", "publishable"),
    [
        ("Thing__c", {"deploymentStatus": "Deployed"}, "object", True),
        ("Thing__c", {"deploymentStatus": "InDevelopment"}, "object", False),
        ("Thing__c", {"customSettingsType": "List"}, "setting", False),
        ("Thing__mdt", {}, "metadata_type", False),
        ("Thing__e", {}, "event", False),
        ("Thing__x", {}, "external", False),
    ],
)
def test_pub_1_kind_of_object(name: str, content: dict[str, str], kind: str, publishable: bool) -> None:
    found = object_def(to_component("CustomObject", name, content), "a00")
    assert (found.kind, found.custom, found.key_prefix) == (kind, True, "a00")
    assert (publishable_object(found) is None) is publishable


def test_org_8_name_owner_and_record_type_come_with_the_object() -> None:
    plain = object_def(to_component("CustomObject", "T__c", {"nameField": {"label": "T", "type": "Text"}}), "a00")
    assert list(plain.fields) == ["Name", "OwnerId", "RecordTypeId"]
    assert plain.fields["Name"].name_field
    content = {"nameField": {"type": "AutoNumber", "displayFormat": "T-{0000}"}, "sharingModel": "ControlledByParent"}
    detail = object_def(to_component("CustomObject", "T__c", content), "a01")
    assert "OwnerId" not in detail.fields
    assert (detail.fields["Name"].type, detail.fields["Name"].display_format) == (FieldType.AUTO_NUMBER, "T-{0000}")


@pytest.mark.parametrize(
    ("name", "namespace"),
    [
        ("npe01__OppPayment__c", "npe01"),
        ("Account.npe01__SYSTEM__c", "npe01"),
        ("npe01__OppPayment__c.Mine__c", ""),
        ("Address__c", ""),
        ("Account", ""),
        ("npsp__Helper", "npsp"),
        ("Account-npsp__Org Layout", "npsp"),
        ("Account-Account (Marketing) Layout", ""),
        ("Rule__mdt.pkg__First", "pkg"),
    ],
)
def test_met_11_namespace_is_that_of_the_last_part(name: str, namespace: str) -> None:
    assert namespace_of(name) == namespace


def test_met_1_access() -> None:
    """MET-1, CON-11: what profiles and permission sets grant, under the names that the catalogue uses."""
    content = {
        "userLicense": "Salesforce",
        "userPermissions": [
            {"name": "ManageConnections", "enabled": "true"},
            {"name": "ManageUsers", "enabled": "false"},
        ],
        "objectPermissions": {"object": "Contact", "allowCreate": "true", "allowRead": "true", "allowEdit": "false"},
    }
    admin = profile(to_component("Profile", "Admin", content))
    assert (admin.label, admin.license) == ("System Administrator", "Salesforce")
    assert admin.permissions == {"ManageConnections", "CreateContact", "ReadContact"}
    extra = permission_set(to_component("PermissionSet", "Extra", {"label": "Extra rights", "license": "Salesforce"}))
    assert (extra.name, extra.label, extra.license, extra.permissions) == (
        "Extra",
        "Extra rights",
        "Salesforce",
        frozenset(),
    )
    boss = role(to_component("Role", "Boss", {"name": "The boss", "parentRole": "Owner"}))
    assert (boss.developer_name, boss.name, boss.parent) == ("Boss", "The boss", "Owner")


def test_lkp_6_record_types() -> None:
    found = record_type(to_component("RecordType", "Account.Household", {"label": "House", "active": "false"}))
    assert (found.object, found.developer_name, found.label, found.active) == ("Account", "Household", "House", False)


@pytest.mark.parametrize(
    ("type_", "own"),
    [
        ("Layout", {"feedLayout": {"autocollapsePublisher": "true"}, "relatedContent": {"a": "b"}}),
        ("Profile", {"tabVisibilities": [{"tab": "T"}], "applicationVisibilities": [{"application": "A"}]}),
        ("PermissionSet", {"tabSettings": [{"tab": "T"}], "applicationVisibilities": [{"application": "A"}]}),
    ],
)
def test_met_2_exceptions_stay_the_secondarys_own(type_: str, own: dict[str, Any]) -> None:
    primary = to_component(type_, "X", {"label": "new", **dict.fromkeys(own, "primary's")})
    secondary = to_component(type_, "X", {"label": "old", **own})
    assert dict(strip_unsynced(primary).content) == {"label": "new"}
    merged = merge_unsynced(primary, secondary)
    assert merged.content["label"] == "new"
    assert {name: merged.content[name] for name in own} == {name: secondary.content[name] for name in own}
    assert strip_unsynced(merged) == strip_unsynced(primary)
    assert merge_unsynced(primary, None) == strip_unsynced(primary)


def test_met_3_reports_are_found_and_rewritten() -> None:
    old18, old15, new = "00OD0000001cxIxMAI", "00OD0000002aaaa", "00Oabc000000001AAA"
    page = to_component("ApexPage", "P", {"source": f'<a href="/{old18}"/> /{old15}?x=1 x00OD0000002aaaa'})
    assert report_references(page) == {old18, old15}
    rewritten = rewrite_reports(page, {old18[:15]: new, "00OD0000002aaaaXYZ": new})
    assert rewritten.content["source"] == f'<a href="/{new}"/> /{new[:15]}?x=1 x00OD0000002aaaa'
    assert report_references(to_component("ApexClass", "C", {"source": old18})) == frozenset()
    assert rewrite_reports(page, {}) is page
