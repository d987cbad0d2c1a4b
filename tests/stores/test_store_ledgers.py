"""What an org keeps beside its records - queue, log, notices, logins, links, locks - in every kind of store."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from org_stores import Client, insert
from store_helpers import NOW, component, custom, custom_object, make_object, text_field

from orgsync_reconcile.errors import LockHeldError, StoreBusyError, StoreError
from orgsync_reconcile.model.applied import ConnectionState
from orgsync_reconcile.model.component import ComponentKey
from orgsync_reconcile.model.connection import ConnectionStatus, ContactRef, Side, SyncOptions
from orgsync_reconcile.model.events import QueueAction
from orgsync_reconcile.model.report import ReportDefinition
from orgsync_reconcile.model.routing import Routing, Unfinished
from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.stores.sql import (
    applied,
    connection_changes,
    connections,
    contacts,
    diagnosis,
    events,
    failures,
    flags,
    held,
    history,
    leases,
    links,
    log_report,
    logins,
    map_names,
    mirrors,
    notices,
    notified,
    people,
    protection,
    publication_reader,
    publications,
    routing,
    shapes,
    subscriptions,
    unlinked,
)
from orgsync_reconcile.stores.sql.audience import active_emails
from orgsync_reconcile.stores.sql.components import deploy
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.permissions import require
from orgsync_reconcile.stores.sql.queue import count_queue, read_queue
from orgsync_reconcile.stores.sql.rename import rename_field
from orgsync_reconcile.stores.sql.rows import insert_row, update_row
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.stores.urls import open_store

ACTING: dict[str, Any] = {"actor": "admin@acme.example", "clock": lambda: NOW}
MOMENT = int(NOW.timestamp() * 1000)

Publish = Callable[..., None]


def number_of(org: Org) -> int:
    return connections.get_connection(org, "dr").number


def person(client: Client, username: str, **values: object) -> str:
    (profile,) = client.execute('SELECT "Id" FROM "Profile" WHERE "Name" = \'Standard User\'').fetchone()
    said = {"Username": username, "LastName": "x", "Email": "x@x.example", "Alias": "x", "ProfileId": profile}
    return insert(client, "User", **{**said, **values})


def joined(org: Org, other: Org) -> None:
    """A connection `dr` in both orgs, primary first, over which nothing was published."""
    for end, side, partner in ((org, Side.PRIMARY, other), (other, Side.SECONDARY, org)):
        connections.create_connection(
            end,
            "dr",
            side,
            partner_org_id=partner.org_id,
            partner_name=partner.name,
            owner_id=end.admin_id,
            contact_id=None,
            options=SyncOptions(users_primary=True, users_secondary=False),
            status=ConnectionStatus.ACCEPTED,
            **ACTING,
        )


def test_what_waits_to_be_sent(org: Org, other_org: Org, client: Client) -> None:
    """QUE-1, QUE-4: one item per record, by its last life and its first change; users and held records with them."""
    joined(org, other_org)
    before = insert(client, "Account", Name="before")
    linked = insert(client, "Account", Name="linked")
    publications.publish_object(org, "dr", "Account", ["Name", "Phone"], **ACTING)
    subscriptions.subscribe_object(
        other_org, "dr", "Account", {"Name": "text:255::"}, since_seq=org.db.head(), since="2026", **ACTING
    )
    here, there = number_of(org), number_of(other_org)
    with org.transaction():
        links.add_link(org, here, "Account", linked, "001zzz000000001AAA", made_here=False, since_ms=MOMENT)
    client.execute('UPDATE "Account" SET "Name" = \'a\' WHERE "Id" = ?', [linked])
    client.execute('DELETE FROM "Account" WHERE "Id" = ?', [linked])
    client.execute('UPDATE "Account" SET "Phone" = \'1\' WHERE "Id" = ?', [before])
    made = insert(client, "Account", Name="made")
    client.execute('UPDATE "Account" SET "Name" = \'b\' WHERE "Id" = ?', [made])
    back = insert(client, "Account", Name="back")
    client.execute('DELETE FROM "Account" WHERE "Id" = ?', [back])
    client.execute('UPDATE "Account" SET "IsDeleted" = FALSE WHERE "Id" = ?', [back])
    user = person(client, "ada@x.example")
    org.db.execute(
        "INSERT INTO orgsync_held (connection, record, object, op, queued_at, attempts, next_retry, error_code, error)"
        " SELECT ?, '001zzz000000009AAA', number, 'U', ?, 2, ?, 'CODE', 'why' FROM orgsync_object WHERE name = 'Account'",
        [here, MOMENT, MOMENT],
    )
    for partner in (None, other_org):
        items = list(read_queue(org, here, partner, there))
        assert [(item.action, item.object, item.record) for item in items] == [
            (QueueAction.UPDATE_RECORD, "Account", "001zzz000000009AAA"),
            (QueueAction.DELETE_RECORD, "Account", linked),
            (QueueAction.INSERT_RECORD, "Account", made),
            (QueueAction.UNDELETE_RECORD, "Account", back),
            (QueueAction.USER_UPSERT, "User", user),
        ]
        assert len(list(read_queue(org, here, partner, there, limit=2))) == 2
        counts = count_queue(org, here, partner, there)
        assert (counts.pending - len(events.read_events(org, here)), counts.retrying, counts.failed) == (4, 1, 0)
    assert held.make_due(org, here, ["001zzz000000009AAA", "x"], MOMENT + 5) == held.Due(waiting=1, failed=0)
    assert unlinked.count_unlinked(org, here, "Account") == 3
    assert unlinked.list_unlinked(org, here, "Account", 2) == (back, made)


def entries(org: Org) -> None:
    """Four entries of the sync log, two of them about one account."""
    connection = connections.get_connection(org, "dr").id
    account = insert(org.db, "Account", Name="Acme")
    contact = insert(org.db, "Contact", LastName="Ada", AccountId=account)
    with org.transaction():
        for kind, record, code in (
            ("Account", account, "STRING_TOO_LONG"),
            ("Contact", contact, "STRING_TOO_LONG"),
            ("Lead", "00Qzzz000000001AAA", "DUPLICATE_VALUE"),
            ("", "", ""),
        ):
            history.log_failure(
                org, connection, entity=kind, record=record, event="E", error_code=code, description="d", field="Name"
            )


def test_reports_on_the_log(org: Org, publish: Publish) -> None:
    """LOG-1, LOG-4: lists, filters, groups and related records."""
    publish("Account", "Name")
    entries(org)
    assert [entry.number for entry in history.read_log(org, "dr", limit=None)] == [4, 3, 2, 1]
    assert [entry.number for entry in history.read_log(org, limit=2)] == [4, 3]
    ever = log_report.Period(since=None, until=datetime.now(UTC) + timedelta(days=1))

    def numbers(**values: Any) -> list[int]:
        report = ReportDefinition(name="r", title="R", columns=("number", "status", "at", "description"), **values)
        found = [row["number"] for row in log_report.read_entries(org, "dr", report, ever)]
        assert log_report.count_entries(org, "dr", report, ever) == len(found)
        return found

    assert numbers() == [4, 3, 2, 1]
    assert numbers(where="number > 1 AND status = 'FAILED' AND at > 2020-01-01 AND object IN ('lead', 'x')") == [3]
    assert numbers(where="error_code LIKE '%_too_%' AND NOT field IS NULL") == [2, 1]
    assert numbers(related_to="Account") == [2, 1]
    related = ReportDefinition(name="r", title="R", columns=("related_name",), related_to="Account")
    assert {row["related_name"] for row in log_report.read_entries(org, "dr", related, ever, limit=9)} == {"Acme"}
    for group, expected in (
        ("object", {"Account": 1, "Contact": 1, "Lead": 1, "": 1}),
        ("org", {org.label: 4}),
        ("status", {"Failed": 4}),
        ("day", {history.read_log(org)[0].at[:10]: 4}),
    ):
        report = ReportDefinition(name="r", title="R", group_by=group)  # type: ignore[arg-type]
        assert log_report.count_groups(org, "dr", report, ever) == expected


def test_an_entry_with_a_name_that_is_no_number(org: Org, client: Client, publish: Publish) -> None:
    """LOG-1: whatever a client writes there, the log can be read."""
    publish("Account", "Name")
    connection = connections.get_connection(org, "dr").id
    record = insert(client, "PartnerNetworkSyncLog", ConnectionId=connection, Name="none", LocalRecord="x")
    assert [entry.number for entry in history.read_log(org)] == [0]
    assert diagnosis.log_number(org, connection, "x") == 0
    assert record


def test_notices_and_their_rules(org: Org, publish: Publish) -> None:
    """LOG-3, SUS-2: each once, tried by one process, by entries that a filter lets through."""
    publish("Account", "Name")
    entries(org)
    notice = notices.Notice(
        connection="dr", key="k", event="e", rule="r", channel="email", recipient="a@x", body="{}", made_at=MOMENT
    )
    with org.transaction():
        assert notices.add(org, notice)
        assert not notices.add(org, notice)
        for told in ("one", "two"):
            notices.set_rule_state(org, "dr", "r", notices.RuleState(position=2, told=told))
    assert notices.rule_state(org, "dr", "r") == notices.RuleState(position=2, told="two")
    (due,) = notices.due(org, "dr", MOMENT, far=1000, limit=5)
    assert notices.claim(org, due, MOMENT + 10)
    assert not notices.claim(org, due, MOMENT + 10)
    assert notices.waits(org, "dr", "e")
    assert not notices.waits(org, "dr", "other")
    notices.settle(org, due, next_try=None, now=MOMENT, error="no server")
    assert notices.counts(org, "dr") == notices.NoticeCounts(waiting=0, given_up=1)
    head = notices.log_head(org)

    def found(position: int = 0, **filters: Any) -> list[int]:
        rows = notices.new_entries(org, "dr", position, **{"objects": (), "statuses": (), "codes": (), **filters})
        return [row.number for row in rows]

    assert found() == [1, 2, 3, 4]
    assert found(objects=["Account", "Lead"], codes=["DUPLICATE_VALUE"], statuses=["Failed"]) == [3]
    assert found(head) == []
    with org.transaction():
        notices.forget(org, MOMENT + notices.KEPT + 1)
    assert notices.counts(org, "dr").given_up == 0


def test_logins_of_synced_users(org: Org, client: Client, publish: Publish) -> None:
    """USR-8: a link is opened once, sets one password, and guesses are counted."""
    publish("Account", "Name")
    user = person(client, "Ada@x.example", Email="ada@x.example")
    person(client, "off@x.example", IsActive=False)
    with org.transaction():
        links.add_link(org, number_of(org), "User", user, "005zzz000000001AAA", made_here=True, since_ms=MOMENT)
    assert [item.username for item in logins.synced_users(org, number_of(org))] == ["Ada@x.example"]
    assert logins.users_without_password(org, number_of(org)) == (1, ("Ada@x.example",))
    for link in ("old", "link"):
        logins.offer_link(org, user, link, expires=MOMENT)
    logins.settle_link(org, user, "link", sent=True)
    assert not logins.spend_link(org, "old", "ticket", now=1)
    assert logins.spend_link(org, "link", "ticket", now=1)
    assert not logins.spend_link(org, "link", "again", now=1)
    assert logins.store_password(org, "ticket", "hash", now=2)
    assert not logins.store_password(org, "ticket", "other", now=2)
    assert [logins.count_attempt(org, user, most=1) for _ in range(2)] == [True, False]
    assert logins.note_login(org, user, "hash", now=3)
    known = logins.login_of(org, "ada@X.example")
    assert known is not None
    assert (known.password, known.number_of_failed_logins) == ("hash", 0)
    assert logins.users_without_password(org, number_of(org)) == (1, ())
    assert active_emails(org, ["Standard User"]) == ("ada@x.example",)
    assert len(active_emails(org)) == 2
    assert notified.email_of(org, "ADA@x.example") == "ada@x.example"


def test_people_and_what_they_are_given(org: Org, other_org: Org, client: Client) -> None:
    """USR-1, USR-3, CON-11: read by Id, by name or all; assigned, taken away; numbers of theirs keep their decimals."""
    rate = custom("Rate__c", FieldType.NUMBER, precision=8, scale=2)
    for each in (org, other_org):
        deploy(each, [component("CustomField", "User.Rate__c", type="Number", precision="8", scale="2", label="x")])
        deploy(each, [component("PermissionSet", name, label=name) for name in ("One", "Two")])
    assert Objects(org)["User"].fields["Rate__c"].scale == rate.scale
    user = person(client, "ada@x.example", Rate__c=1250)
    columns = people.common_columns(Objects(org)["User"], Objects(other_org)["User"])
    setup = people.read_setup(org)
    assert setup.free["Salesforce"] == 998
    with org.transaction():
        people.assign(org, user, setup, ["One", "Two"], exactly=True)
        people.assign(org, user, setup, ["Two"], exactly=True)
    (found,) = people.read_people(org, columns, ids=[user])
    assert people.read_people(org, columns, usernames=["ADA@x.example"]) == [found]
    assert found in people.read_people(org, columns)
    assert (found.active, found.permission_sets, found.values["Rate__c"]) == (True, {"Two"}, 1250)
    with other_org.transaction():
        profile = people.read_setup(other_org).profiles["Standard User"]
        said = {**found.values, "Username": "ada@x.example.dr", "ProfileId": profile}
        copied = insert_row(other_org, "User", said, columns.fields)
        update_row(other_org, "User", copied, {"Rate__c": 1375}, columns.fields)
    (twin,) = people.read_people(other_org, columns, ids=[copied])
    assert dict(twin.values) == {**found.values, "Rate__c": 1375}
    assert require(org, "admin@acme.example", "ManageConnections") == org.admin_id


def test_links_and_failures(org: Org, publish: Publish) -> None:
    """PUB-10, MET-8: a link is made once and revived; what failed is forgotten with the object that it was for."""
    publish("Account", "Name")
    here = number_of(org)
    with org.transaction():
        for _ in range(2):
            links.add_link(org, here, "Account", "001a", "001b", made_here=True, since_ms=MOMENT)
        for error in ("no", "still no"):
            failures.set_failed(org, here, "component", "CustomField:Thing__c.F__c", "h", error)
        for name in ("Layout:Thing__c-L", "Layout:Thing__cx-L", "CustomField:Other__c.F__c"):
            failures.set_failed(org, here, "component", name, "h", "no")
        assert failures.failed_before(org, here, "component", "CustomField:Thing__c.F__c") == ("h", "still no")
        failures.clear_failed_parts(org, here, "Thing__c")
    rows = org.db.execute("SELECT name FROM orgsync_failed ORDER BY name").fetchall()
    assert rows == [("CustomField:Other__c.F__c",), ("Layout:Thing__cx-L",)]
    assert links.partners_of(org, here, "Account") == {"001b": "001a"}
    assert publications.unpublish_object(org, "dr", "Account", **ACTING) == 1
    assert links.count_active(org, here) == 0


def test_shapes_and_new_names(org: Org, other_org: Org) -> None:
    """PUB-8, PUB-11: shapes from the registry; subscriptions follow a name, or drop out and come back with it."""
    joined(org, other_org)
    obj = make_object(
        other_org, custom("A__c", FieldType.TEXT, length=20), custom("N__c", FieldType.NUMBER, precision=5)
    )
    stored = {name: obj.fields[name].shape for name in ("Name", "A__c", "N__c")}
    subscriptions.subscribe_object(
        other_org, "dr", "Thing__c", {**stored, "Gone__c": "x"}, since_seq=0, since="2026", **ACTING
    )
    found = {item.field: (item.stored, item.here) for item in shapes.subscribed_shapes(other_org, "dr")}
    assert found == {**{name: (shape, shape) for name, shape in stored.items()}, "Gone__c": ("x", None)}
    assert shapes.subscribed_shapes(other_org, "dr", "Account") == ()
    assert shapes.shapes_of(other_org, "Thing__c", ["A__c", "Gone__c"]) == {"A__c": stored["A__c"]}
    map_names.follow_field_name(other_org, "dr", "Thing__c", "Gone__c", "A__c", why="w", **ACTING)
    assert publication_reader.read_subscribed(other_org, "dr")["Thing__c"].fields == set(stored)
    map_names.follow_field_name(other_org, "dr", "Thing__c", "A__c", "B__c", why="renamed to B__c in acme", **ACTING)
    assert publication_reader.read_subscribed(other_org, "dr")["Thing__c"].dropped == {
        "A__c": "renamed to B__c in acme"
    }
    assert shapes.published_shapes(other_org, "dr") == {}


def test_mirrors_are_filled(org: Org, client: Client, publish: Publish) -> None:
    """AUT-1: blank mirrors of records that were made here, once."""
    publish("Account", "Name")
    here = number_of(org)
    first = insert(client, "Case", Subject="x")
    deploy(org, [text_field("Case.Mirror__c", length=30)])
    for _ in range(2):
        mirrors.install(org, here, "Case", "CaseNumber", "Mirror__c")
    assert mirrors.read_mirrors(org, here) == {("Case", "CaseNumber", "Mirror__c")}
    assert mirrors.count_blank(org, Objects(org), "Case", "CaseNumber", "Mirror__c") == 1
    assert mirrors.fill(org, "Case", "CaseNumber", "Mirror__c") == 1
    assert client.execute('SELECT "Mirror__c" FROM "Case" WHERE "Id" = ?', [first]).fetchone() == ("00000001",)
    mirrors.remove(org, here, "Case", "Mirror__c")
    assert mirrors.read_mirrors(org, here) == frozenset()


def test_flags_are_ordinary_changes(org: Org, client: Client) -> None:
    """LOG-3: only records with another value are changed; one that is refused leaves all as they were."""
    make_object(org, custom("On__c", FieldType.CHECKBOX), custom("T__c", FieldType.TEXT, length=3))
    records = [insert(client, "Thing__c"), insert(client, "Thing__c", On__c=True)]
    with org.transaction():
        assert flags.set_field(org, "Thing__c", "On__c", True, records) == 1
        assert flags.set_field(org, "Thing__c", "T__c", "abc", records) == 2
        with pytest.raises(StoreError):
            flags.set_field(org, "Thing__c", "T__c", True, records)
    assert client.execute('SELECT count(*) FROM "Thing__c" WHERE "On__c" = TRUE').fetchone() == (2,)


def test_who_is_gone_holds_no_lock(org: Org, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """REC-4: numbers of processes repeat, in containers always: what counts is what ends with its holder."""
    monkeypatch.setattr(leases, "_LINGERS", 0.2)
    here, name = socket.gethostname(), "apply/dr"
    with open_store(address, base=Path()) as other:
        mine = leases.acquire(org, name, "me", lambda: NOW)
        assert not leases.is_abandoned(other, mine)
        with pytest.raises(LockHeldError):
            leases.acquire(other, name, "you", lambda: NOW)
        # As its process leaves it that is killed, with a number that this host gives again at once.
        org.close()
        (left,) = leases.leases(other)
        assert left == mine and not left.dead
        assert leases.is_abandoned(other, left)
        assert leases.acquire(other, name, "you", lambda: NOW).holder == "you"
        # A container beside this one, of the same name, numbers its processes for itself.
        other.db.execute("UPDATE orgsync_lease SET pid = 999999999")
        (there,) = leases.leases(other)
        assert there.dead
        with open_store(address, base=Path()) as third:
            assert not leases.is_abandoned(third, there)
            with pytest.raises(LockHeldError):
                leases.acquire(third, name, "she", lambda: NOW)
            # On another host nobody can tell.
            other.db.execute("UPDATE orgsync_lease SET host = 'elsewhere'")
            other.close()
            assert not leases.is_abandoned(third, leases.leases(third)[0])
            with pytest.raises(LockHeldError, match="elsewhere"):
                leases.acquire(third, name, "she", lambda: NOW)
            third.db.execute("UPDATE orgsync_lease SET host = ?", [here])
            assert leases.acquire(third, name, "she", lambda: NOW).holder == "she"


def test_locks_routing_and_what_was_applied(org: Org) -> None:
    """REC-4, REC-5, REC-6, RTE-1: each is one row, which the newest takes."""
    mine = leases.acquire(org, "apply/dr", "me", lambda: NOW)
    with pytest.raises(LockHeldError):
        leases.acquire(org, "apply/dr", "you", lambda: NOW)
    assert leases.release(org, "apply/dr", mine)
    for serial in (1, 2):
        said = Routing(connection="dr", serial=serial, target=Side.SECONDARY, unfinished=Unfinished(letter="start"))
        routing.write_routing(org, said, "e", "d", **ACTING)
    with pytest.raises(StoreBusyError):
        routing.write_routing(org, said, "e", "d", **ACTING)
    assert routing.read_routing(org, "dr") == said
    state = ConnectionState()
    for _ in range(2):
        applied.begin(org, "dr", state)
        applied.finish(org, "dr", state)
    known = applied.read_applied(org, "dr")
    assert known is not None
    assert known.begun is None
    for told in (NOW, NOW + timedelta(hours=1), None):
        assert notified.move_told(org, "subject", notified.last_told(org, "subject"), told)
    protection.set_protected(org, True, **ACTING)
    assert protection.is_protected(org)


def test_a_record_as_diagnosis_sees_it(org: Org, client: Client, publish: Publish) -> None:
    """STA-4: row, values, link and type by Id."""
    publish("Account", "Name")
    deploy(org, [component("RecordType", "Account.Partner", label="Partner", active="true")])
    account = insert(client, "Account", Name="x", AnnualRevenue=1250)
    row = diagnosis.record_row(org, "Account", account)
    assert row is not None
    assert not row.deleted
    assert diagnosis.object_of(org, account) == "Account"
    assert diagnosis.values_of(org, "Account", account, ["Name", "AnnualRevenue"]) == {
        "Name": "x",
        "AnnualRevenue": 1250,
    }
    assert diagnosis.link_status(org, number_of(org), account) is None
    assert diagnosis.has_record_type(org, "Account", "Partner")
    assert diagnosis.username_of(org, org.admin_id) == "admin@acme.example"


def test_the_life_of_a_connection(org: Org, client: Client, publish: Publish) -> None:
    """CON-2, CON-5, CON-7, CON-9: its contact, its options, its suspension, its end."""
    publish("Account", "Name")
    who = ContactRef(first_name="Ada", last_name="King", email="Ada@x.example", account="Acme")
    contact = contacts.create_contact(org, who)
    assert contacts.create_contact(org, who) == contact
    connection_changes.set_contact(org, "dr", contact, **ACTING)
    connection_changes.set_options(org, "dr", users=True, metadata=False, **ACTING)
    connections.join_logs(org, "dr", position=5)
    connections.join_logs(org, "dr", position=3)
    assert org.db.execute("SELECT seq FROM orgsync_inbox").fetchone() == (5,)
    connections.set_status(
        org, "dr", ConnectionStatus.SUSPENDED, event=history.ADMIN_SUSPENDED, suspended_by="me", **ACTING
    )
    since = notified.suspension(org, "dr")
    assert since is not None
    assert (since.since, since.actor) == (NOW, "me")
    assert publications.send_again(org, "dr", "Account", ["Name"], lambda: NOW) == 0
    connections.deactivate(org, "dr", **ACTING)
    assert connections.get_connection(org, "dr").status is ConnectionStatus.INACTIVE
    assert [entry.event for entry in history.read_history(org, "dr", limit=1)] == [history.DEACTIVATED]


def test_a_field_is_renamed_with_all_that_names_it(org: Org, publish: Publish) -> None:
    """PUB-11: registry, publications, component and what had dropped out for want of the name."""
    deploy(org, [custom_object("Thing__c"), text_field("Thing__c.Old__c")])
    publish("Thing__c", "Old__c")
    subscriptions.subscribe_object(org, "dr", "Thing__c", {"New__c": "text:20::"}, since_seq=0, since="2026", **ACTING)
    subscriptions.drop_field(org, "dr", "Thing__c", "New__c", "renamed to New__c in acme", **ACTING)
    rename_field(org, "Thing__c", "Old__c", "New__c")
    assert publication_reader.read_published(org, "dr")["Thing__c"].fields == {"New__c"}
    assert publication_reader.read_subscribed(org, "dr")["Thing__c"].fields == {"New__c"}
    assert ComponentKey("CustomField", "Thing__c.New__c") in {
        ComponentKey(*row) for row in org.db.execute("SELECT type, full_name FROM orgsync_component")
    }
