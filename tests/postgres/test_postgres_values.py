"""What a PostgreSQL server enforces on records: unique text, given Ids, numbers, the bin (ORG-4 to ORG-6)."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from postgres_objects import changes, custom, insert, make_object

from orgsync_reconcile.catalog import is_valid_id
from orgsync_reconcile.catalog.ids import checksum18
from orgsync_reconcile.errors import MetadataError
from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.stores.faults import refusal
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.rename import rename_field, rename_object
from orgsync_reconcile.stores.sql.schema import Objects

T = FieldType
#: As long as the platform lets a field's name be, with a namespace.
LONG = "acmenamespace1__" + "A" * 40 + "__c"


def refused(client: psycopg.Connection, statement: str) -> tuple[str, str]:
    """(code, field) of a refused statement."""
    with pytest.raises(psycopg.Error) as caught:
        client.execute(statement)  # type: ignore[call-overload,unused-ignore]
    return refusal(caught.value)[:2]


def test_unique_text_ignores_case_unless_told(org: Org, client: psycopg.Connection) -> None:
    """ORG-4: unique among records that are not deleted; the letters of ASCII have one case."""
    make_object(
        org,
        custom("U__c", T.TEXT, length=20, unique=True),
        custom("C__c", T.TEXT, length=20, unique=True, case_sensitive=True),
        custom("N__c", T.NUMBER, precision=8, scale=2, unique=True),
    )
    insert(client, "Thing__c", U__c="Key", C__c="Key", N__c=1)
    assert refused(client, """INSERT INTO "Thing__c" ("U__c") VALUES ('kEY')""") == ("DUPLICATE_VALUE", "U__c")
    assert refused(client, """INSERT INTO "Thing__c" ("C__c") VALUES ('Key')""") == ("DUPLICATE_VALUE", "C__c")
    assert refused(client, """INSERT INTO "Thing__c" ("N__c") VALUES (1.00)""") == ("DUPLICATE_VALUE", "N__c")
    insert(client, "Thing__c", C__c="KEY")
    insert(client, "Thing__c", U__c="É")
    insert(client, "Thing__c", U__c="é")
    client.execute("""DELETE FROM "Thing__c" WHERE "U__c" = 'Key'""")
    insert(client, "Thing__c", U__c="KEY")
    assert refused(client, """UPDATE "Thing__c" SET "IsDeleted" = false""") == ("DUPLICATE_VALUE", "U__c")


def test_a_long_field_is_named_in_its_refusals(org: Org, client: psycopg.Connection) -> None:
    """ORG-4, LOG-1: the server cuts names at 63 bytes; code and field are told all the same."""
    field = custom(LONG, T.TEXT, length=2, unique=True)
    make_object(org, field)
    insert(client, "Thing__c", **{LONG: "x"})
    assert refused(client, f"""INSERT INTO "Thing__c" ("{LONG}") VALUES ('xxx')""") == ("STRING_TOO_LONG", LONG)
    assert refused(client, f"""INSERT INTO "Thing__c" ("{LONG}") VALUES ('X')""") == ("DUPLICATE_VALUE", LONG)
    make_object(org, custom(LONG, T.PICKLIST, picklist=["x"], restricted=True, required=True))
    code = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert refused(client, f"""INSERT INTO "Thing__c" ("{LONG}") VALUES ('y')""") == (code, LONG)
    assert refused(client, """INSERT INTO "Thing__c" ("Name") VALUES ('y')""") == ("REQUIRED_FIELD_MISSING", LONG)


def test_a_name_that_the_server_would_cut_is_refused(org: Org) -> None:
    """ORG-2: a column has its field's whole name or none."""
    with pytest.raises(MetadataError, match="at most 63"):
        make_object(org, custom("A" * 61 + "__c", T.TEXT, length=2))
    assert "Thing__c" not in Objects(org)


def test_records_older_than_a_rule_can_be_edited_and_deleted(org: Org, client: psycopg.Connection) -> None:
    """ORG-4, ORG-10: a rule counts from a record's next change of the field on, and for every new record."""
    make_object(org, custom("F__c", T.TEXT, length=20), custom("G__c", T.TEXT, length=20))
    insert(client, "Thing__c", G__c="long enough")
    make_object(org, custom("F__c", T.TEXT, length=20, required=True), custom("G__c", T.TEXT, length=4))
    client.execute("""UPDATE "Thing__c" SET "Name" = 'still old'""")
    assert refused(client, """UPDATE "Thing__c" SET "F__c" = ''""") == ("REQUIRED_FIELD_MISSING", "F__c")
    assert refused(client, """UPDATE "Thing__c" SET "G__c" = 'longer'""") == ("STRING_TOO_LONG", "G__c")
    assert refused(client, """INSERT INTO "Thing__c" ("Name") VALUES ('new')""") == ("REQUIRED_FIELD_MISSING", "F__c")
    client.execute('DELETE FROM "Thing__c"')
    assert client.execute('SELECT "IsDeleted", "G__c" FROM "Thing__c"').fetchone() == (True, "long enough")
    client.execute('DELETE FROM "Thing__c"')
    # Renamed, the rule goes along; taken back, it is gone.
    insert(client, "Thing__c", F__c="x")
    rename_field(org, "Thing__c", "F__c", "H__c")
    assert refused(client, """INSERT INTO "Thing__c" ("Name") VALUES ('new')""") == ("REQUIRED_FIELD_MISSING", "H__c")
    make_object(org, custom("H__c", T.TEXT, length=20), custom("G__c", T.TEXT, length=20))
    insert(client, "Thing__c", G__c="longer than four")


def test_a_renamed_object_keeps_its_counters_and_goes_whole(org: Org, client: psycopg.Connection) -> None:
    """ORG-5, PUB-11: Ids go on from where they were; a new object under the former name begins anew."""
    make_object(
        org, custom("F__c", T.TEXT, length=20, unique=True), custom("P__c", T.LOOKUP, reference_to=["Thing__c"])
    )
    first = insert(client, "Thing__c", F__c="a")
    base = org.db.reserve("Thing__c", 5)
    rename_object(org, "Thing__c", "Item__c")
    assert int(insert(client, "Item__c", F__c="b")[6:15], 16) == int(first[6:15], 16) + 1
    assert org.db.reserve("Item__c", 5) == base + 5
    assert refused(client, """INSERT INTO "Item__c" ("F__c") VALUES ('B')""") == ("DUPLICATE_VALUE", "F__c")
    make_object(org, key_prefix="a01")
    assert insert(client, "Thing__c")[6:15] == "000000001"


def test_ids_that_are_given(org: Org, client: psycopg.Connection) -> None:
    """ORG-5: an Id that this org will mint later is refused, whoever would mint it, the first one included."""
    make_object(org)

    def given(number: int, code: str = org.code) -> str:
        return (
            f"""INSERT INTO "Thing__c" ("Id") VALUES ('a00{code}{number:09x}{checksum18(f"a00{code}{number:09x}")}')"""
        )

    half = 1 << 35
    base = org.db.reserve("Thing__c", 3)
    assert base == half - 1
    for number in (1, half + 3, (1 << 36) - 1):
        assert refused(client, given(number)) == ("MALFORMED_ID", "Id")
    client.execute(given(half))  # type: ignore[call-overload,unused-ignore]
    client.execute(given(77, "zzz"))  # type: ignore[call-overload,unused-ignore]
    assert insert(client, "Thing__c")[6:15] == "000000001"


def test_thousands_are_deleted_at_once_and_come_back(
    org: Org, client: psycopg.Connection, publish: Callable[..., None]
) -> None:
    """ORG-6, ORG-7: one DELETE, each record in the bin and in the log; undeleted with their children."""
    publish("Account", "Name")
    publish("Contact", "LastName")
    client.execute("""INSERT INTO "Account" ("Name") SELECT 'n' || i FROM generate_series(1, 1000) AS i""")
    client.execute("""INSERT INTO "Contact" ("LastName", "AccountId") SELECT 'c', "Id" FROM "Account" LIMIT 300""")
    client.execute("DELETE FROM orgsync_change")
    client.execute('DELETE FROM "Account"')
    assert sorted(op for op, _, _ in changes(org)) == ["D"] * 1300
    client.execute("DELETE FROM orgsync_change")
    client.execute('UPDATE "Account" SET "IsDeleted" = false')
    assert sorted(op for op, _, _ in changes(org)) == ["R"] * 1300
    assert client.execute('SELECT count(*) FROM "Contact" WHERE NOT "IsDeleted"').fetchone() == (300,)


def test_an_upsert_meets_only_what_is_not_deleted(org: Org, client: psycopg.Connection) -> None:
    """ORG-4, ORG-6: a client's own upsert by a unique field; the bin holds its value for nobody."""
    make_object(org, custom("U__c", T.TEXT, length=20, unique=True), custom("V__c", T.TEXT, length=20))
    upsert = (
        """INSERT INTO "Thing__c" ("U__c", "V__c") VALUES ('Key', %s) ON CONFLICT (lower("U__c"))"""
        """ WHERE NOT "IsDeleted" DO UPDATE SET "V__c" = excluded."V__c" """
    )
    for value in "ab":
        client.execute(upsert, [value])
    client.execute('DELETE FROM "Thing__c"')
    client.execute(upsert, ["c"])
    rows = client.execute('SELECT "V__c", "IsDeleted" FROM "Thing__c" ORDER BY orgsync_row').fetchall()
    assert rows == [("b", True), ("c", False)]


def test_an_undelete_where_changes_only_arrive_severs(
    org: Org, client: psycopg.Connection, publish: Callable[..., None]
) -> None:
    """LKP-5: a person's undelete ends the record's connection; one that arrives over the connection does not."""
    publish("Lead", "LastName")
    account = insert(client, "Account", Name="x")
    client.execute("INSERT INTO orgsync_subscribed VALUES (1, 'Account', 0, '')")
    client.execute(
        "INSERT INTO orgsync_link (connection, object, local, partner, since)"
        " SELECT 1, number, %s, '001zzz000000009AAA', 0 FROM orgsync_object WHERE name = 'Account'",
        [account],
    )
    status = "SELECT status FROM orgsync_link"
    with org.transaction() as db:
        db.mark(1, 0)
        db.execute('UPDATE "Account" SET "IsDeleted" = TRUE')
        db.execute('UPDATE "Account" SET "IsDeleted" = FALSE')
    assert client.execute(status).fetchone() == (1,)
    client.execute('DELETE FROM "Account"')
    assert client.execute(status).fetchone() == (1,)
    client.execute('UPDATE "Account" SET "IsDeleted" = false')
    assert client.execute(status).fetchone() == (4,)


def test_partner_network_tables_serve_the_orgs_own_triggers(
    org: Org, client: psycopg.Connection, publish: Callable[..., None]
) -> None:
    """ORG-9: an own trigger can ask which connections there are; links are shown as the platform shows them."""
    publish("Account", "Name")
    client.execute(
        "CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN"
        """ IF EXISTS (SELECT 1 FROM "PartnerNetworkConnection" WHERE "ReplicationRole" = 'Primary'"""
        """ AND "ConnectionStatus" = 'Accepted') THEN NEW."Description" := 'replicated'; END IF; RETURN NEW; END$$;"""
        ' CREATE TRIGGER own BEFORE INSERT ON "Account" FOR EACH ROW EXECUTE FUNCTION own()'
    )
    record = insert(client, "Account", Name="x")
    assert client.execute('SELECT "Description" FROM "Account"').fetchone() == ("replicated",)
    client.execute(
        "INSERT INTO orgsync_link (connection, object, local, partner, since)"
        " SELECT 1, number, %s, '001zzz000000009AAA', 1700000000000 FROM orgsync_object WHERE name = 'Account'",
        [record],
    )
    link = org.db.execute(
        'SELECT "Status", "PartnerRecordId", "StartDate", "Id" FROM "PartnerNetworkRecordConnection"'
    ).fetchone()
    assert link[:3] == ("Sent", "001zzz000000009AAA", "2023-11-14T22:13:20.000Z")
    assert is_valid_id(link[3])


def test_own_triggers_survive_schema_changes(org: Org, client: psycopg.Connection) -> None:
    """ORG-7, TRG-1: altering an object never touches the org's own triggers."""
    make_object(org, custom("A__c", T.TEXT, length=20), custom("B__c", T.NUMBER, precision=8, scale=0))
    client.execute(
        """CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW."A__c" := 't'; RETURN NEW; END$$;"""
        ' CREATE TRIGGER own BEFORE INSERT ON "Thing__c" FOR EACH ROW EXECUTE FUNCTION own()'
    )
    make_object(org, custom("A__c", T.TEXT, length=20), custom("B__c", T.TEXT, length=20))
    insert(client, "Thing__c", B__c="text")
    assert client.execute('SELECT "A__c", "B__c" FROM "Thing__c"').fetchone() == ("t", "text")
    assert list(org.engine.own_triggers()) == [("Thing__c", "own")]
