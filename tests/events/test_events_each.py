"""Each control action: its cause queues it in the right org, the drain carries it out, both histories tell (QUE-2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hostile_world import HostileWorld
from sync_world import ACTOR, CONNECTION, P, S, custom_object, field, text

from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.model.events import QueueAction
from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.stores.sql import connection_changes, connections, events, publications, subscriptions
from orgsync_reconcile.stores.sql.rename import rename_field, rename_object
from orgsync_reconcile.stores.sql.schema import Objects, deploy_objects
from orgsync_reconcile.sync import lifecycle
from orgsync_reconcile.sync.users import sync_all_users

PROPERTY = custom_object(
    "Property__c", "a00", text("Code__c", 40), field("Kind__c", FieldType.PICKLIST, picklist=("House", "Flat"))
)
FIELDS = {"Property__c": ["Name", "Code__c", "Kind__c"]}


def join(world: HostileWorld) -> HostileWorld:
    """Both orgs publish and subscribe one custom object; nothing is queued."""
    world.deploy(PROPERTY)
    world.connect("Property__c", fields=FIELDS)
    world.drain()
    return world


def listed(world: HostileWorld) -> list[tuple[str, str, str]]:
    """(org, action, record) of the whole queue, as the program lists it."""
    done = world.program("--format", "json", "queue", "list", CONNECTION)
    assert done.exit_code == 0, done.output
    return [(item["org"], item["action"], item["record"]) for item in json.loads(done.stdout)["items"]]


def told(world: HostileWorld, side: Side, action: str) -> list[tuple[str, str]]:
    """(actor, org that it came from) of an action's rows in one org's history, oldest first."""
    return world.all(side, "SELECT actor, origin FROM orgsync_history WHERE event = ? ORDER BY number", action)


def acting(world: HostileWorld) -> dict[str, object]:
    return {"actor": ACTOR, "clock": world.clock}


def set_owner(world: HostileWorld) -> None:
    other = world.one(P, 'SELECT "Id" FROM "User" WHERE "Id" <> ?', world.orgs[P].admin_id)
    if other is None:
        other = world.insert(
            P,
            "User",
            Username="bob@acme.example",
            LastName="Bob",
            Alias="bob",
            Email="bob@acme.example",
            ProfileId=world.one(P, 'SELECT "ProfileId" FROM "User"'),
        )
    connection_changes.set_owner(world.orgs[P], CONNECTION, other, **acting(world))


def resize(world: HostileWorld) -> None:
    world.extend("Property__c", text("Code__c", 60), side=P)


def forget_value(world: HostileWorld) -> None:
    world.extend("Property__c", field("Kind__c", FieldType.PICKLIST, picklist=("House",)), side=P)


def relabel(world: HostileWorld) -> None:
    deploy_objects(world.orgs[P], [replace(Objects(world.orgs[P])["Property__c"], label="Building")])


#: Action -> its cause in the primary, and what it is about.
CAUSES: dict[QueueAction, tuple[Callable[[HostileWorld], object], str]] = {
    QueueAction.UPDATE: (set_owner, CONNECTION),
    QueueAction.FIELD_MAP_DELETE: (
        lambda w: publications.unpublish_field(w.orgs[P], CONNECTION, "Property__c", "Code__c", **acting(w)),
        "Property__c.Code__c",
    ),
    QueueAction.FIELD_MAP_NAME_UPDATE: (
        lambda w: rename_field(w.orgs[P], "Property__c", "Code__c", "Mark__c"),
        "Property__c.Mark__c",
    ),
    QueueAction.FIELD_MAP_UPDATE: (resize, "Property__c.Code__c"),
    QueueAction.TYPE_MAP_DELETE: (
        lambda w: publications.unpublish_object(w.orgs[P], CONNECTION, "Property__c", **acting(w)),
        "Property__c",
    ),
    QueueAction.TYPE_MAP_NAME_UPDATE: (
        lambda w: rename_object(w.orgs[P], "Property__c", "Building__c"),
        "Building__c",
    ),
    QueueAction.TYPE_MAP_UPDATE: (relabel, "Property__c"),
    QueueAction.TYPE_MAP_SET_PARTNER_SUB: (
        lambda w: subscriptions.unsubscribe_object(w.orgs[P], CONNECTION, "Property__c", disconnect=False, **acting(w)),
        "Property__c",
    ),
    QueueAction.VALUE_MAP_DELETE: (forget_value, "Property__c.Kind__c"),
}


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
@pytest.mark.parametrize("action", CAUSES)
def test_an_event_from_cause_to_end(world: HostileWorld, action: QueueAction) -> None:
    """QUE-1, QUE-2, CON-12: queued in the org of its cause, carried out by the drain, gone; both histories name who."""
    join(world)
    cause, subject = CAUSES[action]
    rows = {side: len(told(world, side, action)) for side in (P, S)}
    cause(world)
    assert ("acme", action.value, subject) in listed(world)
    assert not [item for item in listed(world) if item[0] == "acme-dr"]
    assert len(told(world, S, action)) == rows[S]
    before = json.loads(world.program("--format", "json", "status", CONNECTION).stdout)["connections"][0]
    assert before["primary"]["queue"]["pending"] == len(listed(world))
    done = world.program("drain", CONNECTION)
    assert done.exit_code == 0, done.output
    assert [item for item in listed(world) if item[1] != QueueAction.MAP_UPDATE_EMAIL] == []
    ours, theirs = told(world, P, action), told(world, S, action)
    assert len(ours) == rows[P] + 1 and len(theirs) == rows[S] + 1
    assert ours[-1][0] == theirs[-1][0] and theirs[-1][1] == "acme" and ours[-1][1] == ""
    world.program("drain", CONNECTION)
    assert len(told(world, S, action)) == rows[S] + 1


def subscription(world: HostileWorld, side: Side = S) -> dict[str, str | None]:
    return dict(world.all(side, "SELECT field, dropped FROM orgsync_subscribed_field"))


def test_what_is_no_longer_published_is_no_longer_subscribed(world: HostileWorld) -> None:
    """PUB-10, QUE-2: a field leaves the linked org's map, then the object with its links."""
    join(world)
    world.insert(P, "Property__c", Name="x")
    world.drain()
    CAUSES[QueueAction.FIELD_MAP_DELETE][0](world)
    world.drain()
    assert set(subscription(world)) == {"Name", "Kind__c"}
    CAUSES[QueueAction.TYPE_MAP_DELETE][0](world)
    world.drain()
    assert subscription(world) == {}
    assert world.all(
        S,
        "SELECT status FROM orgsync_link WHERE object = (SELECT number FROM orgsync_object WHERE name = 'Property__c')",
    ) == [2]


def test_an_event_that_was_overtaken_does_no_harm(world: HostileWorld) -> None:
    """QUE-2, PUB-10: unpublished and published again before the linked org heard of it: it stays subscribed."""
    join(world)
    CAUSES[QueueAction.TYPE_MAP_DELETE][0](world)
    publications.publish_object(world.orgs[P], CONNECTION, "Property__c", FIELDS["Property__c"], **acting(world))
    world.drain()
    assert set(subscription(world)) == set(FIELDS["Property__c"])
    world.insert(P, "Property__c", Name="x")
    world.drain()
    assert world.count(S, "Property__c") == 1


def test_a_resized_field_drops_out(world: HostileWorld) -> None:
    """PUB-8, QUE-2: the linked org checks its subscription again; the administrators' email stands in its own queue."""
    join(world)
    resize(world)
    world.drain()
    assert subscription(world)["Code__c"] == "changed in acme from text(40) to text(60)"
    assert ("acme-dr", "Map Update Email", "Property__c.Code__c") in listed(world)
    assert world.program("drain", CONNECTION).exit_code == 0
    assert listed(world) == []
    notes = world.all(S, "SELECT detail FROM orgsync_history WHERE event = 'Notification'")
    assert notes == ["Map Update Email to nobody: the manifests have no document of kind Mail"]


def test_the_publisher_knows_its_subscriber(world: HostileWorld) -> None:
    """QUE-2: Type Map Set Partner Sub stands in the subscriber's queue; status shows what the publisher was told."""
    world.deploy(PROPERTY)
    world.connect("Property__c", fields=FIELDS)
    assert {item[:2] for item in listed(world)} == {(name, "Type Map Set Partner Sub") for name in ("acme", "acme-dr")}

    def known() -> list[str]:
        document = json.loads(world.program("--format", "json", "status", CONNECTION).stdout)
        return document["connections"][0]["primary"]["partner_subscribed"]

    assert known() == []
    world.drain()
    assert known() == ["Property__c"]
    subscriptions.unsubscribe_object(world.orgs[S], CONNECTION, "Property__c", disconnect=False, **acting(world))
    world.drain()
    assert known() == []


def test_a_renamed_field_flows_again_once_both_have_the_name(world: HostileWorld) -> None:
    """PUB-11, QUE-2: it drops out where only one org renamed it, and comes back with its data and links."""
    join(world)
    record = world.insert(P, "Property__c", Name="x", Code__c="1")
    world.drain()
    rename_field(world.orgs[P], "Property__c", "Code__c", "Mark__c")
    world.drain()
    assert subscription(world)["Code__c"] == "renamed to Mark__c in acme"
    rename_field(world.orgs[S], "Property__c", "Code__c", "Mark__c")
    world.drain()
    assert subscription(world) == subscription(world, P) == dict.fromkeys(("Name", "Mark__c", "Kind__c"))
    world.update(P, "Property__c", record, Mark__c="2")
    world.drain()
    assert world.one(S, 'SELECT "Mark__c" FROM "Property__c"') == "2"
    world.assert_equal()


def test_a_renamed_object_flows_again_once_both_have_the_name(world: HostileWorld) -> None:
    """PUB-11, QUE-2: table, links and subscriptions follow; a lookup to it goes on."""
    world.deploy(
        PROPERTY, custom_object("Room__c", "a01", field("House__c", FieldType.LOOKUP, reference_to=["Property__c"]))
    )
    world.connect("Property__c", "Room__c", fields={**FIELDS, "Room__c": ["Name", "House__c"]})
    record = world.insert(P, "Property__c", Name="x")
    world.insert(P, "Room__c", Name="hall", House__c=record)
    world.drain()
    for side in (P, S):
        rename_object(world.orgs[side], "Property__c", "Building__c")
    world.drain()
    world.update(P, "Building__c", record, Code__c="9")
    world.insert(P, "Room__c", Name="attic", House__c=record)
    world.insert(S, "Building__c", Name="new")
    world.drain()
    assert world.one(S, 'SELECT "Code__c" FROM "Building__c" WHERE "Name" = \'x\'') == "9"
    assert world.count(P, "Building__c") == 2
    world.assert_equal()
    there = world.other(P, record)
    assert world.all(S, 'SELECT "House__c" FROM "Room__c"') == [there, there]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("Property__c.Nope__c", "Mark__c", "there is no field Property__c.Nope__c"),
        ("Property__c.Code__c", "Kind__c", "Kind__c is there already"),
        ("Property__c.Code__c", "Mark", "'Mark' is no name of a custom field"),
        ("Property__c.Code__c", 'x"; DROP TABLE "Account"; --__c', "is no name of a custom field"),
        ("Account.Phone", "Mark__c", "Account.Phone is a standard one"),
        ("Nope__c", "Other__c", "there is no object Nope__c"),
        ("Property__c.Code__c", "Account.Mark__c", "is in another object"),
    ],
)
def test_a_name_that_cannot_be(world: HostileWorld, old: str, new: str, why: str) -> None:
    """PUB-11: one line says why, and nothing is changed."""
    world.deploy(PROPERTY)
    before = world.one(P, "SELECT revision FROM orgsync_org")
    done = world.program("org", "rename", world.addresses[P], old, new)
    assert done.exit_code in (1, 64), done.output
    (line,) = done.stderr.strip().splitlines()
    assert why in line
    assert world.one(P, "SELECT revision FROM orgsync_org") == before


def suspended(world: HostileWorld) -> None:
    lifecycle.suspend(world.orgs[P], CONNECTION, actor="admin@acme.example", by_command=True, clock=world.clock)


def test_suspending_is_told_while_all_else_waits(world: HostileWorld) -> None:
    """SUS-1, CON-7, QUE-2: the partner hears of it at once; an option that changes meanwhile goes when it is resumed."""
    join(world)
    world.insert(P, "Property__c", Name="x")
    done = world.program("suspend", CONNECTION, "--org", "primary")
    assert done.exit_code == 0, done.output
    assert told(world, S, "Connection Admin Suspended") == [("admin@acme.example", "acme")]
    connection_changes.set_options(world.orgs[P], CONNECTION, feeds_and_audit_fields=True, **acting(world))
    world.drain()
    assert ("acme", "Connection Update", CONNECTION) in listed(world)
    assert not connections.get_connection(world.orgs[S], CONNECTION).feeds_and_audit_fields
    assert world.program("resume", CONNECTION).exit_code == 0
    assert connections.get_connection(world.orgs[S], CONNECTION).feeds_and_audit_fields
    assert told(world, S, "Connection Admin Resumed") == [("admin@acme.example", "acme")]
    world.drain()
    assert listed(world) == [] and world.count(S, "Property__c") == 1


def test_suspending_itself_is_told_when_both_are_back(world: HostileWorld) -> None:
    """SUS-3, QUE-2: Connection Suspended and Resumed wait in the queue of the org that was there, and go in their order."""
    join(world)
    lifecycle.suspend_automatically(world.orgs[P], CONNECTION, reason="no such file", clock=world.clock)
    assert listed(world) == [("acme", "Connection Suspended", CONNECTION)]
    lifecycle.resume_automatically(world.orgs[P], CONNECTION, clock=world.clock)
    world.drain()
    for action in ("Connection Suspended", "Connection Resumed"):
        assert told(world, S, action) == [("orgsync", "acme")]
    assert listed(world) == []


def test_an_end_that_ended_ends_the_other(world: HostileWorld) -> None:
    """CON-9, QUE-2: Connection Deactivate is all that is left in the queue; carried out, both are inactive."""
    join(world)
    world.insert(P, "Property__c", Name="x")
    lifecycle.deactivate(world.orgs[P], CONNECTION, actor="admin@acme.example", clock=world.clock)
    assert [item.action for item in events.read_events(world.orgs[P], 1)] == ["Connection Deactivate"]
    world.drain()
    for side in (P, S):
        assert connections.get_connection(world.orgs[side], CONNECTION).status is ConnectionStatus.INACTIVE
        assert [row[0] for row in told(world, side, "Connection Deactivate")] == ["admin@acme.example"]
        assert events.read_events(world.orgs[side], 1) == []


def test_a_sync_of_all_users_that_was_cut_off(world: HostileWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """USR-1, QUE-2: Bulk Sync Users stands until it is done; the next drain does the rest."""
    world.deploy(PROPERTY)
    world.connect("Property__c", fields=FIELDS, users=True)
    world.drain()
    set_owner(world)
    with monkeypatch.context() as patch:
        patch.setattr("orgsync_reconcile.sync.users.copy_users", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            sync_all_users(world.orgs[P], world.orgs[S], CONNECTION, P, world.clock)
    assert ("acme", "Bulk Sync Users", "User") in listed(world)
    world.drain()
    assert listed(world) == []
    assert world.one(S, 'SELECT count(*) FROM "User" WHERE "Username" = \'bob@acme.example.dr\'') == 1


def test_a_bulk_sync_that_was_cut_off(world: HostileWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """BLK-4, QUE-2: Bulk Sync stands with what remains; the next drain copies the rest, and never more than was asked."""
    world.insert(P, "Account", Name="one")
    world.insert(P, "Contact", LastName="two")
    world.connect("Account", "Contact")
    world.drain()
    with monkeypatch.context() as patch:
        patch.setattr("orgsync_reconcile.sync.bulk._commit", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        for limit in (1, None):
            with pytest.raises(KeyboardInterrupt):
                world.bulk(limit=limit)
            assert (listed(world) == []) == (limit == 1)
    document = json.loads(world.program("--format", "json", "queue", "list", CONNECTION).stdout)["items"]
    assert [(item["action"], item["object"], item["detail"]) for item in document] == [
        ("Bulk Sync", "Account", "1 remaining"),
        ("Bulk Sync", "Contact", "1 remaining"),
    ]
    assert world.program("drain", CONNECTION).exit_code == 0
    assert listed(world) == [] and (world.count(S, "Account"), world.count(S, "Contact")) == (1, 1)


def test_an_id_that_is_missing(world: HostileWorld) -> None:
    """LKP-2, QUE-2: a lookup that waits for its parent is listed for the org that the record comes from."""
    parent = world.insert(P, "Account", Name="parent")
    world.connect("Account", "Contact")
    child = world.insert(P, "Contact", LastName="x", AccountId=parent)
    world.drain()
    assert listed(world) == [("acme", "Missing Partner ID", child)]
    world.bulk(P, "Account")
    world.drain()
    assert listed(world) == []
