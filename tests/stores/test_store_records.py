"""Records as any client writes them: Ids, audit fields, deletes (ORG-2, ORG-3, ORG-5, ORG-6)."""

from __future__ import annotations

import re

import pytest
from org_stores import Client, insert
from store_helpers import custom, make_object, refused

from orgsync_reconcile.catalog import is_valid_id
from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.stores.sql.org import Org

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def deleted(db: Client, table: str, record: str) -> int | None:
    row = db.execute(f'SELECT "IsDeleted" FROM "{table}" WHERE "Id" = ?', [record]).fetchone()
    return None if row is None else int(row[0])


def test_standard_objects_are_there_with_their_fields(client: Client) -> None:
    """ORG-2, ORG-3: standard objects are tables with their true columns, and the test org's custom fields are not."""
    wanted = (
        "Account Attachment Case CaseComment CaseTeamMember Contact EmailMessage FeedComment FeedItem Lead Opportunity"
    )
    wanted += " Product2 Task User Profile UserRole PermissionSet PermissionSetAssignment UserLicense RecordType Group"
    columns = {}
    for name in wanted.split():
        found = client.execute(f'SELECT * FROM "{name}" WHERE 1 = 0').description
        columns[name] = {item[0] for item in found or ()}
        assert {"Id", "IsDeleted", "SystemModstamp"} <= columns[name]
    assert {"Name", "AnnualRevenue", "BillingCity", "ParentId"} <= columns["Account"]
    assert not [name for name in columns["Account"] if name.endswith("__c")]
    with refused("NUMBER_OUTSIDE_VALID_RANGE"):
        insert(client, "Account", Name="x", AnnualRevenue=10**18)


def test_an_insert_by_any_client_gets_an_id(org: Org, client: Client) -> None:
    """ORG-5: key prefix, the org's code, a counter, a valid checksum."""
    first = insert(client, "Account", Name="Acme")
    second = insert(client, "Account", Name="Globex")
    assert first.startswith(f"001{org.code}")
    assert is_valid_id(first)
    assert is_valid_id(second)
    assert first[15:] == second[15:]
    assert int(second[6:15], 16) == int(first[6:15], 16) + 1


def test_many_rows_of_one_statement_all_get_ids(client: Client) -> None:
    """ORG-5: set inserts are minted row by row."""
    client.execute(
        'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO "Lead" ("LastName",'
        " \"Company\") SELECT 'L' || i, 'C' FROM n"
    )
    ids = [row[0] for row in client.execute('SELECT "Id" FROM "Lead"')]
    assert len(set(ids)) == 500
    assert all(is_valid_id(item) for item in ids)


def test_counters_are_never_reused(client: Client) -> None:
    """ORG-5: not even that of the last row, deleted for good."""
    first = insert(client, "Account", Name="Acme")
    client.execute('DELETE FROM "Account"')
    client.execute('DELETE FROM "Account"')
    assert client.execute('SELECT count(*) FROM "Account"').fetchone() == (0,)
    assert insert(client, "Account", Name="Acme") > first


def test_two_orgs_never_mint_the_same_id(org: Org, other_org: Org) -> None:
    """ORG-5: every org has a code of its own in its Ids."""
    assert other_org.code != org.code
    assert insert(other_org.db, "Account", Name="A") != insert(org.db, "Account", Name="A")


def test_a_writer_may_give_an_id_of_another_org(org: Org, client: Client) -> None:
    """ORG-5: a record keeps the Id that it is inserted under, if the object can hold it."""
    given = "001Kz00000AbCdEIAV"
    assert insert(client, "Account", Id=given, Name="x") == given
    with refused("DUPLICATE_VALUE"):
        insert(client, "Account", Id=given, Name="again")


@pytest.mark.parametrize("given", ["001", "003zzz000000001AAA", "001{code}0000fffffAAA"])
def test_ids_that_cannot_be_are_refused(given: str, org: Org, client: Client) -> None:
    """ORG-5: too short, of another object, or one that this org will mint later."""
    with refused("MALFORMED_ID:Id"):
        insert(client, "Account", Id=given.replace("{code}", org.code), Name="x")


def test_a_record_keeps_its_id(client: Client) -> None:
    """ORG-5: links and lookups rely on it."""
    insert(client, "Account", Name="x")
    with refused("INVALID_FIELD_FOR_INSERT_UPDATE:Id"):
        client.execute('UPDATE "Account" SET "Id" = \'001zzz000000001AAA\'')


def test_audit_fields_are_the_admins_unless_told(org: Org, client: Client) -> None:
    """ORG-5: a writer that cannot be told is the org's admin; one that says who and when is believed."""
    plain = insert(client, "Account", Name="x")
    row = client.execute(
        'SELECT "CreatedById", "LastModifiedById", "CreatedDate", "LastModifiedDate", "SystemModstamp", "OwnerId"'
        ' FROM "Account" WHERE "Id" = ?',
        [plain],
    ).fetchone()
    assert (row[0], row[1], row[5]) == (org.admin_id,) * 3
    assert all(STAMP.fullmatch(item) for item in row[2:5])
    old = "2001-02-03T04:05:06.007Z"
    told = insert(client, "Account", Name="y", CreatedDate=old, LastModifiedDate=old, CreatedById="005x")
    assert client.execute(
        'SELECT "CreatedById", "CreatedDate", "LastModifiedDate" FROM "Account" WHERE "Id" = ?', [told]
    ).fetchone() == ("005x", old, old)


def test_an_update_moves_the_modification_not_the_creation(org: Org, client: Client) -> None:
    """ORG-5: LastModified follows every write by a client."""
    old = "2001-02-03T04:05:06.007Z"
    record = insert(
        client, "Account", Name="x", CreatedDate=old, LastModifiedDate=old, SystemModstamp=old, LastModifiedById="005y"
    )
    client.execute('UPDATE "Account" SET "Phone" = \'1\' WHERE "Id" = ?', [record])
    created, modified, stamp, who = client.execute(
        'SELECT "CreatedDate", "LastModifiedDate", "SystemModstamp", "LastModifiedById" FROM "Account"'
    ).fetchone()
    assert created == old
    assert modified == stamp > old
    assert who == org.admin_id


def test_delete_is_soft_and_again_for_good(client: Client) -> None:
    """ORG-6: SQL DELETE deletes softly, and for good what is already deleted."""
    record = insert(client, "Lead", LastName="x", Company="y")
    client.execute('DELETE FROM "Lead" WHERE "Id" = ?', [record])
    assert deleted(client, "Lead", record) == 1
    client.execute('DELETE FROM "Lead" WHERE "Id" = ?', [record])
    assert deleted(client, "Lead", record) is None


def test_delete_cascades_and_undelete_brings_back_the_same(client: Client) -> None:
    """ORG-6: children go and come back with their parent at every level; what was deleted before stays deleted."""
    account = insert(client, "Account", Name="A")
    gone = insert(client, "Contact", LastName="gone", AccountId=account)
    kept = insert(client, "Contact", LastName="kept", AccountId=account)
    elsewhere = insert(client, "Contact", LastName="elsewhere")
    task = insert(client, "Task", Subject="call", WhoId=kept)
    client.execute('DELETE FROM "Contact" WHERE "Id" = ?', [gone])
    client.execute('DELETE FROM "Account" WHERE "Id" = ?', [account])
    assert [deleted(client, "Contact", item) for item in (gone, kept, elsewhere)] == [1, 1, 0]
    assert deleted(client, "Task", task) == 1
    client.execute('UPDATE "Account" SET "IsDeleted" = FALSE WHERE "Id" = ?', [account])
    assert [deleted(client, "Contact", item) for item in (gone, kept, elsewhere)] == [1, 0, 0]
    assert deleted(client, "Task", task) == 0


def test_an_ordinary_lookup_keeps_its_value(org: Org, client: Client) -> None:
    """ORG-6: only master-detail children and the listed standard children cascade."""
    make_object(
        org,
        custom("Loose__c", FieldType.LOOKUP, reference_to=["Account"]),
        custom("Tight__c", FieldType.MASTER_DETAIL, reference_to=["Account"], cascade_delete=True),
    )
    one, two = insert(client, "Account", Name="1"), insert(client, "Account", Name="2")
    thing = insert(client, "Thing__c", Loose__c=one, Tight__c=two)
    client.execute('DELETE FROM "Account" WHERE "Id" = ?', [one])
    assert deleted(client, "Thing__c", thing) == 0
    assert client.execute('SELECT "Loose__c" FROM "Thing__c"').fetchone() == (one,)
    client.execute('DELETE FROM "Account" WHERE "Id" = ?', [two])
    assert deleted(client, "Thing__c", thing) == 1


@pytest.mark.files_only
def test_partner_network_tables_serve_the_orgs_own_triggers(org: Org, client: Client, publish) -> None:  # type: ignore[no-untyped-def]
    """ORG-9: an own trigger can ask which records came over an active replication connection."""
    publish("Account", "Name")
    client.execute(
        'CREATE TRIGGER mark AFTER INSERT ON "Account" WHEN EXISTS (SELECT 1 FROM "PartnerNetworkConnection" WHERE'
        " \"ConnectionType\" = 'Replication' AND \"ReplicationRole\" = 'Primary' AND \"ConnectionStatus\" = 'Accepted')"
        ' BEGIN UPDATE "Account" SET "Description" = \'replicated\' WHERE "Id" = NEW."Id" OR orgsync_row = NEW.orgsync_row;'
        " END"
    )
    record = insert(client, "Account", Name="x")
    assert client.execute('SELECT "Description" FROM "Account"').fetchone() == ("replicated",)
    org.db.execute(
        "INSERT INTO orgsync_link (connection, object, local, partner, since)"
        " SELECT 1, number, ?, '001zzz000000009AAA', 1700000000000 FROM orgsync_object WHERE name = 'Account'",
        [record],
    )
    link = client.execute(
        'SELECT r."Status", r."PartnerRecordId", r."StartDate", c."ConnectionStatus", r."Id" FROM'
        ' "PartnerNetworkRecordConnection" AS r JOIN "PartnerNetworkConnection" AS c ON c."Id" = r."ConnectionId"'
        ' WHERE r."LocalRecordId" = ?',
        [record],
    ).fetchone()
    assert link[:4] == ("Sent", "001zzz000000009AAA", "2023-11-14T22:13:20.000Z", "Accepted")
    assert is_valid_id(link[4])
    connection = client.execute('SELECT "Id" FROM "PartnerNetworkConnection"').fetchone()[0]
    insert(client, "PartnerNetworkSyncLog", ConnectionId=connection, LocalRecord=record, Status="Retrying")
    assert client.execute('SELECT "Name", "Status" FROM "PartnerNetworkSyncLog"').fetchone() == ("00000001", "Retrying")
