"""Data hygiene, and what an org says about itself (ORG-10, ORG-2, PUB-1, PUB-3)."""

from __future__ import annotations

import json

import pytest
from org_stores import Client, insert
from store_helpers import custom, make_object

from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.stores.sql.check import check
from orgsync_reconcile.stores.sql.describe import describe
from orgsync_reconcile.stores.sql.org import Org

T = FieldType
NOBODY = "001zzz000000001AAA"


def found(org: Org, *objects: str) -> list[tuple[str, str, str, int]]:
    return [(item.object, item.field, item.kind, item.records) for item in check(org, objects)]


def test_a_clean_org_has_no_findings(org: Org, client: Client) -> None:
    """ORG-10: whole records are no dirt."""
    account = insert(client, "Account", Name="A")
    contact = insert(client, "Contact", LastName="C", AccountId=account, Email="c@x.example")
    insert(client, "Task", Subject="call", WhoId=contact, WhatId=account)
    assert check(org) == ()


def test_blank_required_fields(org: Org, client: Client) -> None:
    """ORG-10: records that are older than the requirement; deleted ones do not count."""
    make_object(org, custom("F__c", T.TEXT, length=20))
    first = insert(client, "Thing__c", Name="a")
    insert(client, "Thing__c", Name="b", F__c="")
    insert(client, "Thing__c", Name="c", F__c="filled")
    insert(client, "Thing__c", Name="d")
    client.execute('DELETE FROM "Thing__c" WHERE "Name" = \'d\'')
    make_object(org, custom("F__c", T.TEXT, length=20, required=True))
    assert found(org, "Thing__c") == [("Thing__c", "F__c", "blank_required", 2)]
    assert check(org, ["Thing__c"])[0].example == first


def test_lookups_that_point_nowhere(org: Org, client: Client) -> None:
    """ORG-10: to no record, to one of another object, or, where required, to a deleted one."""
    make_object(
        org,
        custom("Loose__c", T.LOOKUP, reference_to=["Account"]),
        custom("Tight__c", T.MASTER_DETAIL, reference_to=["Account"], required=True),
    )
    gone, here = insert(client, "Account", Name="gone"), insert(client, "Account", Name="here")
    lead = insert(client, "Lead", LastName="l", Company="c")
    for loose, tight in ((here, here), (gone, here), (NOBODY, here), (lead, here), (None, gone), (None, NOBODY)):
        insert(client, "Thing__c", Loose__c=loose, Tight__c=tight)
    client.execute('DELETE FROM "Account" WHERE "Name" = \'gone\'')
    assert found(org, "Thing__c") == [
        ("Thing__c", "Loose__c", "invalid_lookup", 2),
        ("Thing__c", "Tight__c", "invalid_lookup", 2),
    ]


def test_lookups_to_several_objects_go_by_prefix(org: Org, client: Client) -> None:
    """ORG-10: each Id is looked up in the object that its prefix names; what the org does not have is let be."""
    contact = insert(client, "Contact", LastName="C")
    for who in (contact, "003zzz000000001AAA", "00Qzzz000000001AAA", NOBODY):
        insert(client, "Task", Subject="call", WhoId=who)
    make_object(org, custom("Campaign__c", T.LOOKUP, reference_to=["Campaign"]))
    insert(client, "Thing__c", Campaign__c="701zzz000000001AAA")
    insert(client, "Thing__c", Campaign__c=NOBODY)
    insert(client, "Attachment", ParentId="001zzz000000009AAA", Name="n", Body=b"x")
    insert(client, "Attachment", ParentId=contact, Name="n", Body=b"x")
    assert found(org, "Task", "Thing__c", "Attachment") == [
        ("Attachment", "ParentId", "invalid_lookup", 1),
        ("Task", "WhoId", "invalid_lookup", 3),
        ("Thing__c", "Campaign__c", "invalid_lookup", 1),
    ]


def test_duplicates_by_simple_rules(org: Org, client: Client) -> None:
    """ORG-10: accounts by name and postal code, people by email and last name, external ids by value; case is ignored."""
    for name, code in (("Acme", "8000"), ("ACME", "8000"), ("Acme", None), ("Solo", None)):
        insert(client, "Account", Name=name, BillingPostalCode=code)
    for last, email in (("King", "a@x.example"), ("king", "A@x.example"), ("Ada", "a@x.example"), ("King", None)):
        insert(client, "Contact", LastName=last, Email=email)
    insert(client, "Contact", LastName="King")
    make_object(
        org,
        custom("Ext__c", T.TEXT, length=20, external_id=True),
        custom("No__c", T.NUMBER, precision=18, scale=0, external_id=True),
    )
    for text, number in (("k", 1), ("K", 2), ("k", 2), (None, None), (None, None)):
        insert(client, "Thing__c", Ext__c=text, No__c=number)
    assert found(org) == [
        ("Account", "Name", "duplicate", 2),
        ("Contact", "Email", "duplicate", 2),
        ("Thing__c", "Ext__c", "duplicate", 3),
        ("Thing__c", "No__c", "duplicate", 2),
    ]


def test_checking_an_unknown_object(org: Org) -> None:
    """ORG-10: a wrong name is a usage error with the nearest one."""
    with pytest.raises(UsageError, match="Acount") as caught:
        check(org, ["Acount"])
    assert caught.value.hint == "did you mean Account?"


def test_describing_the_org(org: Org, client: Client) -> None:
    """ORG-2, PUB-1: every object with its records and whether it can be published."""
    make_object(org)
    insert(client, "Thing__c")
    document = describe(org)
    assert json.loads(json.dumps(document)) == document
    assert document["org"]["admin"] == "admin@acme.example"
    objects = {item["name"]: item for item in document["objects"]}
    assert objects["Thing__c"]["publishable"]
    assert objects["Thing__c"]["records"] == 1
    assert objects["User"]["publishable"] is False
    assert objects["User"]["reason"]


@pytest.mark.files_only
def test_describing_an_object(org: Org) -> None:
    """ORG-4, PUB-3: every field with type and size, why it cannot be published, and which formulas are computed."""
    make_object(
        org,
        custom("Text__c", T.TEXT, length=20),
        custom("Sum__c", T.FORMULA, formula="LEN(Text__c)", result_type="number", scale=0),
        custom("Far__c", T.FORMULA, formula="Account.Name", result_type="text"),
    )
    document = describe(org, "Thing__c")
    assert json.loads(json.dumps(document)) == document
    fields = {item["name"]: item for item in document["fields"]}
    assert fields["Text__c"] == {
        "name": "Text__c",
        "type": "text",
        "length": 20,
        "custom": True,
        "publishable": True,
    }
    assert (fields["Sum__c"]["computed"], fields["Far__c"]["computed"]) == (True, False)
    assert fields["Sum__c"]["publishable"] is False
    assert fields["Sum__c"]["workaround"]
    with pytest.raises(UsageError, match="Thing_c") as caught:
        describe(org, "Thing_c")
    assert caught.value.hint == "did you mean Thing__c?"
