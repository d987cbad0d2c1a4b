"""Invite, accept, suspend, resume, deactivate: each step alone, twice, and refused."""

from __future__ import annotations

import pytest
from org_stores import logged
from people_world import ADMINS, CONTACT, NAME, add_user, clock

from orgsync_reconcile.errors import PermissionDeniedError, StoreError
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.stores.sql import connection_changes, connections, contacts, history
from orgsync_reconcile.stores.sql.publication_reader import read_published
from orgsync_reconcile.stores.sql.publications import publish_object
from orgsync_reconcile.stores.sql.shapes import shapes_of
from orgsync_reconcile.stores.sql.subscriptions import subscribe_object
from orgsync_reconcile.sync import lifecycle


def status(org):
    return connections.get_connection(org, NAME).status


def take_permission(org):
    org.db.execute("DELETE FROM orgsync_grant WHERE permission = 'ManageConnections'")


@pytest.mark.parametrize("end", list(Side))
def test_invite_needs_the_permission_in_both_orgs(apart, end):
    """CON-4, CON-11: without Manage Connections at either end the invitation is refused, and nothing is there."""
    contacts.create_contact(apart.primary, CONTACT)
    take_permission(apart.ends.org(end))
    with pytest.raises(PermissionDeniedError, match=f"{ADMINS[apart.ends.org(end).label]} lacks ManageConnections"):
        apart.invite()
    for org in (apart.primary, apart.secondary):
        assert connections.find_connection(org, NAME) is None


def test_accept_is_refused_without_the_permission(apart):
    """CON-4: the invitation stands, nothing is in the secondary."""
    apart.invite()
    take_permission(apart.secondary)
    with pytest.raises(PermissionDeniedError):
        apart.accept()
    assert status(apart.primary) is ConnectionStatus.SENT
    assert connections.find_connection(apart.secondary, NAME) is None


def test_permission_may_come_from_a_permission_set(apart):
    """CON-11: an admin whose profile does not grant it may have Manage Connections from an assigned permission set."""
    db = apart.secondary.db
    take_permission(apart.secondary)
    db.execute('INSERT INTO "PermissionSet" ("Name", "Label") VALUES (\'Connect\', \'Connect\')')
    db.execute('INSERT INTO orgsync_grant SELECT "Id", \'ManageConnections\' FROM "PermissionSet"')
    db.execute(
        'INSERT INTO "PermissionSetAssignment" ("AssigneeId", "PermissionSetId") SELECT u."Id", s."Id"'
        ' FROM "User" AS u, "PermissionSet" AS s'
    )
    apart.connect()
    assert status(apart.secondary) is ConnectionStatus.ACCEPTED


def test_every_step_may_be_done_twice(apart):
    """REC-3, CON-5: repeated steps change nothing, and none moves the status back."""
    apart.connect()
    counts = [len(history.read_history(org)) for org in (apart.primary, apart.secondary)]
    apart.invite()
    apart.accept()
    lifecycle.advance(apart.ends, NAME, ConnectionStatus.ACCEPTED, clock=clock)
    assert [len(history.read_history(org)) for org in (apart.primary, apart.secondary)] == counts
    for org in (apart.primary, apart.secondary):
        assert status(org) is ConnectionStatus.ACCEPTED
        assert org.db.execute('SELECT count(*) FROM "PartnerNetworkConnection"').fetchone() == (1,)


def test_the_one_who_accepts_stands_in_for_missing_users(apart):
    """USR-5, CON-3: the secondary's connection belongs to the user who accepted, with role and response date."""
    apart.connect()
    row = apart.secondary.db.execute(
        'SELECT u."Username", p."ReplicationRole", p."ResponseDate" FROM "PartnerNetworkConnection" AS p'
        ' JOIN "User" AS u ON u."Id" = p."PrimaryContactId"'
    ).fetchone()
    assert row == ("admin@acme.example.dr", "Secondary", "2026-03-01T12:00:00.000Z")


def test_nothing_that_was_logged_before_is_sent(apart):
    """QUE-4, CON-10: both ends agree on where each log begins, also when an org had logged changes for others before."""
    apart.primary.db.execute("INSERT INTO orgsync_change (object, record, op, at) VALUES (1, 'x', 'I', 0)")
    apart.connect()
    (seq,) = apart.primary.db.execute("SELECT seq FROM orgsync_change WHERE record = 'x'").fetchone()
    position = connections.outbox_position(apart.primary, NAME)
    assert seq <= position <= connections.log_position(apart.primary)
    assert apart.secondary.db.execute("SELECT seq FROM orgsync_inbox").fetchone() == (position,)


def test_orgs_with_one_code_cannot_be_connected(apart):
    """CON-4, ORG-5: equal three-character codes would mint equal Ids: refused with what to do."""
    apart.secondary.code = apart.primary.code
    contacts.create_contact(apart.primary, CONTACT)
    with pytest.raises(StoreError, match=r"code .*org create"):
        apart.invite()
    assert connections.find_connection(apart.primary, NAME) is None


def test_feature_must_be_on(apart):
    """CON-1: without Salesforce to Salesforce in either org there is no invitation."""
    apart.secondary.db.execute("DELETE FROM orgsync_feature")
    with pytest.raises(StoreError, match="salesforce-to-salesforce is switched off"):
        apart.invite()


def test_live_connection_of_that_name_to_another_org_is_refused(apart):
    """CON-3: a name that leads elsewhere is not taken over."""
    apart.connect()
    apart.secondary.org_id = "00Dother000000000AA"
    with pytest.raises(StoreError, match="leads to the org"):
        apart.invite()


def test_suspend_by_command_is_remembered_with_its_author(people):
    """SUS-1, SUS-4, CON-5: one end is suspended, the other is not; resuming forgets who it was; both are in the history."""
    lifecycle.suspend(people.primary, NAME, actor=ADMINS["acme"], by_command=True, clock=clock)
    lifecycle.suspend(people.primary, NAME, actor=ADMINS["acme"], by_command=True, clock=clock)
    assert connections.get_connection(people.primary, NAME).suspended_by == ADMINS["acme"]
    assert status(people.secondary) is ConnectionStatus.ACCEPTED
    lifecycle.advance(people.ends, NAME, ConnectionStatus.ACCEPTED, clock=clock)
    assert status(people.primary) is ConnectionStatus.SUSPENDED
    lifecycle.resume(people.primary, NAME, actor=ADMINS["acme"], clock=clock)
    assert connections.get_connection(people.primary, NAME).suspended_by == ""
    events = [item.event for item in history.read_history(people.primary, NAME, limit=2)]
    assert events == ["Connection Admin Resumed", "Connection Admin Suspended"]


@pytest.mark.pairings
def test_a_connection_that_suspends_itself_resumes_itself(people):
    """SUS-3: with the reason, once, and nobody else's suspension is lifted by it."""
    org = people.primary
    assert lifecycle.suspend_automatically(org, NAME, reason="acme-dr is away", clock=clock)
    assert not lifecycle.suspend_automatically(org, NAME, reason="acme-dr is away", clock=clock)
    known = connections.get_connection(org, NAME)
    assert (known.status, known.suspended_reason, known.suspended_by) == (
        ConnectionStatus.SUSPENDED,
        "acme-dr is away",
        "",
    )
    assert lifecycle.resume_automatically(org, NAME, clock=clock)
    assert not lifecycle.resume_automatically(org, NAME, clock=clock)
    assert (status(org), connections.get_connection(org, NAME).suspended_reason) == (ConnectionStatus.ACCEPTED, "")
    rows = [(item.event, item.detail, item.actor) for item in history.read_history(org, NAME, limit=2)]
    assert rows == [
        ("Connection Resumed", "Active", "orgsync"),
        ("Connection Suspended", "acme-dr is away", "orgsync"),
    ]
    lifecycle.suspend_automatically(org, NAME, reason="acme-dr is away", clock=clock)
    lifecycle.suspend(org, NAME, actor=ADMINS["acme"], by_command=True, clock=clock)
    assert not lifecycle.resume_automatically(org, NAME, clock=clock)
    assert connections.get_connection(org, NAME).suspended_by == ADMINS["acme"]
    assert not lifecycle.suspend_automatically(org, NAME, reason="acme-dr is away", clock=clock)
    assert connections.get_connection(org, NAME).suspended_by == ADMINS["acme"]


def test_only_who_may_can_suspend_and_only_what_is_active(apart):
    """CON-11, SUS-1: an unaccepted connection cannot be suspended, nor any by a user without the permission."""
    apart.invite()
    with pytest.raises(StoreError, match="is Invited"):
        lifecycle.suspend(apart.primary, NAME, actor=ADMINS["acme"], by_command=True, clock=clock)
    add_user(apart.primary, "ann@acme.example")
    for step in (
        lambda: lifecycle.suspend(apart.primary, NAME, actor="ann@acme.example", by_command=True, clock=clock),
        lambda: lifecycle.resume(apart.primary, NAME, actor="ann@acme.example", clock=clock),
        lambda: lifecycle.deactivate(apart.primary, NAME, actor="ann@acme.example", clock=clock),
    ):
        with pytest.raises(PermissionDeniedError):
            step()
    assert status(apart.primary) is ConnectionStatus.SENT


def offer_accounts(people):
    publish_object(people.primary, NAME, "Account", ["Name"], actor="admin", clock=clock)
    subscribe_object(
        people.secondary,
        NAME,
        "Account",
        shapes_of(people.primary, "Account", ["Name"]),
        since_seq=connections.log_position(people.primary),
        since="2026-03-01T12:00:00.000Z",
        actor="admin",
        clock=clock,
    )


def test_deactivated_connection_keeps_its_links_for_the_next_time(people):
    """CON-9, PUB-10: links are cut, capture ends; connected and published again, they live and no record is doubled."""
    offer_accounts(people)
    people.primary.db.execute('INSERT INTO "Account" ("Name") VALUES (\'Globex\')')
    people.drain()
    for side in Side:
        lifecycle.deactivate(people.ends.org(side), NAME, actor=people.ends.admin(side), clock=clock)
        lifecycle.deactivate(people.ends.org(side), NAME, actor=people.ends.admin(side), clock=clock)
    for org in (people.primary, people.secondary):
        assert status(org) is ConnectionStatus.INACTIVE
        assert read_published(org, NAME) == {}
        assert org.db.execute("SELECT DISTINCT status FROM orgsync_link WHERE status <> 3").fetchall() == [(2,)]
    before = logged(people.primary.db)
    people.primary.db.execute('UPDATE "Account" SET "Name" = \'Globex 2\' WHERE "Name" = \'Globex\'')
    assert logged(people.primary.db) == before
    people.connect()
    offer_accounts(people)
    people.primary.db.execute('UPDATE "Account" SET "Name" = \'Globex 3\' WHERE "Name" = \'Globex 2\'')
    people.drain()
    names = people.secondary.db.execute('SELECT "Name" FROM "Account"').fetchall()
    assert names == [("Globex 3",)]


def test_name_of_a_former_connection_can_lead_to_another_org(people):
    """CON-9: the deactivated one keeps its history under another name; the new one starts with no links."""
    lifecycle.deactivate(people.primary, NAME, actor=ADMINS["acme"], clock=clock)
    old = connections.get_connection(people.primary, NAME).number
    people.primary.db.execute("UPDATE orgsync_connection SET partner_org_id = '00Dother000000000AA'")
    people.invite()
    new = connections.get_connection(people.primary, NAME)
    assert new.number != old and new.status is ConnectionStatus.SENT
    assert connections.connection_names(people.primary) == (NAME, f"{NAME}-{old}")


def test_user_capture_follows_the_switch(people):
    """USR-3, CON-6: users are captured while the org's own switch is on, and no longer once it is off."""
    add_user(people.primary, "ann@acme.example")
    first = logged(people.primary.db)
    assert first > 0
    connection_changes.set_options(people.primary, NAME, users=False, actor="admin", clock=clock)
    add_user(people.primary, "bob@acme.example")
    assert logged(people.primary.db) == first
