"""The standard objects, their fields and Ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgsync_reconcile import catalog
from orgsync_reconcile.model.schema import SYSTEM_FIELDS, FieldDef, FieldType

OBJECTS = catalog.standard_objects()
EXPECTED = {
    "Account",
    "Attachment",
    "Case",
    "CaseComment",
    "CaseTeamMember",
    "CaseTeamRole",
    "CaseTeamTemplate",
    "CaseTeamTemplateMember",
    "CaseTeamTemplateRecord",
    "Contact",
    "ContentVersion",
    "EmailMessage",
    "FeedComment",
    "FeedItem",
    "Lead",
    "Opportunity",
    "Product2",
    "Task",
    "Group",
    "User",
    "Profile",
    "UserRole",
    "PermissionSet",
    "PermissionSetAssignment",
    "UserLicense",
    "RecordType",
}


def test_org_3_every_listed_object_ships() -> None:
    assert set(OBJECTS) == EXPECTED
    assert catalog.standard_objects() is OBJECTS


def test_org_3_no_custom_compound_or_system_field() -> None:
    names = {(item.name, field) for item in OBJECTS.values() for field in item.fields}
    assert not [pair for pair in names if pair[1].endswith("__c") or not pair[1].isidentifier()]
    assert not [pair for pair in names if pair[1] in SYSTEM_FIELDS]
    assert {"Primary_Contact__c", "BillingAddress"}.isdisjoint(OBJECTS["Account"].fields)


@pytest.mark.parametrize(
    ("object_name", "field", "attribute", "value"),
    [
        ("Account", "Name", "required", True),
        ("Account", "AnnualRevenue", "precision", 18),
        ("Account", "Description", "type", FieldType.LONG_TEXT_AREA),
        ("Account", "BillingStreet", "type", FieldType.TEXT_AREA),
        ("Account", "ParentId", "cascade_delete", False),
        ("Account", "PhotoUrl", "read_only", True),
        ("Contact", "AccountId", "cascade_delete", True),
        ("Contact", "Name", "type", FieldType.FORMULA),
        ("Contact", "LastName", "required", True),
        ("Case", "Status", "default", "New"),
        ("Case", "CaseNumber", "display_format", "{00000000}"),
        ("Case", "AccountId", "cascade_delete", False),
        ("Case", "OwnerId", "reference_to", ("Group", "User")),
        ("Lead", "Status", "default", "Open - Not Contacted"),
        ("Opportunity", "AccountId", "cascade_delete", True),
        ("Opportunity", "ExpectedRevenue", "read_only", True),
        ("Task", "WhatId", "reference_to", ("Account", "Opportunity", "Product2", "Case", "*")),
        ("Task", "WhoId", "cascade_delete", True),
        ("Task", "ActivityDate", "type", FieldType.DATE),
        ("Task", "Priority", "default", "Normal"),
        ("Product2", "IsActive", "default", "false"),
        ("CaseComment", "ParentId", "cascade_delete", True),
        ("FeedComment", "FeedItemId", "cascade_delete", True),
        ("Attachment", "Body", "type", FieldType.BASE64),
        ("User", "IsActive", "default", "true"),
        ("User", "Username", "unique", True),
    ],
)
def test_org_3_fields_are_true(object_name: str, field: str, attribute: str, value: object) -> None:
    assert getattr(OBJECTS[object_name].fields[field], attribute) == value


def test_org_3_every_field_is_usable() -> None:
    for item in OBJECTS.values():
        for field in item.fields.values():
            assert FieldDef.from_dict(field.to_dict()) == field
            if field.is_reference:
                assert field.reference_to, f"{item.name}.{field.name} points nowhere"
            if field.type is FieldType.CHECKBOX:
                assert field.default in ("true", "false")
            if field.type in (FieldType.NUMBER, FieldType.CURRENCY, FieldType.PERCENT):
                assert field.precision is not None and field.scale is not None
                assert 0 <= field.scale <= field.precision <= 18
            if field.restricted and field.default is not None:
                assert field.default in field.picklist, f"{item.name}.{field.name}"
            assert not (field.required and field.read_only), f"{item.name}.{field.name}"


def test_org_5_key_prefixes_are_distinct() -> None:
    prefixes = [item.key_prefix for item in OBJECTS.values()]
    assert len(set(prefixes)) == len(prefixes)
    assert catalog.key_prefix("Account") == "001"
    assert catalog.key_prefix("PartnerNetworkConnection") == "04P"
    assert catalog.key_prefix("Property__c") is None


@pytest.mark.parametrize(
    "record_id", ["001D000000IqhSLIAZ", "0066A0000026a5JQAQ", "00530000009M943AAC", "0012000000hHhLxAAK"]
)
def test_org_5_published_ids_have_valid_checksums(record_id: str) -> None:
    assert catalog.checksum18(record_id[:15]) == record_id[15:]
    assert catalog.is_valid_id(record_id)


@given(st.text("abXYZ0189", min_size=15, max_size=15))
def test_org_5_checksum_tells_case(id15: str) -> None:
    full = id15 + catalog.checksum18(id15)
    assert catalog.is_valid_id(full)
    if id15.swapcase() != id15:
        assert not catalog.is_valid_id(id15.swapcase() + full[15:])


@pytest.mark.parametrize("text", ["", "001", "001D000000IqhSL", "001D000000IqhSLIAA", "001D000000Iqh-LIAZ"])
def test_org_5_invalid_ids_are_refused(text: str) -> None:
    assert not catalog.is_valid_id(text)


def test_org_5_checksum_of_another_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="15-character"):
        catalog.checksum18("001")
