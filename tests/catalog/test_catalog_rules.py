"""What can be published and deployed, and the facts about orgs."""

from __future__ import annotations

import pytest

from orgsync_reconcile import catalog
from orgsync_reconcile.model.component import ComponentKey
from orgsync_reconcile.model.schema import AUDIT_FIELDS, FieldDef, FieldType, ObjectDef

OBJECTS = catalog.standard_objects()


def test_pub_1_standard_objects_up_to_task() -> None:
    publishable = {name for name, item in OBJECTS.items() if catalog.publishable_object(item) is None}
    assert publishable == catalog.PUBLISHABLE_STANDARD
    assert len(publishable) == 13
    assert catalog.publishable_object(OBJECTS["User"]) == "is not among the standard objects that can be published"


@pytest.mark.parametrize(
    ("kind", "deployed", "reason"),
    [
        ("object", True, None),
        ("object", False, "not deployed"),
        ("setting", True, "custom setting"),
        ("metadata_type", True, "__mdt"),
        ("event", True, "__e"),
        ("external", True, "__x"),
    ],
)
def test_pub_1_custom_objects(kind: str, deployed: bool, reason: str | None) -> None:
    definition = ObjectDef(name="Thing__c", key_prefix="a00", custom=True, kind=kind, deployed=deployed)
    found = catalog.publishable_object(definition)
    assert found is None if reason is None else reason in (found or "")


@pytest.mark.parametrize(
    ("field_type", "word"),
    [
        (FieldType.RICH_TEXT_AREA, "long text area"),
        (FieldType.FORMULA, "same formula"),
        (FieldType.ROLL_UP_SUMMARY, "same roll-up"),
        (FieldType.AUTO_NUMBER, "auto_numbers"),
        (FieldType.GEOLOCATION, "two number fields"),
    ],
)
def test_pub_3_unsupported_types_give_a_workaround(field_type: FieldType, word: str) -> None:
    found = catalog.unpublishable_field(FieldDef(name="X__c", type=field_type, custom=True))
    assert found is not None
    assert word in found[1]


@pytest.mark.parametrize("name", AUDIT_FIELDS)
def test_pub_3_audit_fields_go_by_themselves(name: str) -> None:
    found = catalog.unpublishable_field(FieldDef(name=name, type=FieldType.DATETIME))
    assert found is not None
    assert "feeds_and_audit_fields" in found[1]


def test_pub_3_supported_fields_pass() -> None:
    """PUB-3, LKP-6: owner and record type are published by default, platform-maintained fields are not."""
    account = OBJECTS["Account"].fields
    assert catalog.unpublishable_field(account["OwnerId"]) is None
    assert catalog.unpublishable_field(account["RecordTypeId"]) is None
    assert catalog.unpublishable_field(account["AnnualRevenue"]) is None
    assert catalog.unpublishable_field(OBJECTS["Attachment"].fields["Body"]) is None
    assert catalog.unpublishable_field(account["LastActivityDate"]) is not None


def test_pub_3_no_publishable_object_has_a_required_field_that_cannot_be_published() -> None:
    for name in catalog.PUBLISHABLE_STANDARD:
        for field in OBJECTS[name].fields.values():
            assert not field.required or catalog.unpublishable_field(field) is None, f"{name}.{field.name}"


def test_met_1_supported_types() -> None:
    assert {
        "ApexClass",
        "ApexComponent",
        "ApexPage",
        "CustomField",
        "CustomObject",
        "Layout",
        "PermissionSet",
        "Profile",
        "RecordType",
        "Role",
    } == catalog.SUPPORTED_METADATA


def test_met_9_dependency_order() -> None:
    order = ["GlobalValueSet", "CustomObject", "CustomField", "RecordType", "Layout", "PermissionSet", "Profile", "Bot"]
    ranks = [catalog.deploy_rank(name) for name in order]
    assert ranks == sorted(set(ranks))
    assert all(catalog.deploy_rank(name) < catalog.deploy_rank("Bot") for name in catalog.SUPPORTED_METADATA)


def test_met_6_advice_is_specific_where_it_can_be() -> None:
    assert "identical report" in catalog.manual_advice("Report")
    assert "by hand" in catalog.manual_advice("SomethingNew")
    assert "Knowledge" in catalog.manual_advice("KnowledgeSettings")


@pytest.mark.parametrize(
    ("key", "namespace", "owned", "word"),
    [
        (ComponentKey("CustomObject", "npe01__OppPayment__c"), "npe01", "", "npe01"),
        (ComponentKey("CustomObject", "npe01__OppPayment__c"), "npe01", "npe01", None),
        (ComponentKey("Network", "Help"), "", "", "Communities"),
        (ComponentKey("CustomField", "Faq__kav.Body__c"), "", "", "Knowledge"),
        (ComponentKey("Layout", "Account-Account Layout"), "", "", None),
    ],
)
def test_met_11_what_never_syncs(key: ComponentKey, namespace: str, owned: str, word: str | None) -> None:
    reason = catalog.never_synced(key, namespace, owned_namespace=owned)
    assert reason is None if word is None else word in (reason or "")


def test_org_1_facts_about_orgs() -> None:
    """ORG-1, CON-8: every edition has the same limits by name; the developer edition is the smallest."""
    assert set(catalog.DEFAULT_LIMITS) == set(catalog.EDITIONS)
    names = {frozenset(limits) for limits in catalog.DEFAULT_LIMITS.values()}
    assert len(names) == 1 and len(next(iter(names))) >= 12
    assert (
        catalog.DEFAULT_LIMITS["developer"]["data_storage_mb"] < catalog.DEFAULT_LIMITS["enterprise"]["data_storage_mb"]
    )
    assert {"audit-field-creation", "salesforce-to-salesforce", "feed-tracking"} <= set(catalog.FEATURES)


def test_usr_1_standard_licences() -> None:
    assert {name for name, item in catalog.LICENSES.items() if item.standard} == {"Salesforce", "Salesforce Platform"}


def test_con_11_the_administrator_may_connect() -> None:
    license_name, permissions = catalog.STANDARD_PROFILES["System Administrator"]
    assert {"ManageConnections", "CustomizeApplication", "CreateContact", "ReadContact"} <= permissions
    assert all(name in catalog.LICENSES for name, _ in catalog.STANDARD_PROFILES.values())
    assert catalog.LICENSES[license_name].standard
