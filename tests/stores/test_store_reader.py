"""An org as a plan sees it (ORG-1, REC-1, CON-8, USR-1, MET-10, TRG-1)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from org_stores import Client, insert
from store_helpers import NOW, custom, make_object

from orgsync_reconcile.metadata import to_component
from orgsync_reconcile.model.actual import ActualPublication, ActualSubscription
from orgsync_reconcile.model.component import ComponentKey
from orgsync_reconcile.model.connection import ConnectionStatus, ContactRef, Side, SyncOptions
from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.stores.sql import connections, contacts, publications, subscriptions
from orgsync_reconcile.stores.sql.components import deploy
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.reader import read_org
from orgsync_reconcile.stores.urls import open_store


def user(client: Client, username: str, profile: str = "Standard User", **values: Any) -> str:
    (profile_id,) = client.execute('SELECT "Id" FROM "Profile" WHERE "Name" = ?', [profile]).fetchone()
    said = {"Username": username, "LastName": "x", "Email": "x@x.example", "Alias": "x", "ProfileId": profile_id}
    return insert(client, "User", **{**said, **values})


def test_a_new_org(org: Org) -> None:
    """ORG-1, CON-8: who the org is, what it may, and its administrator."""
    actual = read_org(org)
    info = actual.info
    assert (info.org_id, info.code, info.name) == (org.org_id, org.code, "acme")
    assert (info.org_type, info.edition, info.admin) == ("production", "enterprise", "admin@acme.example")
    assert info.features == {"salesforce-to-salesforce"}
    assert info.limits["custom_objects"] == 200
    admin = actual.users["admin@acme.example"]
    assert admin.id == org.admin_id
    assert {"ManageConnections", "CustomizeApplication", "CreateContact"} <= admin.permissions
    assert (admin.license, admin.profile, admin.active) == ("Salesforce", "System Administrator", True)
    assert actual.licenses["Salesforce"] == (1000, 1)
    assert "System Administrator" in actual.profiles
    assert "Account" in actual.objects
    assert actual.connections == {}


def test_reading_changes_nothing(org: Org, address: str) -> None:
    """REC-1: a plan reads a file that it may not write, and twice the same gives the same."""
    deploy(org, [to_component("Role", "R", {"name": "R"})])
    before = org.db.execute("SELECT revision FROM orgsync_org").fetchone()
    with open_store(address, base=Path(), readonly=True) as reader:
        first, second = read_org(reader, publications=["Account"]), read_org(reader, publications=["Account"])
        assert first.info == second.info
        assert first.users == second.users
        assert first.components == second.components
    assert org.db.execute("SELECT revision FROM orgsync_org").fetchone() == before


def test_features_and_limits_are_kept(org: Org) -> None:
    """ORG-1: features that were switched on, and the edition's limits."""
    assert org.db.execute("SELECT name FROM orgsync_feature").fetchall() == [("salesforce-to-salesforce",)]
    limits = dict(org.db.execute("SELECT name, value FROM orgsync_limit").fetchall())
    assert limits["custom_objects"] == 200


@pytest.mark.files_only
def test_users_with_what_they_have(org: Org, client: Client) -> None:
    """USR-1, USR-3, CON-8: profile, role, permission sets and permissions by name; seats by licence."""
    deploy(
        org,
        [
            to_component("Role", "Boss", {"name": "The boss"}),
            to_component(
                "PermissionSet",
                "Connect",
                {"label": "Connect", "userPermissions": [{"name": "ManageConnections", "enabled": "true"}]},
            ),
        ],
    )
    (role,) = client.execute('SELECT "Id" FROM "UserRole"').fetchone()
    (holder,) = client.execute('SELECT "Id" FROM "PermissionSet"').fetchone()
    ada = user(client, "ada@x.example", FirstName="Ada", LastName="King", UserRoleId=role)
    user(client, "out@x.example", IsActive=0)
    user(client, "chat@x.example", "Chatter Free User")
    insert(client, "PermissionSetAssignment", AssigneeId=ada, PermissionSetId=holder)
    actual = read_org(org)
    found = actual.users["ada@x.example"]
    assert (found.id, found.name, found.role, found.profile) == (ada, "Ada King", "Boss", "Standard User")
    assert found.permission_sets == {"Connect"}
    assert found.permissions == {"ManageConnections"}
    assert not actual.users["out@x.example"].active
    assert not actual.users["chat@x.example"].standard
    assert actual.licenses["Salesforce"] == (1000, 2)
    assert actual.licenses["Chatter Free"] == (5000, 1)
    assert actual.roles == {"Boss"}
    assert actual.permission_sets == {"Connect"}


def test_a_users_hash_follows_what_syncs(org: Org, client: Client) -> None:
    """USR-4: saving a synced field, an assignment or the manager's name changes it, a login does not."""
    boss = user(client, "boss@x.example")
    ada = user(client, "ada@x.example", ManagerId=boss)
    deploy(org, [to_component("PermissionSet", "P", {"label": "P"})])

    def seen() -> str:
        return read_org(org).users["ada@x.example"].hash

    hashes = [seen()]
    client.execute('UPDATE "User" SET "LastLoginDate" = \'2026-01-31T00:00:00.000Z\' WHERE "Id" = ?', [ada])
    assert seen() == hashes[0]
    for statement in (
        'UPDATE "User" SET "Title" = \'Countess\' WHERE "Username" = \'ada@x.example\'',
        'UPDATE "User" SET "IsActive" = FALSE WHERE "Username" = \'ada@x.example\'',
        'UPDATE "User" SET "Username" = \'chief@x.example\' WHERE "Username" = \'boss@x.example\'',
        'INSERT INTO "PermissionSetAssignment" ("AssigneeId", "PermissionSetId")'
        ' SELECT u."Id", p."Id" FROM "User" AS u, "PermissionSet" AS p WHERE u."Username" = \'ada@x.example\'',
    ):
        client.execute(statement)
        hashes.append(seen())
    assert len(set(hashes)) == 5


def test_records_are_counted_without_the_deleted(org: Org, client: Client) -> None:
    """REC-1: the numbers that stand in a plan's effects."""
    for place in range(5):
        insert(client, "Account", Name=str(place))
    client.execute("DELETE FROM \"Account\" WHERE \"Name\" IN ('1', '3')")
    client.execute('DELETE FROM "Account" WHERE "Name" = \'3\'')
    assert read_org(org, publications=["Account", "Contact", "Nowhere__c"]).records == {"Account": 3, "Contact": 0}


def test_record_types_that_are_active(org: Org) -> None:
    """MET-10: by object and developer name."""
    deploy(
        org,
        [
            to_component("RecordType", "Account.A", {"label": "A", "active": "true"}),
            to_component("RecordType", "Account.B", {"label": "B", "active": "false"}),
            to_component("RecordType", "Case.C", {"label": "C", "active": "true"}),
        ],
    )
    assert read_org(org).record_types == {"Account": {"A"}, "Case": {"C"}}


@pytest.mark.files_only
def test_triggers_in_the_file_and_apex_triggers(org: Org, client: Client) -> None:
    """TRG-1: both kinds of an org's own triggers, without those that are switched off."""
    client.execute('CREATE TRIGGER own AFTER INSERT ON "Account" BEGIN SELECT 1; END')
    source = "/* made by hand */ trigger {} on Account (before insert) {{}}"
    deploy(
        org,
        [
            to_component("ApexTrigger", "Stamp", {"status": "Active", "source": source.format("Stamp")}),
            to_component("ApexTrigger", "Off", {"status": "Inactive", "source": source.format("Off")}),
        ],
    )
    assert read_org(org).triggers == {"Account": ("Stamp", "own")}


def test_only_contacts_that_are_asked_for(org: Org, client: Client) -> None:
    """CON-2: by full name and email; a contact of the same email under another name is another person."""
    account = insert(client, "Account", Name="Acme")
    record = insert(client, "Contact", FirstName="Ada", LastName="King", Email="Ada@X.example", AccountId=account)
    insert(client, "Contact", LastName="Other", Email="ada@x.example")
    (found,) = read_org(org, contacts=[("Ada King", "ada@x.example"), ("Nobody", "no@x.example")]).contacts
    assert (found.id, found.name, found.account) == (record, "Ada King", "Acme")
    assert read_org(org).contacts == ()


def test_a_connection_with_all_that_hangs_on_it(org: Org, client: Client, other_org: Org) -> None:
    """CON-5, PUB-8, BLK-8: what was published, accepted, dropped, linked, copied and refused."""
    acting: dict[str, Any] = {"actor": "admin", "clock": lambda: NOW}
    contact = contacts.create_contact(
        org, ContactRef(first_name="Ada", last_name="King", email="a@x.example", account="Acme")
    )
    for end, side, other in ((org, Side.PRIMARY, other_org), (other_org, Side.SECONDARY, org)):
        connections.create_connection(
            end,
            "dr",
            side,
            partner_org_id=other.org_id,
            partner_name=other.name,
            owner_id=end.admin_id,
            contact_id=contact if end is org else None,
            options=SyncOptions(users_secondary=False, feeds_and_audit_fields=True),
            status=ConnectionStatus.ACCEPTED,
            settings={"conflicts": "latest-wins"},
            **acting,
        )
    publications.publish_object(org, "dr", "Account", ["Name", "Phone"], match_on="Phone", record_types=["A"], **acting)
    subscriptions.subscribe_object(
        org, "dr", "Contact", {"LastName": "text:80::", "Fax": "phone:40::"}, since_seq=0, since="2026", **acting
    )
    subscriptions.drop_field(org, "dr", "Contact", "Fax", "its type differs", **acting)
    for place, status in enumerate((1, 1, 2)):
        org.db.execute(
            "INSERT INTO orgsync_link (connection, object, local, partner, status, since)"
            " SELECT 1, number, ?1, ?1, ?2, 0 FROM orgsync_object WHERE name = 'Account'",
            [f"001{place}", status],
        )
    other_org.db.execute(
        "INSERT INTO orgsync_bulk (connection, object, cutoff, position, remaining, started, finished)"
        " VALUES (1, 'Account', '', 9, 0, 0, 1), (1, 'Contact', '', 9, 4, 0, NULL)"
    )
    org.db.execute(
        "INSERT INTO orgsync_failed VALUES (1, 'component', 'Layout:Account-My: Layout', 'h1', 'no'),"
        " (1, 'user', 'ada@x.example', 'h2', 'no seat')"
    )
    actual = read_org(org, partners={"dr": other_org}).connections["dr"]
    assert (actual.side, actual.status, actual.owner) == (Side.PRIMARY, ConnectionStatus.ACCEPTED, "admin@acme.example")
    assert actual.contact is not None
    assert (actual.contact.name, actual.contact.account) == ("Ada King", "Acme")
    assert (actual.feeds_and_audit_fields, actual.metadata, actual.users) == (True, True, True)
    assert actual.partner_org_id == other_org.org_id
    assert actual.settings == {"conflicts": "latest-wins"}
    assert actual.published == {
        "Account": ActualPublication(
            object="Account", fields=frozenset({"Name", "Phone"}), match_on="Phone", record_types=frozenset({"A"})
        )
    }
    assert actual.subscribed == {
        "Contact": ActualSubscription(
            object="Contact", fields=frozenset({"LastName"}), dropped={"Fax": "its type differs"}
        )
    }
    assert actual.linked == {"Account": 2}
    assert actual.bulk_synced == {"Account": 1}
    assert actual.failed_components == {ComponentKey("Layout", "Account-My: Layout"): ("h1", "no")}
    assert actual.failed_users == {"ada@x.example": ("h2", "no seat")}
    assert not read_org(other_org).connections["dr"].users
    assert read_org(org, connection_names=[]).connections == {}


@pytest.mark.files_only
def test_ten_thousand_components_are_read_without_their_contents(org: Org) -> None:
    """MET-1: summaries come from an index alone."""
    deploy(org, [to_component("Flow", f"F{place}", {"label": str(place)}) for place in range(10_000)])
    actual = read_org(org)
    assert len(actual.components) == 10_000
    assert actual.component_texts[ComponentKey("Flow", "F9999")] == '{"label":"9999"}'
    plan = org.db.execute(
        "EXPLAIN QUERY PLAN SELECT type, full_name, namespace, id, hash, synced_hash FROM orgsync_component"
        " ORDER BY type, full_name"
    ).fetchall()
    assert [row[3] for row in plan] == ["SCAN orgsync_component USING COVERING INDEX orgsync_component_summary"]


def test_hygiene_is_read_where_asked_for(org: Org, client: Client, publish: Callable[..., None]) -> None:
    """ORG-10: only the objects that wait for a bulk sync are looked over."""
    make_object(org, custom("Up__c", FieldType.LOOKUP, reference_to=["Account"]))
    insert(client, "Thing__c", Up__c="001zzz000000001AAA")
    insert(client, "Contact", LastName="x", AccountId="001zzz000000001AAA")
    assert [item.object for item in read_org(org, with_hygiene=["Thing__c"]).hygiene] == ["Thing__c"]
    assert read_org(org).hygiene == ()
