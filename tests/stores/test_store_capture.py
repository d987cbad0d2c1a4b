"""The change log as triggers write it, whoever changes a record (ORG-2, ORG-7)."""

from __future__ import annotations

from collections.abc import Callable

from org_stores import Client, insert, own_trigger
from store_helpers import changes, custom, make_object, refused, schema_state

from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import Objects, deploy_objects, rebuild_triggers

Publish = Callable[..., None]


def mark(org: Org, object_name: str, connection: int = 1) -> None:
    """What the engine does before its own writes of an object, inside its transaction."""
    org.db.mark(connection, 1)
    org.db.mark_object(Objects(org).number(object_name))


def test_nothing_is_logged_before_an_object_is_published(org: Org, client: Client) -> None:
    """ORG-7: an org without publications has no log."""
    insert(client, "Account", Name="x")
    assert changes(org) == []


def test_every_kind_of_change_is_logged_with_its_columns(org: Org, client: Client, publish: Publish) -> None:
    """ORG-2, ORG-7: any client's insert, update, delete and undelete, with the columns that really changed."""
    publish("Account", "Name", "Phone", "Website")
    record = insert(client, "Account", Name="x", Phone="1")
    client.execute('UPDATE "Account" SET "Phone" = \'2\', "Website" = NULL, "Name" = \'y\'')
    client.execute('UPDATE "Account" SET "Phone" = \'2\'')
    client.execute('UPDATE "Account" SET "Description" = \'not published\'')
    client.execute('DELETE FROM "Account"')
    client.execute('UPDATE "Account" SET "IsDeleted" = FALSE')
    client.execute('DELETE FROM "Account"')
    client.execute('DELETE FROM "Account"')
    assert changes(org) == [
        ("I", record, ()),
        ("U", record, ("Name", "Phone")),
        ("D", record, ()),
        ("R", record, ()),
        ("D", record, ()),
    ]


def test_what_is_rolled_back_is_not_logged(org: Org, client: Client, publish: Publish) -> None:
    """ORG-7: capture is in the writer's own transaction."""
    publish("Account", "Name")
    client.execute("BEGIN")
    insert(client, "Account", Name="never")
    client.execute("ROLLBACK")
    client.execute("BEGIN")
    kept = insert(client, "Account", Name="kept")
    client.execute("SAVEPOINT s")
    client.execute('UPDATE "Account" SET "Name" = \'undone\'')
    client.execute("ROLLBACK TO s")
    client.execute("COMMIT")
    assert changes(org) == [("I", kept, ())]


def test_a_refused_statement_is_not_logged(org: Org, client: Client, publish: Publish) -> None:
    """ORG-7: a set that fails at its last row logs none of its rows."""
    publish("Account", "Name")
    with refused("REQUIRED_FIELD_MISSING:Name"):
        client.execute("INSERT INTO \"Account\" (\"Name\") VALUES ('a'), ('b'), (NULL)")
    assert changes(org) == []


def test_sequence_numbers_are_not_reused_after_trimming(org: Org, client: Client, publish: Publish) -> None:
    """ORG-7: a trimmed log goes on counting."""
    publish("Account", "Name")
    insert(client, "Account", Name="a")
    ((last,),) = client.execute("SELECT seq FROM orgsync_change").fetchall()
    client.execute("DELETE FROM orgsync_change")
    insert(client, "Account", Name="b")
    ((next_one,),) = client.execute("SELECT seq FROM orgsync_change").fetchall()
    assert next_one > last


def test_engine_writes_are_not_echoed(org: Org, client: Client, publish: Publish) -> None:
    """ORG-7: what the engine writes is not logged, cascades included; the mark ends with its transaction."""
    publish("Account", "Name")
    publish("Contact", "LastName")
    with org.transaction() as db:
        mark(org, "Account")
        account = insert(db, "Account", Name="a")
        mark(org, "Contact")
        contact = insert(db, "Contact", LastName="c", AccountId=account)
        mark(org, "Account")
        db.execute('DELETE FROM "Account"')
        db.unmark()
    assert changes(org) == []
    client.execute('UPDATE "Account" SET "IsDeleted" = FALSE')
    assert sorted(changes(org)) == [("R", account, ()), ("R", contact, ())]


def test_with_several_connections_an_engine_write_is_logged_with_its_origin(
    org: Org, client: Client, publish: Publish
) -> None:
    """ORG-7, CON-10: the other connections forward it, its own does not."""
    publish("Account", "Name")
    publish("Account", "Name", connection="other")
    with org.transaction() as db:
        mark(org, "Account", connection=2)
        insert(db, "Account", Name="arrived")
        db.unmark()
    insert(client, "Account", Name="made here")
    entry = org.db.dialect.entry
    assert client.execute(f"SELECT op, origin FROM orgsync_change ORDER BY {entry}").fetchall() == [
        ("I", 2),
        ("I", None),
    ]


def test_what_an_own_trigger_changes_in_an_engine_write_is_captured(org: Org, client: Client, publish: Publish) -> None:
    """ORG-7: the engine's write is no change of this org, what its own trigger makes of it is."""
    publish("Account", "Name")
    publish("Contact", "LastName")
    body = """INSERT INTO "Contact" ("LastName", "AccountId") VALUES ('desk', NEW."Id")"""
    own_trigger(client, "welcome", "AFTER INSERT", "Account", body)
    with org.transaction() as db:
        mark(org, "Account")
        insert(db, "Account", Name="arrived")
        db.unmark()
    (contact,) = client.execute('SELECT "Id" FROM "Contact"').fetchone()
    assert changes(org) == [("I", contact, ())]


def test_wide_objects_are_captured_column_by_column(org: Org, client: Client, publish: Publish) -> None:
    """ORG-7: more than 248 published columns get further mask words."""
    names = [f"F{place:03}__c" for place in range(800)]
    make_object(org, *(custom(name, FieldType.TEXT, length=20) for name in names))
    assert org.engine.mask_width() == 4
    publish("Thing__c", *names)
    assert org.engine.mask_width() == 13
    record = insert(client, "Thing__c", Name="x")
    wanted = ("F000__c", "F061__c", "F062__c", "F247__c", "F248__c", "F500__c", "F799__c")
    sets = ", ".join(f"\"{name}\" = 'new'" for name in wanted)
    client.execute(f'UPDATE "Thing__c" SET {sets}')
    assert changes(org)[-1] == ("U", record, wanted)


def test_capture_follows_schema_changes(org: Org, client: Client, publish: Publish) -> None:
    """ORG-7, PUB-8: a published field that is dropped leaves the others captured under their own numbers."""
    fields = [custom(f"{name}__c", FieldType.TEXT, length=20) for name in ("A", "B", "C")]
    obj = make_object(org, *fields)
    publish("Thing__c", "A__c", "B__c", "C__c")
    record = insert(client, "Thing__c", A__c="1")
    kept = {name: item for name, item in obj.fields.items() if name != "B__c"}
    make_object(org, *(item for name, item in kept.items() if name != "Name"))
    client.execute('UPDATE "Thing__c" SET "C__c" = \'2\'')
    make_object(org, *fields)
    client.execute('UPDATE "Thing__c" SET "B__c" = \'3\'')
    assert changes(org) == [("I", record, ()), ("U", record, ("C__c",)), ("U", record, ("B__c",))]


def test_rebuilding_triggers_twice_changes_nothing(org: Org, publish: Publish) -> None:
    """ORG-7: what is right already is left alone, so planning and applying again costs nothing."""
    publish("Account", "Name")
    before = schema_state(org)
    with org.transaction():
        rebuild_triggers(org, Objects(org))
    assert schema_state(org) == before


def test_own_triggers_survive_schema_changes(org: Org, client: Client, publish: Publish) -> None:
    """ORG-7, TRG-1: altering an object never touches the org's own triggers."""
    publish("Account", "Name")
    body = """UPDATE "Account" SET "Phone" = 't' WHERE orgsync_row = NEW.orgsync_row"""
    own_trigger(client, "own", "AFTER INSERT", "Account", body)
    account = Objects(org)["Account"]
    extra = custom("Extra__c", FieldType.TEXT, length=20)
    deploy_objects(
        org,
        [type(account)(name=account.name, key_prefix=account.key_prefix, fields={**account.fields, "Extra__c": extra})],
    )
    insert(client, "Account", Name="x", Extra__c="e")
    assert client.execute('SELECT "Phone", "Extra__c" FROM "Account"').fetchone() == ("t", "e")
