"""What every way between two orgs must bring: stories that several tests tell of their own pair."""

from __future__ import annotations

from sync_world import P, S, World, custom_object, field, text

from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.sync.verify import verify_by_hashes


def send_both_ways(world: World, parent: str) -> None:
    """Of an Account that was sent with its Contact: a child, edits of both, a delete with children and its undoing."""
    child = world.insert(P, "Account", Name="child", ParentId=parent)
    world.drain()
    there = str(world.other(P, child))
    assert world.get(S, "Account", there, "ParentId") == world.other(P, parent)
    world.update(P, "Account", child, Phone="1", Website="p")
    world.update(S, "Account", there, Phone="2", Fax="s")
    world.settle()
    assert world.one(S, 'SELECT "Phone", "Website", "Fax" FROM "Account" WHERE "Id" = ?', there) == ("1", "p", "s")
    world.delete(S, "Account", str(world.other(P, parent)))
    world.settle()
    assert world.count(P, "Contact") == 0
    world.update(P, "Account", parent, IsDeleted=False)
    world.settle()
    assert world.count(S, "Contact") == 1
    world.assert_equal()
    assert verify_by_hashes(world.pair, clock=world.clock).equal


def send_all_kinds_of_values(world: World) -> None:
    """Numbers with their scale, checkboxes, days, moments and odd text are the same there, whichever org sends them."""
    fields = [
        field("Amount__c", FieldType.CURRENCY, precision=18, scale=2),
        field("Flag__c", FieldType.CHECKBOX),
        field("Day__c", FieldType.DATE),
        field("Moment__c", FieldType.DATETIME),
        text("Text__c", length=255),
    ]
    world.deploy(custom_object("Thing__c", "a0T", *fields))
    world.connect("Thing__c")
    values = {
        "Amount__c": 123456789012345678,
        "Flag__c": True,
        "Day__c": "2026-02-28",
        "Moment__c": "2026-02-28T23:59:59.999Z",
        "Text__c": "%s ? :x ' \" \u00e9 \U0001f600",
    }
    for side in (P, S):
        record = world.insert(side, "Thing__c", Name="one", **values)
        world.settle()
        there = str(world.other(side, record))
        found = [world.get(side.other, "Thing__c", there, name) for name in values]
        assert found == list(values.values())
    world.assert_equal()
