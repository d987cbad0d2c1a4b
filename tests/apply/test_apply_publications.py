"""Publishing, unpublishing and publishing again, through plan and apply."""

from __future__ import annotations

import pytest
from apply_world import ACCOUNT, CONNECTION, clock, custom_field

from orgsync_reconcile.errors import GuardRefusedError
from orgsync_reconcile.metadata import to_component
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql import components
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.publication_reader import read_published, read_subscribed
from orgsync_reconcile.sync.bulk import bulk_sync
from orgsync_reconcile.sync.drain import drain
from orgsync_reconcile.sync.metadata import drop_mismatched

ALL_FIELDS = (
    "version: 1\nkind: Publication\nconnection: acme-dr\nobject: Account\nfields: {include: [Name, Phone, Region__c]}\n"
)


def copy_all(world):
    flow = Pair(world.primary, world.secondary, "acme-dr")
    return bulk_sync(flow, source=Side.PRIMARY, cutoff=None, clock=clock)


def add_account(world, name="Globex"):
    world.primary.db.execute('INSERT INTO "Account" ("Name", "Phone") VALUES (?, \'1\')', [name])


def states(org):
    return [
        row[0]
        for row in org.db.execute(
            "SELECT l.status FROM orgsync_link AS l JOIN orgsync_object AS o ON o.number = l.object WHERE o.name = 'Account'"
        )
    ]


@pytest.mark.parametrize("direction", ["one-way", "two-way"])
def test_unpublishing_disconnects_and_publishing_again_revives(pair, direction):
    """PUB-10, REC-5: needs an allowance; links are cut in both orgs; published again, they live and nothing is doubled."""
    pair.write("connection.yaml", CONNECTION.replace("two-way", direction))
    pair.converge()
    add_account(pair)
    copy_all(pair)
    count = pair.one(pair.secondary, 'SELECT count(*) FROM "Account"')
    assert count and set(states(pair.primary)) == set(states(pair.secondary)) == {1}
    pair.remove("account.yaml")
    with pytest.raises(GuardRefusedError, match="disconnect"):
        pair.apply()
    pair.converge(allow={"disconnect": None})
    assert set(states(pair.primary)) == set(states(pair.secondary)) == {2}
    assert read_published(pair.primary, "acme-dr") == read_subscribed(pair.secondary, "acme-dr") == {}
    pair.write("account.yaml", ACCOUNT)
    pair.converge()
    assert set(states(pair.primary)) == set(states(pair.secondary)) == {1}
    copy_all(pair)
    assert pair.one(pair.secondary, 'SELECT count(*) FROM "Account"') == count


def test_the_history_counts_what_was_disconnected(pair):
    """CON-12, PUB-10: once in each org, in two-way sync too; no row is empty."""
    pair.converge()
    add_account(pair)
    copy_all(pair)
    count = pair.one(pair.secondary, 'SELECT count(*) FROM "Account"')
    pair.remove("account.yaml")
    pair.converge(allow={"disconnect": None})
    for org in (pair.primary, pair.secondary):
        rows = [row[0] for row in org.db.execute("SELECT detail FROM orgsync_history ORDER BY number")]
        assert sum(row.startswith(f"Account, {count} record") for row in rows) == 1
        assert not any("Account, 0" in row for row in rows)
        assert all(rows)


def test_unpublishing_a_field_stops_that_field_alone(pair):
    """PUB-10: the field goes in both orgs and directions, the object and its links stay."""
    pair.converge()
    pair.write("account.yaml", ACCOUNT.replace("Name, Phone", "Name"))
    pair.converge()
    for org in (pair.primary, pair.secondary):
        assert read_published(org, "acme-dr")["Account"].fields == {"Name"}
        assert read_subscribed(org, "acme-dr")["Account"].fields == {"Name"}


def test_capture_follows_what_is_published(pair):
    """PUB-2, PUB-10, ORG-7: nothing is captured before, published fields are, and no longer once unpublished."""
    add_account(pair, "Before")
    assert pair.one(pair.primary, "SELECT count(*) FROM orgsync_change") == 0
    pair.converge()
    add_account(pair, "During")
    number = pair.one(pair.primary, "SELECT number FROM orgsync_object WHERE name = 'Account'")
    sql = "SELECT count(*) FROM orgsync_change WHERE object = ?"
    assert pair.one(pair.primary, sql, number) == 1
    pair.remove("account.yaml")
    pair.converge(allow={"disconnect": None})
    add_account(pair, "After")
    assert pair.one(pair.primary, sql, number) == 1


def test_new_field_is_deployed_published_and_subscribed_in_one_apply(pair):
    """PUB-9, MET-9: one plan brings the field to the secondary and opens its way."""
    pair.converge()
    pair.deploy(custom_field("Region__c"))
    pair.write("account.yaml", ALL_FIELDS)
    pair.converge()
    assert "Region__c" in read_subscribed(pair.secondary, "acme-dr")["Account"].fields


@pytest.mark.parametrize("backfill", [True, False])
def test_values_from_before_are_sent_when_asked_for(pair, backfill):
    """PUB-9: `backfill: true` sends what linked records held before the field was published; otherwise they stay blank."""
    pair.converge()
    add_account(pair)
    drain(Pair(pair.primary, pair.secondary, "acme-dr"), clock=clock)
    pair.deploy(custom_field("Region__c"))
    pair.primary.db.execute('UPDATE "Account" SET "Region__c" = \'North\' WHERE "Name" = \'Globex\'')
    pair.write("account.yaml", ALL_FIELDS + ("backfill: true\n" if backfill else ""))
    pair.converge()
    drain(Pair(pair.primary, pair.secondary, "acme-dr"), clock=clock)
    arrived = pair.one(pair.secondary, 'SELECT "Region__c" FROM "Account" WHERE "Name" = \'Globex\'')
    assert arrived == ("North" if backfill else None)


@pytest.mark.parametrize("backfill", [True, False])
def test_what_changed_while_nothing_was_published(pair, backfill):
    """PUB-9, PUB-10: links that come back to life bring the present values along where the manifest says so."""
    account = ACCOUNT + ("backfill: true\n" if backfill else "")
    pair.write("account.yaml", account)
    pair.converge()
    add_account(pair)
    copy_all(pair)
    pair.remove("account.yaml")
    pair.converge(allow={"disconnect": None})
    pair.primary.db.execute('UPDATE "Account" SET "Phone" = \'2\' WHERE "Name" = \'Globex\'')
    pair.write("account.yaml", account)
    assert any(item.code == "W326" for item in pair.plan().diagnostics) is not backfill
    pair.converge()
    drain(Pair(pair.primary, pair.secondary, "acme-dr"), clock=clock)
    arrived = pair.one(pair.secondary, 'SELECT "Phone" FROM "Account" WHERE "Name" = \'Globex\'')
    assert arrived == ("2" if backfill else "1")


def test_resized_field_drops_out_and_comes_back_with_the_metadata(pair):
    """PUB-8: unsubscribed in the linked org with the reason, still published; the next plan and apply bring it back."""
    pair.deploy(custom_field("Region__c"))
    pair.write("account.yaml", ALL_FIELDS)
    pair.converge()
    assert drop_mismatched(pair.primary, pair.secondary, "acme-dr", clock=clock) == ()
    pair.deploy(custom_field("Region__c", length="100"))
    dropped = drop_mismatched(pair.primary, pair.secondary, "acme-dr", clock=clock)
    assert {(item[0], item[1]) for item in dropped} == {("Account", "Region__c")}
    subscription = read_subscribed(pair.secondary, "acme-dr")["Account"]
    assert "Region__c" not in subscription.fields
    assert subscription.dropped["Region__c"] == "changed in acme from text(80) to text(100)"
    assert "Region__c" in read_published(pair.primary, "acme-dr")["Account"].fields
    assert any(action.op == "subscribe-field" for action in pair.plan().actions)
    pair.converge()
    subscription = read_subscribed(pair.secondary, "acme-dr")["Account"]
    assert "Region__c" in subscription.fields and not subscription.dropped


def test_resized_field_goes_on_when_apply_comes_first(pair):
    """PUB-8, REC-2: where the new size is deployed before anything was dropped, the field stays subscribed."""
    pair.deploy(custom_field("Region__c"))
    pair.write("account.yaml", ALL_FIELDS)
    pair.converge()
    pair.deploy(custom_field("Region__c", length="100"))
    pair.converge()
    assert drop_mismatched(pair.primary, pair.secondary, "acme-dr", clock=clock) == ()
    assert "Region__c" in read_subscribed(pair.secondary, "acme-dr")["Account"].fields


def test_deleted_field_is_unsubscribed_by_itself(pair):
    """PUB-8: a field that is gone from the publishing org is named as deleted there."""
    field = custom_field("Region__c")
    pair.deploy(field)
    pair.write("account.yaml", ALL_FIELDS)
    pair.converge()
    components.delete(pair.primary, field.key)
    reasons = {item[2] for item in drop_mismatched(pair.primary, pair.secondary, "acme-dr", clock=clock)}
    assert "deleted in acme" in reasons


def test_first_record_types_publish_the_object_again(pair):
    """MET-10: an object that got record types after it was published is published again with them."""
    pair.converge()
    content = {"fullName": "Partner", "label": "Partner", "active": "true"}
    pair.deploy(to_component("RecordType", "Account.Partner", content))
    assert any(action.op == "publish-object" for action in pair.plan().actions)
    pair.converge()
    assert read_published(pair.primary, "acme-dr")["Account"].record_types == {"Partner"}
