"""What a target refuses or cannot do: schema, values, duplicates, locks, dead links (LOG-1, CON-8, QUE-4)."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from org_stores import keep_others_out, refuse
from sync_world import CONNECTION, P, S, World, custom_object, text
from sync_world import field as custom_field

from orgsync_reconcile.errors import StoreBusyError, StoreError
from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.stores.sql.features import enable_feature
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.schema import Objects, deploy_objects
from orgsync_reconcile.sync.drain import drain


def test_a_column_that_the_target_lacks_is_left_out(world: World) -> None:
    """PUB-8: the record arrives without it."""
    for side in (P, S):
        world.extend("Account", text("Code__c"), side=side)
    world.connect("Account")
    old = Objects(world.orgs[S])["Account"]
    fields = {name: item for name, item in old.fields.items() if name != "Code__c"}
    deploy_objects(world.orgs[S], [replace(old, fields=fields)])
    account = world.insert(P, "Account", Name="x", Code__c="1", Phone="2")
    world.drain()
    world.update(P, "Account", account, Code__c="2", Phone="3")
    world.drain()
    assert world.all(S, 'SELECT "Name", "Phone" FROM "Account"') == [("x", "3")]
    assert world.queue(P) == []


@pytest.mark.pairings
def test_a_value_that_only_the_target_refuses(world: World) -> None:
    """LOG-1, PUB-11: too long, out of the picklist, blank though required: each with its code and field."""
    kinds = {
        "Short__c": (text("Short__c", 80), text("Short__c", 80)),
        "Choice__c": tuple(
            custom_field("Choice__c", FieldType.PICKLIST, picklist=values, restricted=True)
            for values in (("a", "b"), ("a",))
        ),
        "Needed__c": (text("Needed__c"), text("Needed__c", required=True)),
    }
    for place, side in enumerate((P, S)):
        world.extend("Account", *(pair[place] for pair in kinds.values()), side=side)
    world.connect("Account")
    too_long, only = "data value too large", 'length(NEW."Short__c") > 5'
    refuse(world.clients[S], "Account", too_long, field="Short__c", only=only, code="STRING_TOO_LONG")
    good = {"Short__c": "x", "Choice__c": "a", "Needed__c": "x"}
    for name, values in (
        ("fine", {}),
        ("1", {"Short__c": "123456"}),
        ("2", {"Choice__c": "b"}),
        ("3", {"Needed__c": None}),
    ):
        world.insert(P, "Account", **{"Name": name, **good, **values})
    world.drain()
    assert world.all(S, 'SELECT "Name" FROM "Account"') == ["fine"]
    found = world.all(P, 'SELECT "Error", "FieldName", "FieldType" FROM "PartnerNetworkSyncLog" ORDER BY 1')
    assert found == [
        ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Choice__c", "picklist"),
        ("REQUIRED_FIELD_MISSING", "Needed__c", "text"),
        ("STRING_TOO_LONG", "Short__c", "text"),
    ]


def test_a_link_that_points_to_nothing(world: World) -> None:
    """QUE-4, VER-1: rows that somebody removed behind the org's back hold nothing up, and verify counts them."""
    world.connect("Account")
    lost, kept = (world.insert(P, "Account", Name=name) for name in ("lost", "kept"))
    world.drain()
    there = world.other(P, lost)
    for _ in range(2):
        world.clients[S].execute('DELETE FROM "Account" WHERE "Id" = ?', [there])
    world.clients[S].execute("DELETE FROM orgsync_change")
    for record in (lost, kept):
        world.update(P, "Account", record, Phone="1")
    world.drain()
    assert world.all(S, 'SELECT "Name", "Phone" FROM "Account"') == [("kept", "1")]
    (result,) = world.verify().objects
    assert (result.linked, result.equal, result.missing_secondary) == (2, 1, 1)
    assert world.queue(P) == []


@pytest.mark.parametrize("case_sensitive", [True, False])
def test_unique_values_collide_as_the_target_says(world: World, case_sensitive: bool) -> None:
    """ORG-4, QUE-4: text that differs in case alone is a duplicate, unless the field tells case apart."""
    for side in (P, S):
        world.extend("Account", text("Key__c", unique=True, case_sensitive=case_sensitive), side=side)
    world.connect("Account", one_way=True)
    world.insert(S, "Account", Name="mine", Key__c="ABC")
    account = world.insert(P, "Account", Name="theirs", Key__c="abc")
    world.drain()
    if case_sensitive:
        assert world.count(S, "Account") == 2
    else:
        assert world.log_words(P) == [("Retrying", "DUPLICATE_VALUE", account)]
        assert world.log(P)[0].description == "another record already has this value of Key__c"


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
@pytest.mark.parametrize("required", [True, False])
def test_records_that_swap_unique_values(world: World, required: bool) -> None:
    """QUE-4: two that swap, three in a ring, next to a record that fails: at once, no retry."""
    for side in (P, S):
        world.extend("Account", text("Key__c", 20, unique=True, required=required), side=side)
    world.connect("Account")
    records = [world.insert(P, "Account", Name=str(number), Key__c=f"k{number}") for number in range(5)]
    world.drain()
    turned = ["k1", "k0", "k3", "k4", "k2"]
    world.clients[P].execute("BEGIN")
    for number, record in enumerate(records):
        world.update(P, "Account", record, Key__c=f"temporary {number}")
    for record, value in zip(records, turned, strict=True):
        world.update(P, "Account", record, Key__c=value)
    world.clients[P].execute("COMMIT")
    world.drain()
    assert world.all(S, 'SELECT "Key__c" FROM "Account" ORDER BY "Name"') == turned
    assert world.log(P) == []
    assert world.log_size(S) == 0
    world.assert_equal()


@pytest.mark.parametrize("bulk", [True, False])
def test_duplicate_management_refuses_records_that_match(world: World, bulk: bool) -> None:
    """CON-8: by name and postal code, by email and last name, by an external id; also among the copied ones."""
    for side in (P, S):
        world.extend("Account", text("Ext__c", external_id=True), side=side)
    enable_feature(world.orgs[S], "duplicate-management")
    world.insert(S, "Account", Name="ACME", BillingPostalCode="1")
    world.insert(S, "Account", Name="Other", Ext__c="e1")
    world.insert(S, "Contact", LastName="Doe", Email="doe@acme.example")
    if not bulk:
        world.connect("Account", "Contact")
        world.drain()
        world.bulk(S)
    same = world.insert(P, "Account", Name="Acme", BillingPostalCode="1")
    by_id = world.insert(P, "Account", Name="Third", Ext__c="E1")
    world.insert(P, "Account", Name="Acme", BillingPostalCode="2")
    twice = [world.insert(P, "Account", Name="Twice") for _ in range(2)]
    doe = world.insert(P, "Contact", LastName="doe", Email="DOE@acme.example", AccountId=twice[0])
    child = world.insert(P, "Contact", LastName="child", AccountId=same)
    world.insert(P, "Contact", LastName="doe")
    if bulk:
        world.connect("Account", "Contact")
        world.bulk()
    else:
        world.drain()
    refused = {item.record: item.error_code for item in world.log(P)}
    assert refused == {
        same: "DUPLICATES_DETECTED",
        by_id: "DUPLICATES_DETECTED",
        twice[1]: "DUPLICATES_DETECTED",
        doe: "DUPLICATES_DETECTED",
        child: "INVALID_CROSS_REFERENCE_KEY",
    }
    fields = dict(world.all(P, 'SELECT "LocalRecord", "FieldName" FROM "PartnerNetworkSyncLog"'))
    assert (fields[same], fields[by_id], fields[doe]) == ("Name", "Ext__c", "Email")
    world.update(P, "Account", same, Name="Acme of Ohio")
    world.drain()
    assert world.other(P, same)
    assert world.other(P, child)


def test_an_org_without_duplicate_management_takes_them(world: World) -> None:
    """CON-8: the feature is each org's own; the primary's does not count for the secondary."""
    enable_feature(world.orgs[P], "duplicate-management")
    world.connect("Account")
    for _ in range(2):
        world.insert(P, "Account", Name="Twice")
    world.drain()
    assert world.count(S, "Account") == 2


@pytest.mark.pairings("sqlite-sqlite", "sqlite-postgres")
def test_a_wide_object(world: World) -> None:
    """QUE-4, CNF-1, ORG-7: beyond 248 published columns, both ways and with edits of both orgs."""
    wide = custom_object("Wide__c", "a00", *(text(f"F{number}__c", 20) for number in range(300)))
    world.deploy(custom_object("Wide__c", "a00", text("Own__c")), sides=(S,))
    world.deploy(wide)
    world.connect("Wide__c")
    record = world.insert(P, "Wide__c", Name="w", F0__c="0", F299__c="299")
    world.drain()
    there = str(world.other(P, record))
    world.update(P, "Wide__c", record, F250__c="p", F299__c="p", F61__c="p")
    world.update(S, "Wide__c", there, F251__c="s", F62__c="s", F299__c="s")
    world.drain()
    world.settle()
    names = ("F0__c", "F61__c", "F62__c", "F250__c", "F251__c", "F299__c")
    columns = ", ".join(f'"{name}"' for name in names)
    for side in (P, S):
        assert world.one(side, f'SELECT {columns} FROM "Wide__c"') == ("0", "p", "s", "p", "s", "p")
    world.assert_equal()


def test_a_wide_object_one_way_with_a_refusal(world: World) -> None:
    """QUE-1, LOG-1: the target notes the refused columns though it publishes nothing itself."""
    wide = custom_object("Wide__c", "a00", *(text(f"F{number}__c", 20) for number in range(300)))
    world.deploy(wide)
    world.connect("Wide__c", one_way=True)
    record = world.insert(P, "Wide__c", Name="w")
    world.drain()
    mend = refuse(world.clients[S], "Wide__c", field="F299__c", when="BEFORE UPDATE")
    world.update(P, "Wide__c", record, F299__c="1")
    world.drain()
    assert [item.record for item in world.queue(P)] == [record]
    mend()
    world.later(hours=1)
    world.drain()
    assert world.all(S, 'SELECT "F299__c" FROM "Wide__c"') == ["1"]


@pytest.mark.pairings
def test_a_target_that_is_locked_for_a_while(world: World) -> None:
    """QUE-6: the drain waits for another client's transaction; where that takes too long it says so and loses nothing."""
    world.connect("Account")
    world.insert(P, "Account", Name="x")
    blocker = world.client(S)
    impatient = [world.opened(side, label=side.value, busy_seconds=0.05) for side in (P, S)]
    let_go = keep_others_out(blocker, "Account")
    with pytest.raises(StoreBusyError, match="let it finish"):
        drain(Pair(impatient[0], impatient[1], CONNECTION), clock=world.clock)
    for org in impatient:
        org.close()
    worker = threading.Thread(target=world.drain)
    worker.start()
    time.sleep(0.3)
    let_go()
    worker.join()
    assert world.count(S, "Account") == 1
    world.assert_equal()


def test_a_target_that_cannot_be_written(world: World) -> None:
    """QUE-3: an error that names the org; the queue stays as it is."""
    world.connect("Account")
    world.insert(P, "Account", Name="x")
    frozen = world.opened(S, label="frozen", readonly=True)
    with pytest.raises(StoreError, match=r"frozen: the (store is|server takes no writes.*is) read-only"):
        drain(Pair(world.orgs[P], frozen, CONNECTION), clock=world.clock)
    frozen.close()
    assert len(world.queue(P)) == 1
    world.reopen()
    world.drain()
    assert world.count(S, "Account") == 1


def test_a_pair_without_its_connection(world: World) -> None:
    """CON-1: a clear word instead of a traceback."""
    with pytest.raises(StoreError, match="there is no connection dr"):
        Pair(world.orgs[P], world.orgs[S], CONNECTION)
