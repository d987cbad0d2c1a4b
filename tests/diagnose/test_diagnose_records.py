"""Diagnosing records: each reason of the guide's tables, arising from its cause, with a command that mends it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ailing_orgs import ADMIN, Ailing, P, S, codes, deployed, text, the
from org_stores import contents, refuse

from orgsync_reconcile.errors import StoreError, UsageError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.schema import FieldDef, FieldType
from orgsync_reconcile.stores.sql import publications
from orgsync_reconcile.sync import lifecycle
from orgsync_reconcile.sync.metadata import drop_mismatched


def account(ailing: Ailing, **values: object) -> str:
    """A new account of the primary, sent."""
    record = ailing.insert(P, "Account", **{"Name": "One", **values})
    ailing.drain()
    return record


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
def test_nothing_is_wrong(ailing: Ailing) -> None:
    """DIA-1: both Ids, since when, and that they are equal; asked from either end."""
    ailing.connect("Account")
    ours = account(ailing)
    theirs = ailing.other(P, ours)
    for record, partner in ((ours, theirs), (theirs, ours)):
        found = ailing.ask(record)
        assert found.healthy
        assert codes(found, infos=True) == ["equal"]
        assert (found.record, found.partner_record) == (record, partner)
        assert found.linked_since
        assert ours in the(found, "equal").what
        assert theirs in the(found, "equal").what


def test_a_short_id_will_do(ailing: Ailing) -> None:
    """DIA-1: fifteen characters are enough; what is no Id is a usage error."""
    ailing.connect("Account")
    ours = account(ailing)
    assert ailing.ask(ours[:15]).record == ours
    with pytest.raises(UsageError, match="is not a record Id"):
        ailing.ask("Acme")


def test_no_such_record(ailing: Ailing) -> None:
    """DIA-1: an Id that nobody has, and one that was deleted for good and is still linked."""
    ailing.connect("Account")
    ours = account(ailing)
    never = ailing.insert(P, "Account", Name="Gone")
    for record in (never, never, ours, ours):
        ailing.delete(P, "Account", record)
    ailing.forget(P)
    assert codes(ailing.ask(never)) == ["no-such-record"]
    assert "--repair" in the(ailing.ask(ours), "gone").command


def test_in_the_queue(ailing: Ailing) -> None:
    """DIA-1, QUE-1: its place in the queue of the org that sends it, new or changed, asked from either end."""
    ailing.connect("Account")
    ours = account(ailing)
    first = ailing.insert(P, "Account", Name="Two")
    ailing.update(P, "Account", ours, Phone="2")
    assert "number 1 in the queue of acme (Generic Insert)" in the(ailing.ask(first), "in-queue").what
    for record in (ours, ailing.other(P, ours)):
        found = ailing.ask(record)
        assert codes(found) == ["in-queue"]
        assert "number 2 in the queue of acme (Generic Update)" in the(found, "in-queue").what
        assert the(found, "in-queue").command == "orgsync drain dr --from primary"
    ailing.drain()
    assert ailing.ask(first).healthy


@pytest.mark.pairings
def test_refused_then_failed(ailing: Ailing) -> None:
    """DIA-1, LOG-1: the code, the log entry and the next try; once it has failed for good, how to send it again."""
    ailing.connect("Account", retry="60")
    refuse(ailing.clients[S], "Account", "x")
    ours = account(ailing)
    found = ailing.ask(ours)
    assert codes(found) == ["retrying"]
    assert "FIELD_CUSTOM_VALIDATION_EXCEPTION" in the(found, "retrying").why
    assert "of the log of acme" in the(found, "retrying").why
    ailing.later(hours=1)
    ailing.drain()
    assert the(ailing.ask(ours), "failed").command == f"orgsync forward dr Account {ours} --from primary"


def test_not_published(ailing: Ailing) -> None:
    """DIA-1: the object is not published, not subscribed, or can never be."""
    ailing.connect("Account")
    contact = ailing.insert(P, "Contact", LastName="One")
    assert the(ailing.ask(contact), "not-published").command.startswith("orgsync apply && orgsync bulk-sync dr")
    ailing.publish("Contact", accepted=False)
    assert codes(ailing.ask(contact))[0] == "not-subscribed"
    role = ailing.insert(P, "UserRole", Name="Chief", DeveloperName="Chief")
    assert codes(ailing.ask(role), infos=True) == ["not-publishable"]


def test_one_way(ailing: Ailing) -> None:
    """DIA-1, PUB-7: made in the secondary; and an edit there that stands, asked from either end."""
    ailing.connect("Account", one_way=True)
    made_there = ailing.insert(S, "Account", Name="Two")
    assert codes(ailing.ask(made_there)) == ["one-way"]
    ours = account(ailing)
    theirs = ailing.other(P, ours)
    ailing.update(S, "Account", theirs, Phone="edited")
    for record in (ours, theirs):
        found = ailing.ask(record)
        assert found.healthy
        assert codes(found, infos=True) == ["edited-in-secondary"]


def test_fields(ailing: Ailing) -> None:
    """DIA-1, PUB-8: fields that are not published, that unsubscribed themselves, and that do not match."""
    ailing.deploy(deployed("Thing__c", "a00", text("One__c"), text("Two__c"), text("Three__c")))
    ailing.connect()
    ailing.publish("Thing__c", wanted=["Name", "One__c", "Two__c"])
    thing = ailing.insert(P, "Thing__c", Name="T")
    ailing.drain()
    assert codes(ailing.ask(thing), infos=True) == ["equal"]
    ailing.update(P, "Thing__c", thing, Three__c="stays")
    found = ailing.ask(thing)
    assert found.healthy
    assert the(found, "fields-not-published").what == "fields of this record that are not published: Three__c"
    ailing.deploy(deployed("Thing__c", "a00", text("Two__c", 20), text("Three__c")), sides=(S,))
    found = ailing.ask(thing)
    assert [item.what for item in found.findings if item.code == "metadata-mismatch"] == [
        "Thing__c.One__c is missing in acme-dr; in acme it is text(80)",
        "Thing__c.Two__c is text(20) in acme-dr; in acme it is text(80)",
    ]
    drop_mismatched(ailing.orgs[P], ailing.orgs[S], "dr", clock=ailing.clock)
    found = ailing.ask(thing)
    assert codes(found) == ["field-dropped", "field-dropped"]
    assert any(item.why == "deleted in acme-dr" for item in found.findings)


def test_object_missing(ailing: Ailing) -> None:
    """DIA-1: the other org lacks the object."""
    ailing.deploy(deployed("Thing__c", "a00"), sides=(P,))
    ailing.connect()
    publications.publish_object(ailing.orgs[P], "dr", "Thing__c", ["Name"], actor="a", clock=ailing.clock)
    thing = ailing.insert(P, "Thing__c", Name="T")
    assert codes(ailing.ask(thing))[0] == "object-missing"


def test_record_type_missing(ailing: Ailing) -> None:
    """DIA-1, LKP-6: the other org lacks the record's record type."""
    ailing.connect("Account")
    kind = ailing.insert(P, "RecordType", Name="Partner", DeveloperName="Partner", SobjectType="Account")
    ours = account(ailing, RecordTypeId=kind)
    assert "Account.Partner" in the(ailing.ask(ours), "record-type-missing").what
    ailing.insert(S, "RecordType", Name="Partner", DeveloperName="Partner", SobjectType="Account")
    assert "record-type-missing" not in codes(ailing.ask(ours))


def test_never_bulk_synced_and_too_old(ailing: Ailing) -> None:
    """DIA-1, QUE-4, BLK-1: what was there before waits for a bulk sync, and one with a cutoff leaves old records out."""
    old = ailing.insert(P, "Account", Name="Old", CreatedDate="2020-01-01T00:00:00.000Z")
    ailing.update(P, "Account", old, LastModifiedDate="2020-02-02T00:00:00.000Z")
    ailing.connect("Account")
    assert the(ailing.ask(old), "not-bulk-synced").command == "orgsync bulk-sync dr --object Account"
    ailing.bulk(cutoff=ailing.now.replace(year=2025))
    finding = the(ailing.ask(old), "older-than-cutoff")
    assert "2025-" in finding.what
    assert "2020-02-02" in finding.why
    assert finding.command == f"orgsync forward dr Account {old}"
    ailing.update(P, "Account", old, Phone="1")
    assert codes(ailing.ask(old)) == ["older-than-cutoff"]
    ailing.bulk()
    ailing.drain()
    assert ailing.ask(old).healthy


def test_a_bulk_sync_that_was_cut_off(ailing: Ailing) -> None:
    """DIA-1, BLK-4: the bulk sync has not come to the record yet."""
    records = [ailing.insert(P, "Account", Name=str(number)) for number in range(3)]
    ailing.connect("Account")
    number = ailing.clients[S].execute("SELECT number FROM orgsync_connection").fetchone()[0]
    ailing.clients[S].execute(
        "INSERT INTO orgsync_bulk (connection, object, cutoff, position, remaining, started) VALUES (?, 'Account', '', 1, 2, 0)",
        [number],
    )
    assert codes(ailing.ask(records[2])) == ["bulk-sync-interrupted"]
    assert the(ailing.ask(records[2]), "bulk-sync-interrupted").command == "orgsync drain dr"
    ailing.clients[P].execute(
        "INSERT INTO orgsync_lease VALUES ('bulk-sync/dr/primary', 'ann', 'elsewhere', 7, '2026-03-02T06:00:00.000Z')"
    )
    assert codes(ailing.ask(records[2])) == ["bulk-sync-unfinished"]
    assert "ann is at it (host elsewhere, process 7)" in the(ailing.ask(records[2]), "bulk-sync-unfinished").why


def test_never_linked(ailing: Ailing) -> None:
    """DIA-1: made after everything began, and what was logged is lost: forward it."""
    ailing.connect("Account")
    ailing.bulk()
    lost = ailing.insert(S, "Account", Name="Lost")
    ailing.forget(S)
    ailing.bulk(S, cutoff=ailing.now.replace(year=2025))
    assert ailing.ask(lost).healthy
    again = ailing.insert(S, "Account", Name="Lost again")
    ailing.forget(S)
    assert the(ailing.ask(again), "never-linked").command == f"orgsync forward dr Account {again} --from secondary"


def test_parents_that_are_not_there(ailing: Ailing) -> None:
    """DIA-1, LKP-2: the chain of parents up to the one to forward first; a lookup that waits."""
    top = ailing.insert(P, "Account", Name="Top")
    middle = ailing.insert(P, "Account", Name="Middle", ParentId=top)
    contact = ailing.insert(P, "Contact", LastName="Below", AccountId=middle)
    ailing.connect("Account", "Contact")
    found = ailing.ask(contact)
    finding = the(found, "parent-not-copied")
    assert f"Account {middle} below Account {top}" in finding.what
    assert finding.command == f"orgsync forward dr Account {top}"
    ailing.bulk(P, "Contact")
    found = ailing.ask(contact)
    assert codes(found) == ["lookup-waits"]
    assert the(found, "lookup-waits").command == f"orgsync forward dr Account {top}"
    ailing.bulk()
    assert ailing.ask(contact).healthy


def test_a_parent_that_was_refused(ailing: Ailing) -> None:
    """DIA-1, BLK-3: forwarding a parent that is refused helps nobody: the way leads to why it is."""
    ailing.connect("Account", "Contact")
    refuse(ailing.clients[S], "Account", "x")
    parent = account(ailing)
    child = ailing.insert(P, "Contact", LastName="Below", AccountId=parent)
    ailing.drain()
    assert the(ailing.ask(child), "parent-not-copied").command == f"orgsync diagnose dr {parent}"


def test_a_required_parent_that_is_not_there(ailing: Ailing) -> None:
    """DIA-1: a child that was refused for its parent names the parent's object, published or not."""
    master = FieldDef(
        name="Account__c",
        type=FieldType.MASTER_DETAIL,
        reference_to=("Account",),
        required=True,
        cascade_delete=True,
        custom=True,
    )
    ailing.deploy(deployed("Detail__c", "a01", master))
    old = ailing.insert(P, "Account", Name="Old")
    ailing.connect()
    ailing.publish("Detail__c", ["Account"])
    child = ailing.insert(P, "Detail__c", Name="D", Account__c=old)
    ailing.drain()
    found = ailing.ask(child)
    assert codes(found) == ["parent-not-copied", "retrying"]
    assert the(found, "parent-not-copied").advice == "publish Account in the manifests first"
    ailing.publish("Account")
    assert the(ailing.ask(child), "parent-not-copied").command == f"orgsync forward dr Account {old}"


def test_a_user_that_somebody_stands_in_for(ailing: Ailing) -> None:
    """DIA-1, USR-5: the owner is substituted, by whom, and where to look next."""
    ailing.connect("Account")
    owner = ailing.add_user(P, "kim@acme.example")
    ours = account(ailing, OwnerId=owner)
    found = ailing.ask(ours)
    assert codes(found) == ["owner-substituted"]
    assert "OwnerId is admin@acme.example.dr in acme-dr, in place of kim@acme.example" in found.findings[0].what
    assert found.findings[0].command == f"orgsync diagnose dr {owner}"


def test_kinds_that_never_go(ailing: Ailing) -> None:
    """DIA-1, PUB-12: an email draft stays; that is an answer, and no fault."""
    ailing.connect("EmailMessage")
    draft = ailing.insert(P, "EmailMessage", Subject="Draft", Status="5", IsPrivateDraft=1)
    ailing.drain()
    found = ailing.ask(draft)
    assert found.healthy
    assert "never-goes" in codes(found, infos=True)


def test_deleted(ailing: Ailing) -> None:
    """DIA-1: deleted before it was copied; deleted in both; deleted in one behind the engine's back."""
    never = ailing.insert(P, "Account", Name="Never")
    ailing.delete(P, "Account", never)
    ailing.connect("Account")
    ailing.drain()
    assert codes(ailing.ask(never), infos=True) == ["deleted"]
    ours = account(ailing)
    ailing.delete(P, "Account", ours)
    ailing.drain()
    assert codes(ailing.ask(ours), infos=True) == ["equal"]
    second = account(ailing)
    ailing.delete(S, "Account", ailing.other(P, second))
    ailing.forget(S)
    assert the(ailing.ask(second), "deleted-in-one").command == "orgsync verify dr --object Account --repair"


def test_stale(ailing: Ailing) -> None:
    """DIA-1: linked and different with nothing queued: the fields, and the repair."""
    ailing.connect("Account")
    ours = account(ailing)
    ailing.update(P, "Account", ours, Phone="2", Website="w.example")
    ailing.forget(P)
    found = ailing.ask(ours)
    assert codes(found) == ["stale"]
    assert found.findings[0].what == "it differs in Phone, Website"
    assert found.findings[0].command == "orgsync verify dr --object Account --repair"


def test_a_link_that_one_org_lost(ailing: Ailing) -> None:
    """DIA-1: only one org knows of the link."""
    ailing.connect("Account")
    ours = account(ailing)
    ailing.clients[S].execute("DELETE FROM orgsync_link WHERE partner = ?", [ours])
    assert codes(ailing.ask(ours)) == ["half-linked"]


def test_disconnected(ailing: Ailing) -> None:
    """DIA-1, PUB-10: the object was unpublished, which cut the link."""
    ailing.connect("Account")
    ours = account(ailing)
    publications.unpublish_object(ailing.orgs[P], "dr", "Account", actor="a", clock=ailing.clock)
    found = ailing.ask(ours)
    assert codes(found) == ["not-published", "disconnected"]
    assert "publish Account again" in the(found, "disconnected").advice


def test_severed(ailing: Ailing) -> None:
    """DIA-1, LKP-5: deleted by sync and undeleted in the secondary: a forward restores the link."""
    ailing.connect("Account", one_way=True)
    ours = account(ailing)
    theirs = ailing.other(P, ours)
    ailing.delete(P, "Account", ours)
    ailing.drain()
    ailing.update(S, "Account", theirs, IsDeleted=0)
    ailing.drain()
    for record in (ours, theirs):
        assert the(ailing.ask(record), "severed").command == f"orgsync forward dr Account {ours}"


@pytest.mark.parametrize("side", [P, S])
def test_suspended(ailing: Ailing, side: Side) -> None:
    """DIA-1, SUS-1: who suspended, and how to resume."""
    ailing.connect("Account")
    ours = account(ailing)
    actor = ADMIN if side is P else f"{ADMIN}.dr"
    lifecycle.suspend(ailing.orgs[side], "dr", actor=actor, by_command=True, clock=ailing.clock)
    finding = the(ailing.ask(ours), "suspended")
    assert finding.command == f"orgsync resume dr --org {side}"
    assert finding.why == f"suspended by {actor}"


def test_suspended_by_itself(ailing: Ailing) -> None:
    """DIA-1, SUS-3: which org cannot be reached; nobody is told to resume by hand what resumes by itself."""
    ailing.connect("Account")
    ours = account(ailing)
    reason = "acme-dr cannot be reached: there is no org at orgs/acme-dr.db"
    lifecycle.suspend_automatically(ailing.orgs[P], "dr", reason=reason, clock=ailing.clock)
    found = ailing.ask(ours)
    assert codes(found) == ["suspended-itself"]
    finding = the(found, "suspended-itself")
    assert (finding.why, finding.command) == (reason, "orgsync drain dr")
    assert codes(ailing.ask(ours, secondary="gone")) == ["other-org-down", "suspended-itself"]


def test_events_that_wait(ailing: Ailing) -> None:
    """DIA-1, QUE-2: what the other org has not been told yet is worth knowing; what failed is a warning."""
    ailing.connect("Account")
    ours = account(ailing)
    assert "events-waiting" not in codes(ailing.ask(ours), infos=True)
    publications.unpublish_object(ailing.orgs[P], "dr", "Account", actor="a", clock=ailing.clock)
    finding = the(ailing.ask(ours), "events-waiting")
    assert (finding.severity, finding.command) == ("info", "orgsync drain dr")
    assert finding.what.startswith("acme has events that acme-dr has not carried out: Type Map Delete Account")
    ailing.clients[P].execute("UPDATE orgsync_event SET attempts = 1, error = 'no such user'")
    assert the(ailing.ask(ours), "events-waiting").why == "no such user"
    assert "events-waiting" in codes(ailing.ask(ours))


def test_not_active(ailing: Ailing) -> None:
    """DIA-1, CON-9: the connection is not active in one org."""
    ailing.connect("Account")
    ours = account(ailing)
    ailing.clients[S].execute('UPDATE "PartnerNetworkConnection" SET "ConnectionStatus" = \'UsersInitialSync\'')
    assert the(ailing.ask(ours), "not-active").command == "orgsync apply"


def test_the_other_org_is_down(ailing: Ailing) -> None:
    """DIA-1: what can be told from one org alone, with its queue; without a connection there is no diagnosis."""
    with pytest.raises(StoreError, match="there is no connection dr"):
        ailing.ask(ailing.insert(P, "Account", Name="Before"))
    ailing.connect("Account")
    ours = account(ailing)
    ailing.update(P, "Account", ours, Phone="2")
    found = ailing.ask(ours, secondary="the store cannot be opened")
    assert codes(found) == ["other-org-down", "in-queue"]
    assert the(found, "other-org-down").why == "the store cannot be opened"
    with pytest.raises(StoreError, match="cannot be opened"):
        ailing.ask(ours, P, primary="the store cannot be opened")


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
def test_diagnosing_changes_nothing(ailing: Ailing) -> None:
    """DIA-1: every finding comes from reading."""
    ailing.connect("Account")
    ours = account(ailing)
    ailing.update(P, "Account", ours, Phone="2")
    before = [contents(client) for client in ailing.clients.values()]
    assert all(before)
    assert replace(ailing.ask(ours)) == ailing.ask(ours)
    assert [contents(client) for client in ailing.clients.values()] == before
