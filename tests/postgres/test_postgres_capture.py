"""The change log of an org on PostgreSQL, whoever changes a record and however (ORG-2, ORG-7)."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from postgres_objects import changes, custom, insert, make_object

from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import Objects, rebuild_triggers

Publish = Callable[..., None]
T = FieldType


def own_trigger(client: psycopg.Connection, event: str, body: str) -> None:
    """Gives the org a trigger of its own."""
    client.execute(
        f"CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} RETURN NULL; END$$;"  # type: ignore[call-overload,unused-ignore]
        f" CREATE TRIGGER own {event} FOR EACH ROW EXECUTE FUNCTION own()"
    )


def test_every_kind_of_change_is_logged_with_its_columns(
    org: Org, client: psycopg.Connection, publish: Publish
) -> None:
    """ORG-2, ORG-7: any client's insert, update, delete and undelete, with the columns that really changed."""
    insert(client, "Account", Name="before it was published")
    client.execute('DELETE FROM "Account"')
    client.execute('DELETE FROM "Account"')
    publish("Account", "Name", "Phone", "Website")
    record = insert(client, "Account", Name="x", Phone="1")
    client.execute("""UPDATE "Account" SET "Phone" = '2', "Website" = NULL, "Name" = 'y'""")
    client.execute("""UPDATE "Account" SET "Phone" = '2'""")
    client.execute("""UPDATE "Account" SET "Description" = 'not published'""")
    client.execute('DELETE FROM "Account"')
    client.execute('UPDATE "Account" SET "IsDeleted" = false')
    client.execute("""UPDATE "Account" SET "IsDeleted" = true, "Name" = 'z'""")
    client.execute('DELETE FROM "Account"')
    assert changes(org) == [
        ("I", record, ()),
        ("U", record, ("Name", "Phone")),
        ("D", record, ()),
        ("R", record, ()),
        ("U", record, ("Name",)),
        ("D", record, ()),
    ]


def test_whatever_statement_a_client_uses(org: Org, client: psycopg.Connection, publish: Publish) -> None:
    """ORG-2, ORG-7: COPY, INSERT … ON CONFLICT DO UPDATE, MERGE, and an UPDATE that meets each record twice."""
    publish("Account", "Name", "Phone")
    with client.cursor().copy('COPY "Account" ("Name") FROM STDIN') as copy:
        for name in "abc":
            copy.write_row((name,))
    a, b, c = (row[0] for row in client.execute('SELECT "Id" FROM "Account" ORDER BY orgsync_row'))
    assert changes(org) == [("I", item, ()) for item in (a, b, c)]
    client.execute("DELETE FROM orgsync_change")
    client.execute(
        """INSERT INTO "Account" ("Id", "Name") VALUES (%s, 'a2'), (DEFAULT, 'd')"""
        """ ON CONFLICT ("Id") DO UPDATE SET "Name" = excluded."Name" """,
        [a],
    )
    (d,) = client.execute("""SELECT "Id" FROM "Account" WHERE "Name" = 'd'""").fetchone() or ("",)
    assert sorted(changes(org)) == [("I", d, ()), ("U", a, ("Name",))]
    client.execute("DELETE FROM orgsync_change")
    client.execute(
        """MERGE INTO "Account" AS t USING (VALUES (%s, 'b2'), ('', 'e')) AS s (id, name) ON t."Id" = s.id"""
        """ WHEN MATCHED THEN UPDATE SET "Name" = s.name WHEN NOT MATCHED THEN INSERT ("Name") VALUES (s.name)""",
        [b],
    )
    (e,) = client.execute("""SELECT "Id" FROM "Account" WHERE "Name" = 'e'""").fetchone() or ("",)
    assert sorted(changes(org)) == [("I", e, ()), ("U", b, ("Name",))]
    client.execute("DELETE FROM orgsync_change")
    client.execute("""UPDATE "Account" SET "Phone" = x.p FROM (VALUES ('1'), ('2')) AS x (p) WHERE "Id" = %s""", [c])
    assert changes(org) == [("U", c, ("Phone",))]


def test_a_large_statement_is_logged_row_by_row(org: Org, client: psycopg.Connection, publish: Publish) -> None:
    """ORG-7: one statement over many records logs each with its own columns, in the records' order."""
    publish("Account", "Name", "Phone")
    client.execute("""INSERT INTO "Account" ("Name") SELECT 'n' || i FROM generate_series(1, 1000) AS i""")
    client.execute(
        """UPDATE "Account" SET "Phone" = CASE WHEN orgsync_row % 2 = 0 THEN '1' END, "Name" ="""
        """ CASE WHEN orgsync_row % 3 = 0 THEN 'm' ELSE "Name" END"""
    )
    logged = changes(org)
    records = [row[0] for row in client.execute('SELECT "Id" FROM "Account" ORDER BY orgsync_row')]
    assert logged[:1000] == [("I", record, ()) for record in records]
    expected = []
    for place, record in enumerate(records, 1):
        fields = (*(("Name",) if place % 3 == 0 else ()), *(("Phone",) if place % 2 == 0 else ()))
        expected += [("U", record, fields)] if fields else []
    assert logged[1000:] == expected


def test_what_is_rolled_back_is_not_logged(org: Org, client: psycopg.Connection, publish: Publish) -> None:
    """ORG-7: capture is in the writer's own transaction, savepoints and refused statements included."""
    publish("Account", "Name")
    client.execute("BEGIN")
    insert(client, "Account", Name="never")
    client.execute("ROLLBACK")
    client.execute("BEGIN")
    kept = insert(client, "Account", Name="kept")
    client.execute("SAVEPOINT s")
    client.execute("""UPDATE "Account" SET "Name" = 'undone'""")
    with pytest.raises(psycopg.errors.CheckViolation):
        client.execute("""INSERT INTO "Account" ("Name") VALUES ('a'), (NULL)""")
    client.execute("ROLLBACK TO s")
    client.execute("COMMIT")
    assert changes(org) == [("I", kept, ())]


def test_records_are_deleted_not_truncated(org: Org, client: psycopg.Connection, publish: Publish) -> None:
    """ORG-6, ORG-7: TRUNCATE tells nobody what it removes, so it is refused with what to write instead."""
    publish("Account", "Name")
    record = insert(client, "Account", Name="x")
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="records of Account are deleted, not truncated") as e:
        client.execute('TRUNCATE "Account"')
    assert e.value.diag.message_hint == 'write DELETE FROM "Account", which other orgs are told of'
    assert client.execute('SELECT "Id" FROM "Account"').fetchall() == [(record,)]


def test_a_session_that_writes_like_a_replica_is_captured(
    org: Org, client: psycopg.Connection, publish: Publish
) -> None:
    """ORG-2, ORG-7: tools that switch triggers off for their session still make records that other orgs get."""
    publish("Account", "Name")
    client.execute("SET session_replication_role = replica")
    record = insert(client, "Account", Name="x")
    client.execute('DELETE FROM "Account"')
    assert changes(org) == [("I", record, ()), ("D", record, ())]


def test_engine_writes_are_not_echoed(org: Org, publish: Publish) -> None:
    """ORG-7: what the engine writes is not logged, deletes and what they take along included; the mark ends with it."""
    publish("Account", "Name")
    publish("Contact", "LastName")
    with org.transaction() as db:
        db.mark(1, 0)
        ((account,),) = db.execute("""INSERT INTO "Account" ("Name") VALUES ('a') RETURNING "Id" """).fetchall()
        ((contact,),) = db.execute(
            """INSERT INTO "Contact" ("LastName", "AccountId") VALUES ('c', ?) RETURNING "Id" """, [account]
        ).fetchall()
        db.execute('DELETE FROM "Account"')
        db.execute('UPDATE "Account" SET "IsDeleted" = FALSE')
        db.execute('UPDATE "Account" SET "IsDeleted" = TRUE')
    assert org.db.execute('SELECT "IsDeleted" FROM "Contact"').fetchone() == (1,)
    assert changes(org) == []
    org.db.execute('UPDATE "Account" SET "IsDeleted" = FALSE')
    assert sorted(changes(org)) == [("R", account, ()), ("R", contact, ())]


def test_an_unmarked_rest_of_the_transaction_is_logged(org: Org, publish: Publish) -> None:
    """ORG-7: the engine's mark ends where it says so, not with the transaction alone."""
    publish("Account", "Name")
    with org.transaction() as db:
        db.mark(1, 0)
        db.execute("""INSERT INTO "Account" ("Name") VALUES ('engine')""")
        db.unmark()
        db.execute("""INSERT INTO "Account" ("Name") VALUES ('admin')""")
    assert [op for op, _, _ in changes(org)] == ["I"]


def test_with_several_connections_an_engine_write_is_logged_with_its_origin(org: Org, publish: Publish) -> None:
    """ORG-7, CON-10: the other connections forward it, its own does not; every pass-on is one step further."""
    publish("Account", "Name")
    publish("Account", "Name", connection="other")
    with org.transaction() as db:
        db.mark(2, 3)
        db.execute("""INSERT INTO "Account" ("Name") VALUES ('arrived')""")
        db.execute("""UPDATE "Account" SET "Name" = 'changed'""")
    org.db.execute("""INSERT INTO "Account" ("Name") VALUES ('made here')""")
    rows = org.db.execute("SELECT op, origin, hops FROM orgsync_change ORDER BY n").fetchall()
    assert rows == [("I", 2, 2), ("U", 2, 2), ("I", None, None)]


def test_what_an_own_trigger_changes_in_an_engine_write_is_captured(
    org: Org, client: psycopg.Connection, publish: Publish
) -> None:
    """ORG-7: the engine's write is no change of this org, what its own trigger makes of it is."""
    publish("Account", "Name")
    publish("Contact", "LastName")
    own_trigger(
        client,
        'AFTER INSERT ON "Account"',
        """INSERT INTO "Contact" ("LastName", "AccountId") VALUES ('desk', NEW."Id");"""
        """ UPDATE "Account" SET "Name" = 'seen' WHERE "Id" = NEW."Id";""",
    )
    with org.transaction() as db:
        rebuild_triggers(org, Objects(org))
        db.mark(1, 2)
        db.execute("""INSERT INTO "Account" ("Name") VALUES ('arrived')""")
    rows = org.db.execute("SELECT op, origin, hops FROM orgsync_change ORDER BY op, object").fetchall()
    # The row itself goes on to other connections alone; what the trigger made of it is a change of this org.
    assert sorted(rows, key=str) == sorted([("I", None, 2), ("I", 1, 1), ("U", None, 2)], key=str)


def test_what_an_own_trigger_deletes_in_an_engine_delete_is_captured(
    org: Org, client: psycopg.Connection, publish: Publish
) -> None:
    """ORG-6, ORG-7: children that go with the engine's delete are the engine's; what a trigger deletes beside is not."""
    publish("Account", "Name")
    publish("Contact", "LastName")
    publish("Lead", "LastName")
    account = insert(client, "Account", Name="a")
    insert(client, "Contact", LastName="c", AccountId=account)
    lead = insert(client, "Lead", LastName="l", Company="x")
    own_trigger(client, 'AFTER UPDATE OF "IsDeleted" ON "Contact"', 'DELETE FROM "Lead";')
    client.execute("DELETE FROM orgsync_change")
    with org.transaction() as db:
        db.mark(1, 0)
        db.execute('DELETE FROM "Account"')
    assert changes(org) == [("D", lead, ())]


def test_wide_objects_are_captured_column_by_column(org: Org, client: psycopg.Connection, publish: Publish) -> None:
    """ORG-7: objects of hundreds of fields get further mask words."""
    names = [f"F{place:03}__c" for place in range(400)]
    make_object(org, *(custom(name, T.TEXT, length=20) for name in names))
    assert org.engine.mask_width() == 4
    publish("Thing__c", *names)
    assert org.engine.mask_width() == 7
    record = insert(client, "Thing__c", Name="x")
    wanted = ("F000__c", "F061__c", "F062__c", "F247__c", "F248__c", "F399__c")
    sets = ", ".join(f"\"{name}\" = 'new'" for name in wanted)
    client.execute(f'UPDATE "Thing__c" SET {sets}')  # type: ignore[call-overload,unused-ignore]
    assert changes(org)[-1] == ("U", record, wanted)


def test_capture_follows_schema_changes(org: Org, client: psycopg.Connection, publish: Publish) -> None:
    """ORG-7, PUB-8: a published field that is dropped leaves the others captured under their own numbers."""
    fields = [custom(f"{name}__c", T.TEXT, length=20) for name in "ABC"]
    make_object(org, *fields)
    publish("Thing__c", "A__c", "B__c", "C__c")
    record = insert(client, "Thing__c", A__c="1")
    make_object(org, fields[0], fields[2])
    client.execute("""UPDATE "Thing__c" SET "C__c" = '2'""")
    make_object(org, *fields)
    client.execute("""UPDATE "Thing__c" SET "B__c" = '3'""")
    assert changes(org) == [("I", record, ()), ("U", record, ("C__c",)), ("U", record, ("B__c",))]


def test_rebuilding_triggers_twice_changes_nothing(org: Org, publish: Publish) -> None:
    """ORG-7: what is right already is left alone, so planning and applying again costs nothing."""
    publish("Account", "Name")
    query = "SELECT oid, xmin::text, tgname::text FROM pg_trigger ORDER BY tgname"
    before = org.db.execute(query).fetchall()
    with org.transaction():
        rebuild_triggers(org, Objects(org))
    assert org.db.execute(query).fetchall() == before
