"""Deploying metadata components to an org (ORG-8, MET-*)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from org_stores import Client, insert
from store_helpers import component, custom_object, lookup, refused, schema_state, text_field

from orgsync_reconcile.catalog import is_valid_id
from orgsync_reconcile.importers import read_sfdx
from orgsync_reconcile.model.component import Component, ComponentKey, digest
from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.stores.sql.components import (
    ComponentTexts,
    delete,
    deploy,
    read_component,
    set_synced,
    summaries,
)
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.stores.urls import open_store

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "real"


def failed(result: tuple[Any, ...]) -> dict[str, str]:
    return {str(item.key): item.message for item in result}


def grants(org: Org, table: str, name: str) -> set[str]:
    rows = org.db.execute(
        f'SELECT g.permission FROM orgsync_grant AS g JOIN "{table}" AS t ON t."Id" = g.holder WHERE t."Name" = ?',
        [name],
    )
    return {row[0] for row in rows}


def test_objects_and_fields_become_tables(org: Org, client: Client) -> None:
    """ORG-2, ORG-8, MET-9: in any order, in one call, usable by any client at once."""
    result = deploy(
        org,
        [
            lookup("Room__c.House__c", "House__c", "MasterDetail"),
            component(
                "CustomField",
                "House__c.Rooms__c",
                type="Summary",
                summaryOperation="count",
                summaryForeignKey="Room__c.House__c",
                label="x",
            ),
            text_field("Account.Region__c", externalId="true"),
            custom_object("Room__c", sharingModel="ControlledByParent"),
            custom_object("House__c"),
        ],
    )
    assert result == ()
    house = insert(client, "House__c", Name="H")
    room = insert(client, "Room__c", House__c=house)
    insert(client, "Account", Name="x", Region__c="EMEA")
    assert house[:3] != room[:3]
    client.execute('DELETE FROM "House__c"')
    assert client.execute('SELECT "IsDeleted" FROM "Room__c"').fetchone() == (1,)
    objects = Objects(org)
    assert "OwnerId" not in objects["Room__c"].fields
    assert objects["House__c"].fields["Rooms__c"].type is FieldType.ROLL_UP_SUMMARY
    assert objects["Account"].fields["Region__c"].external_id


def test_what_is_saved_can_be_read_back(org: Org) -> None:
    """MET-1, MET-5: content, hash and synced hash; unknown types are kept as they are (ORG-8)."""
    flow = component("Flow", "Greet", label="Greet", steps={"name": "a"})
    page = Component(key=ComponentKey("ApexPage", "ns__P"), content={"source": "<apex:page/>"}, namespace="ns")
    assert deploy(org, [flow, page]) == ()
    found = summaries(org)
    assert list(found) == [page.key, flow.key]
    assert found[page.key].namespace == "ns"
    assert found[flow.key].hash == digest(flow.text)
    assert found[flow.key].synced_hash == ""
    texts = ComponentTexts(org)
    assert json.loads(texts[flow.key]) == flow.content
    assert list(texts) == list(found)
    assert len(texts) == 2
    with pytest.raises(KeyError):
        texts[ComponentKey("Flow", "Other")]
    set_synced(org, {flow.key: "abc"})
    assert summaries(org)[flow.key].synced_hash == "abc"
    assert read_component(org, ComponentKey("Flow", "Other")) is None


def test_synced_is_remembered_until_the_next_sync(org: Org) -> None:
    """MET-5: a change by hand leaves the synced hash, so that it is seen as drift."""
    deploy(org, [component("Layout", "Account-L", label="1")], synced=True)
    deploy(org, [component("Layout", "Account-L", label="2")])
    (summary,) = summaries(org).values()
    assert summary.synced_hash != summary.hash
    assert summary.synced_hash == digest(component("Layout", "Account-L", label="1").text)


def test_the_orgs_own_parts_stay(org: Org) -> None:
    """MET-2: feed layouts, tabs and applications are kept when components come over the connection."""
    key = ComponentKey("Profile", "Sales")
    own = [{"tab": "Home", "visibility": "DefaultOn"}]
    deploy(org, [component("Profile", "Sales", tabVisibilities=own)])
    theirs = component(
        "Profile", "Sales", description="new", tabVisibilities=[{"tab": "Other", "visibility": "Hidden"}]
    )
    deploy(org, [theirs], keep_unsynced=True, synced=True)
    kept = read_component(org, key)
    assert kept is not None
    assert kept.content["description"] == "new"
    assert kept.content["tabVisibilities"] == own
    assert summaries(org)[key].hash == summaries(org)[key].synced_hash


def test_one_failure_does_not_stop_the_others(org: Org, client: Client) -> None:
    """MET-8: each refused component is named with its reason, the rest of its object too goes on."""
    deploy(org, [custom_object("Thing__c"), text_field("Thing__c.Code__c")])
    insert(client, "Thing__c", Code__c="same")
    insert(client, "Thing__c", Code__c="same")
    result = failed(
        deploy(
            org,
            [
                text_field("Thing__c.Code__c", unique="true"),
                text_field("Thing__c.Good__c"),
                component("CustomField", "Thing__c.Bad__c", type="Hologram", label="x"),
                lookup("Thing__c.Up__c", "Missing__c"),
                text_field("Missing__c.F__c"),
                custom_object("Other__c"),
                component("RecordType", "Missing__c.R", label="R", active="true"),
                component("RecordType", "Thing__c.R", label="R", active="true"),
            ],
        )
    )
    assert sorted(result) == [
        "CustomField:Missing__c.F__c",
        "CustomField:Thing__c.Bad__c",
        "CustomField:Thing__c.Code__c",
        "CustomField:Thing__c.Up__c",
        "RecordType:Missing__c.R",
    ]
    assert "unique" in result["CustomField:Thing__c.Code__c"]
    assert "Hologram" in result["CustomField:Thing__c.Bad__c"]
    assert "Missing__c" in result["CustomField:Thing__c.Up__c"]
    assert "Good__c" in Objects(org)["Thing__c"].fields
    assert "Other__c" in Objects(org)
    assert ComponentKey("CustomField", "Thing__c.Bad__c") not in summaries(org)
    insert(client, "Thing__c", Good__c="g", Code__c="same")


def test_lookups_to_objects_of_others_are_kept(org: Org, client: Client) -> None:
    """ORG-8: a lookup to a standard object or a package that an embedded org lacks stays a lookup."""
    result = deploy(
        org,
        [
            custom_object("Thing__c"),
            lookup("Thing__c.Campaign__c", "Campaign"),
            lookup("Thing__c.Payment__c", "npe01__OppPayment__c"),
            text_field("Campaign.Mine__c"),
            text_field("npe01__OppPayment__c.Mine__c"),
            text_field("Activity.Kind__c"),
        ],
    )
    assert result == ()
    assert len(summaries(org)) == 6
    insert(client, "Thing__c", Campaign__c="701zzz000000001AAA")
    insert(client, "Task", Kind__c="call")


@pytest.mark.parametrize(
    ("name", "kind"), [("Conf__mdt", "metadata_type"), ("Ping__e", "event"), ("Order__x", "external")]
)
def test_other_kinds_of_objects_are_known_as_such(name: str, kind: str, org: Org) -> None:
    """ORG-8, PUB-1: their kind is known, so that a plan can say why they are not published."""
    assert deploy(org, [custom_object(name), text_field(f"{name}.F__c")]) == ()
    assert Objects(org)[name].kind == kind


def test_custom_settings_are_known_as_such(org: Org) -> None:
    """ORG-8, PUB-1: a custom setting is told by its settings type."""
    deploy(org, [custom_object("Opts__c", customSettingsType="Hierarchy")])
    assert Objects(org)["Opts__c"].kind == "setting"


def test_global_value_sets_feed_picklists(org: Org, client: Client) -> None:
    """ORG-4, ORG-8: values of a set are those of its fields, also when the set changes later."""

    def colours(*names: str) -> Component:
        return component("GlobalValueSet", "Colours", customValue=[{"fullName": n, "label": n} for n in names])

    field = component(
        "CustomField",
        "Account.Colour__c",
        type="Picklist",
        label="x",
        valueSet={"restricted": "true", "valueSetName": "Colours"},
    )
    assert deploy(org, [field, colours("red", "green")]) == ()
    insert(client, "Account", Name="x", Colour__c="red")
    with refused("RESTRICTED_PICKLIST"):
        insert(client, "Account", Name="x", Colour__c="blue")
    assert deploy(org, [colours("red", "blue")]) == ()
    insert(client, "Account", Name="x", Colour__c="blue")
    assert Objects(org)["Account"].fields["Colour__c"].picklist == ("red", "blue")


def test_record_types_become_rows_once(org: Org, client: Client) -> None:
    """LKP-6, MET-10: by object and developer name; deploying again keeps the Id."""
    deploy(org, [component("RecordType", "Account.Partner", label="Partner", active="true")])
    query = 'SELECT "Id", "SobjectType", "DeveloperName", "Name", "IsActive" FROM "RecordType"'
    before = client.execute(query).fetchall()
    deploy(org, [component("RecordType", "Account.Partner", label="Our Partner", active="false")])
    ((record, *rest),) = client.execute(query).fetchall()
    assert before == [(record, "Account", "Partner", "Partner", 1)]
    assert rest == ["Account", "Partner", "Our Partner", 0]


def test_roles_come_parents_first(org: Org, client: Client) -> None:
    """MET-9: whatever their names; a role without its parent fails."""
    result = deploy(
        org,
        [
            component("Role", "A", name="A", parentRole="B"),
            component("Role", "B", name="B", parentRole="C"),
            component("Role", "C", name="C"),
            component("Role", "D", name="D", parentRole="Nobody"),
        ],
    )
    assert list(failed(result)) == ["Role:D"]
    rows = client.execute(
        'SELECT r."DeveloperName", p."DeveloperName" FROM "UserRole" AS r LEFT JOIN "UserRole" AS p'
        ' ON p."Id" = r."ParentRoleId" ORDER BY 1'
    ).fetchall()
    assert rows == [("A", "B"), ("B", "C"), ("C", None)]


def test_profiles_and_permission_sets_grant(org: Org) -> None:
    """CON-11, USR-3: standard profiles go by their label; permissions follow what the files grant."""
    admin_before = grants(org, "Profile", "System Administrator")

    def boat(*permissions: str) -> Component:
        listed = [{"name": name, "enabled": "true"} for name in permissions]
        return component("PermissionSet", "Boat", label="Boat", userPermissions=listed)

    deploy(
        org,
        [
            component("Profile", "Admin", userPermissions=[{"name": "RunReports", "enabled": "true"}]),
            component("Profile", "Guests", userLicense="Customer Community"),
            boat("ManageConnections", "ViewSetup"),
        ],
    )
    assert grants(org, "Profile", "System Administrator") == admin_before | {"RunReports"}
    assert grants(org, "PermissionSet", "Boat") == {"ManageConnections", "ViewSetup"}
    deploy(org, [boat("ViewSetup")])
    assert grants(org, "PermissionSet", "Boat") == {"ViewSetup"}
    row = org.db.execute(
        'SELECT l."Name", l."TotalLicenses" FROM "Profile" AS p JOIN "UserLicense" AS l ON l."Id" = p."UserLicenseId"'
        " WHERE p.\"Name\" = 'Guests'"
    ).fetchone()
    assert row == ("Customer Community", 0)
    assert org.db.execute('SELECT count(*) FROM "Profile" WHERE "Name" = \'Admin\'').fetchone() == (0,)


def test_reports_have_ids_of_their_own(org: Org) -> None:
    """MET-3: pages name reports by Id; it stays over changes and is not reused after a delete."""
    one, two = ComponentKey("Report", "F/One"), ComponentKey("Report", "F/Two")
    deploy(org, [component(*one, name="1")])
    first = summaries(org)[one].id
    deploy(org, [component(*one, name="again")])
    assert summaries(org)[one].id == first
    assert first.startswith(f"00O{org.code}")
    assert is_valid_id(first)
    delete(org, one)
    deploy(org, [component(*two, name="2")])
    assert summaries(org)[two].id != first


def test_redeploying_an_object_keeps_its_fields_and_records(org: Org, client: Client) -> None:
    """MET-5: an object component alone never drops the fields of the object."""
    deploy(org, [custom_object("Thing__c"), text_field("Thing__c.F__c")])
    record = insert(client, "Thing__c", F__c="x")
    deploy(org, [custom_object("Thing__c", description="new", deploymentStatus="InDevelopment")])
    assert client.execute('SELECT "Id", "F__c" FROM "Thing__c"').fetchone() == (record, "x")
    assert not Objects(org)["Thing__c"].deployed


def test_deploying_the_same_again_changes_no_schema(org: Org) -> None:
    """MET-1, REC-2: only what differs is altered."""
    parts = [custom_object("Thing__c"), text_field("Thing__c.F__c", unique="true")]
    deploy(org, parts)
    before = schema_state(org)
    deploy(org, parts)
    assert schema_state(org) == before


def test_deploying_changes_the_revision(org: Org) -> None:
    """ORG-1: whoever planned before can tell."""
    (before,) = org.db.execute("SELECT revision FROM orgsync_org").fetchone()
    deploy(org, [component("Flow", "F", label="x")])
    assert org.db.execute("SELECT revision FROM orgsync_org").fetchone()[0] > before


def test_another_reader_sees_the_deployment_whole(org: Org, address: str) -> None:
    """MET-8: a connection that was open before reads the new schema without being opened again."""
    with open_store(address, base=Path(), readonly=True) as reader:
        assert "Thing__c" not in Objects(reader)
        deploy(org, [custom_object("Thing__c"), text_field("Thing__c.F__c")])
        assert "F__c" in Objects(reader)["Thing__c"].fields
        assert reader.db.execute('SELECT "F__c" FROM "Thing__c"').fetchall() == []


@pytest.mark.skipif(not REAL.is_dir(), reason="the real projects are not beside this checkout")
@pytest.mark.parametrize("name", ["easy-spaces", "coral-cloud", "dreamhouse", "ebikes", "npsp"])
def test_real_projects_deploy_whole(name: str, org: Org) -> None:
    """ORG-8: every component of a real project is kept, none is refused, and doing it again changes nothing."""
    parts = read_sfdx(REAL / name).components
    assert deploy(org, parts) == ()
    found = summaries(org)
    assert found.keys() == {item.key for item in parts}
    before = schema_state(org)
    assert deploy(org, parts) == ()
    assert schema_state(org) == before
    assert summaries(org) == found
