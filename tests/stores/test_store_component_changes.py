"""Renaming and deleting metadata components of an org (MET-4, MET-7)."""

from __future__ import annotations

import pytest
from org_stores import Client, insert
from store_helpers import component, custom_object, lookup, text_field

from orgsync_reconcile.errors import MetadataError
from orgsync_reconcile.model.component import ComponentKey
from orgsync_reconcile.stores.sql.components import delete, deploy, rename, summaries
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import Objects


def test_renaming_keeps_the_users(org: Org, client: Client) -> None:
    """MET-7: roles, profiles and permission sets are renamed as such."""
    deploy(org, [component("Role", "Boss", name="Boss"), component("Role", "Clerk", name="Clerk", parentRole="Boss")])
    (role,) = client.execute('SELECT "Id" FROM "UserRole" WHERE "DeveloperName" = \'Boss\'').fetchone()
    client.execute('UPDATE "User" SET "UserRoleId" = ?', [role])
    old, new = ComponentKey("Role", "Boss"), ComponentKey("Role", "Chief")
    assert rename(org, old, new, {"name": "Chief"}, synced=True) == ()
    assert client.execute('SELECT "DeveloperName", "Name" FROM "UserRole" WHERE "Id" = ?', [role]).fetchone() == (
        "Chief",
        "Chief",
    )
    found = summaries(org)
    assert old not in found
    assert found[new].synced_hash == found[new].hash
    deploy(org, [component("PermissionSet", "Boat", label="Boat"), component("Profile", "Sales")])
    assert rename(org, ComponentKey("Profile", "Sales"), ComponentKey("Profile", "Selling"), {}) == ()
    assert client.execute("SELECT count(*) FROM \"Profile\" WHERE \"Name\" IN ('Sales', 'Selling')").fetchone() == (1,)


def test_renaming_what_cannot_be_renamed(org: Org) -> None:
    """MET-7: other types, missing and taken names are refused, and a failing content changes nothing."""
    deploy(org, [component("Role", "A", name="A"), component("Role", "B", name="B")])
    a, b, c = (ComponentKey("Role", name) for name in "ABC")
    for old, new, why in (
        (ComponentKey("Layout", "L"), ComponentKey("Layout", "M"), "cannot be renamed"),
        (a, b, "there already"),
        (c, ComponentKey("Role", "D"), "there is no Role:C"),
    ):
        with pytest.raises(MetadataError, match=why):
            rename(org, old, new, {})
    (failure,) = rename(org, a, c, {"name": "C", "parentRole": "Nobody"})
    assert "Nobody" in failure.message
    assert list(summaries(org)) == [a, b]


@pytest.mark.files_only
def test_deleting_a_field_drops_its_column(org: Org, client: Client) -> None:
    """MET-4: other columns and records stay."""
    deploy(org, [custom_object("Thing__c"), text_field("Thing__c.F__c"), text_field("Thing__c.G__c")])
    insert(client, "Thing__c", F__c="f", G__c="g")
    delete(org, ComponentKey("CustomField", "Thing__c.F__c"))
    assert "F__c" not in Objects(org)["Thing__c"].fields
    assert client.execute('SELECT * FROM "Thing__c"').fetchone()[-2:] == ("g", 1)
    assert ComponentKey("CustomField", "Thing__c.F__c") not in summaries(org)


@pytest.mark.files_only
def test_deleting_an_object_takes_its_parts_along(org: Org, client: Client) -> None:
    """MET-4: table, fields and record types go; its former parents work on; its number is not given again."""
    deploy(
        org,
        [
            custom_object("Thing__c"),
            lookup("Thing__c.Account__c", "Account", "MasterDetail"),
            component("RecordType", "Thing__c.R", label="R"),
            custom_object("Other__c"),
            lookup("Other__c.Thing__c", "Thing__c"),
        ],
    )
    with pytest.raises(MetadataError, match=r"Other__c\.Thing__c refers to Thing__c"):
        delete(org, ComponentKey("CustomObject", "Thing__c"))
    delete(org, ComponentKey("CustomField", "Other__c.Thing__c"))
    delete(org, ComponentKey("CustomObject", "Thing__c"))
    assert [str(key) for key in summaries(org)] == ["CustomObject:Other__c"]
    assert "Thing__c" not in Objects(org)
    assert client.execute('SELECT "IsDeleted" FROM "RecordType"').fetchall() == [(1,)]
    insert(client, "Account", Name="x")
    client.execute('DELETE FROM "Account"')
    numbers = dict(org.db.execute("SELECT name, number FROM orgsync_object").fetchall())
    deploy(org, [custom_object("Thing__c")])
    assert Objects(org).number("Thing__c") > max(numbers.values())


def test_deleting_what_is_in_use_is_refused(org: Org, client: Client) -> None:
    """MET-4: profiles, roles and permission sets of users stay until the users have others."""
    deploy(
        org,
        [
            component("Role", "R", name="R"),
            component("PermissionSet", "P", label="P"),
            component("Profile", "Admin"),
            component("RecordType", "Account.T", label="T"),
        ],
    )
    client.execute('UPDATE "User" SET "UserRoleId" = (SELECT "Id" FROM "UserRole")')
    client.execute(
        'INSERT INTO "PermissionSetAssignment" ("AssigneeId", "PermissionSetId")'
        ' SELECT u."Id", p."Id" FROM "User" AS u, "PermissionSet" AS p'
    )
    for key in (ComponentKey("Role", "R"), ComponentKey("PermissionSet", "P"), ComponentKey("Profile", "Admin")):
        with pytest.raises(MetadataError, match="users with it: 1"):
            delete(org, key)
    client.execute('UPDATE "User" SET "UserRoleId" = NULL')
    client.execute('DELETE FROM "PermissionSetAssignment"')
    delete(org, ComponentKey("Role", "R"))
    delete(org, ComponentKey("PermissionSet", "P"))
    delete(org, ComponentKey("RecordType", "Account.T"))
    assert client.execute('SELECT "IsActive", "IsDeleted" FROM "RecordType"').fetchall() == [(0, 0)]
    assert [str(key) for key in summaries(org)] == ["Profile:Admin"]
    with pytest.raises(MetadataError, match="there is no Role:R"):
        delete(org, ComponentKey("Role", "R"))
