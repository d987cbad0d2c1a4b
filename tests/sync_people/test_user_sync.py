"""Copying users from one org to the other: all of them, and as they change."""

from __future__ import annotations

import pytest
from org_stores import logged
from people_world import (
    NAME,
    add_permission_set,
    add_role,
    add_user,
    assign,
    clock,
    find,
    id_of,
    sets_of,
)

from orgsync_reconcile.model.connection import Side, SyncOptions
from orgsync_reconcile.stores.sql import connection_changes, connections, history
from orgsync_reconcile.stores.sql.people_reader import read_users
from orgsync_reconcile.stores.sql.rows import insert_row
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.sync.present_users import link_present_users
from orgsync_reconcile.sync.users import upsert_users

ADMIN = "admin@acme.example"


def links(org, username):
    return org.db.execute(
        'SELECT l.partner, l.made_here, l.status FROM orgsync_link AS l JOIN "User" AS u ON u."Id" = l.local'
        ' WHERE u."Username" = ?',
        [username],
    ).fetchall()


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
def test_users_are_copied_with_their_fields_and_names_are_mapped(people):
    """USR-1, USR-2: plain fields, profile, role and permission sets by name; `.dr` is appended; both orgs hold the link."""
    for org in (people.primary, people.secondary):
        add_role(org, "Sales")
        add_permission_set(org, "Readers")
    user = add_user(
        people.primary,
        "ann@acme.example",
        Title="Director",
        Phone="123",
        UserRoleId=people.primary.db.execute('SELECT "Id" FROM "UserRole"').fetchone()[0],
        LastLoginDate="2026-01-01T00:00:00.000Z",
        LastPasswordChangeDate="2026-01-01T00:00:00.000Z",
    )
    assign(people.primary, user, id_of(people.primary, "PermissionSet", "Readers"))
    report = people.forth()
    assert (report.copied, report.linked, report.failed) == (("ann@acme.example",), (ADMIN,), ())
    assert find(people.secondary, "ann@acme.example.dr", "Title", "Phone", "LastName", "IsActive") == (
        "Director",
        "123",
        "Ann",
        1,
    )
    assert find(people.secondary, "ann@acme.example.dr", "LastLoginDate", "LastPasswordChangeDate") == (None, None)
    (profile, role) = find(people.secondary, "ann@acme.example.dr", "ProfileId", "UserRoleId")
    assert profile == id_of(people.secondary, "Profile", "Standard User")
    assert role == id_of(people.secondary, "UserRole", "Sales")
    assert sets_of(people.secondary, "ann@acme.example.dr") == {"Readers"}
    there = find(people.secondary, "ann@acme.example.dr")[0]
    assert links(people.secondary, "ann@acme.example.dr") == [(user, 1, 1)]
    assert links(people.primary, "ann@acme.example") == [(there, 0, 1)]


def test_again_and_back_nothing_is_doubled(people):
    """USR-1, USR-7: running again, and the other way, links what is there and changes nothing."""
    add_user(people.primary, "ann@acme.example")
    people.forth()
    again, back = people.forth(), people.back()
    assert (again.copied, again.linked, again.updated, again.failed) == ((), (), (), ())
    assert (back.copied, back.updated, back.failed) == ((), (), ())
    for org in (people.primary, people.secondary):
        assert org.db.execute('SELECT count(*) FROM "User"').fetchone() == (2,)


def test_user_who_is_there_under_the_right_name_is_linked(people):
    """USR-1: linked, not doubled, whatever the case of the name, and brought to what the primary has."""
    add_user(people.secondary, "Ann@acme.example.dr", Title="Old")
    add_user(people.primary, "ann@acme.example", Title="New")
    report = people.forth()
    assert "ann@acme.example" in report.linked
    assert people.secondary.db.execute('SELECT "Username", "Title" FROM "User" WHERE "Title" = \'New\'').fetchall() == [
        ("ann@acme.example.dr", "New")
    ]


def test_crash_between_the_two_orgs_is_made_good(people):
    """USR-1, QUE-3: a user who arrived without the mirror of the link gets it from the next run."""
    add_user(people.primary, "ann@acme.example")
    people.forth()
    people.primary.db.execute("DELETE FROM orgsync_link")
    people.forth()
    assert len(links(people.primary, "ann@acme.example")) == 1
    assert people.secondary.db.execute('SELECT count(*) FROM "User"').fetchone() == (2,)


def test_only_standard_licences_are_copied(people):
    """USR-1: users with other licences stay out and are named; inactive ones are copied as such."""
    add_user(people.primary, "chat@acme.example", "Chatter Free User")
    add_user(people.primary, "gone@acme.example", IsActive=0)
    add_user(people.primary, "plat@acme.example", "Standard Platform User")
    report = people.forth()
    assert report.left_out == ("chat@acme.example",)
    assert sorted(report.copied) == ["gone@acme.example", "plat@acme.example"]
    assert find(people.secondary, "gone@acme.example.dr", "IsActive") == (0,)
    assert find(people.secondary, "plat@acme.example.dr", "IsActive") == (1,)


def test_users_go_back_without_the_suffix(people):
    """USR-2, USR-3: a user made in the secondary under the right name is copied to the primary without `.dr`."""
    add_user(people.secondary, "bob@acme.example.dr", Title="Agent")
    assert people.back().copied == ("bob@acme.example.dr",)
    assert find(people.primary, "bob@acme.example", "Title") == ("Agent",)


def test_user_of_the_secondary_without_the_suffix_is_logged_there(people):
    """USR-2: not copied, one entry in the secondary's log however often it is tried."""
    add_user(people.secondary, "carl@acme.example")
    assert people.back().nameless == ("carl@acme.example",)
    people.back()
    entries = [item for item in history.read_log(people.secondary) if item.object == "User"]
    assert [(item.event, item.status, item.error_code) for item in entries] == [
        ("User Upsert", "Failed", "INVALID_USERNAME")
    ]
    assert find(people.primary, "carl@acme.example") is None


@pytest.mark.parametrize("kind", ["profile", "role", "permission set"])
def test_missing_setup_fails_that_user_at_once(people, kind):
    """USR-4, USR-6, LOG-1: one Failed entry that names what is missing; others go on; saved again, the user is sent again."""
    user = add_user(people.primary, "ann@acme.example")
    if kind == "profile":
        license_id = id_of(people.primary, "UserLicense", "Salesforce")
        made = insert_row(people.primary, "Profile", {"Name": "Desk", "UserLicenseId": license_id})
        people.primary.db.execute('UPDATE "User" SET "ProfileId" = ? WHERE "Id" = ?', [made, user])
    elif kind == "role":
        people.primary.db.execute(
            'UPDATE "User" SET "UserRoleId" = ? WHERE "Id" = ?', [add_role(people.primary, "Desk"), user]
        )
    else:
        assign(people.primary, user, add_permission_set(people.primary, "Desk"))
    add_user(people.primary, "zoe@acme.example")
    report = people.forth()
    assert report.copied == ("zoe@acme.example",)
    assert [name for name, _ in report.failed] == ["ann@acme.example"]
    people.forth()
    (entry,) = history.read_log(people.primary)
    assert (entry.object, entry.record, entry.event, entry.status) == ("User", user, "User Upsert", "Failed")
    assert entry.error_code == "FIELD_INTEGRITY_EXCEPTION" and f"{kind} Desk" in entry.description
    number = connections.get_connection(people.primary, NAME).number
    failed = people.primary.db.execute(
        "SELECT hash FROM orgsync_failed WHERE connection = ? AND kind = 'user' AND name = 'ann@acme.example'", [number]
    ).fetchone()
    assert failed[0] == read_users(people.primary, Objects(people.primary)["User"])["ann@acme.example"].hash
    if kind == "profile":
        insert_row(
            people.secondary,
            "Profile",
            {"Name": "Desk", "UserLicenseId": id_of(people.secondary, "UserLicense", "Salesforce")},
        )
    elif kind == "role":
        add_role(people.secondary, "Desk")
    else:
        add_permission_set(people.secondary, "Desk")
    people.primary.db.execute('UPDATE "User" SET "Title" = \'Saved\' WHERE "Id" = ?', [user])
    people.drain()
    assert find(people.secondary, "ann@acme.example.dr", "Title") == ("Saved",)
    assert people.primary.db.execute("SELECT count(*) FROM orgsync_failed").fetchone() == (0,)


def test_licences_run_out(people):
    """USR-4, USR-6, CON-8: the user for whom no seat is left fails with LICENSE_LIMIT_EXCEEDED; those before arrive."""
    for name in ("a", "b", "c"):
        add_user(people.primary, f"{name}@acme.example", "Standard Platform User")
    report = people.forth()
    assert report.copied == ("a@acme.example", "b@acme.example")
    assert [name for name, _ in report.failed] == ["c@acme.example"]
    assert history.read_log(people.primary)[0].error_code == "LICENSE_LIMIT_EXCEEDED"


def test_managers_come_in_any_order(people):
    """USR-1, LKP-2: a manager who is copied after the report is filled in."""
    boss_later = add_user(people.primary, "ann@acme.example")
    boss = add_user(people.primary, "zed@acme.example")
    people.primary.db.execute('UPDATE "User" SET "ManagerId" = ? WHERE "Id" = ?', [boss, boss_later])
    people.forth()
    assert find(people.secondary, "ann@acme.example.dr", "ManagerId") == find(people.secondary, "zed@acme.example.dr")


@pytest.mark.pairings
def test_changes_travel_live_both_ways_and_never_return(people):
    """USR-3, ORG-7: updates, assignments and deactivation go with the drain, each way; nothing echoes."""
    for org in (people.primary, people.secondary):
        add_permission_set(org, "Readers")
    user = add_user(people.primary, "ann@acme.example")
    people.forth()
    assignment = assign(people.primary, user, id_of(people.primary, "PermissionSet", "Readers"))
    people.primary.db.execute('UPDATE "User" SET "Title" = \'Chief\' WHERE "Id" = ?', [user])
    people.drain()
    assert find(people.secondary, "ann@acme.example.dr", "Title") == ("Chief",)
    assert sets_of(people.secondary, "ann@acme.example.dr") == {"Readers"}
    assert logged(people.secondary.db) == 0
    people.primary.db.execute('DELETE FROM "PermissionSetAssignment" WHERE "Id" = ?', [assignment])
    people.drain()
    assert sets_of(people.secondary, "ann@acme.example.dr") == set()
    people.secondary.db.execute('UPDATE "User" SET "IsActive" = FALSE WHERE "Username" = \'ann@acme.example.dr\'')
    before = logged(people.primary.db)
    people.drain()
    assert find(people.primary, "ann@acme.example", "IsActive") == (0,)
    assert logged(people.primary.db) == before


def test_new_user_and_new_name_travel_live(people):
    """USR-2, USR-3: a user added later is copied by the drain; a changed username keeps the pair together."""
    people.forth()
    user = add_user(people.primary, "dan@acme.example")
    people.drain()
    assert find(people.secondary, "dan@acme.example.dr") is not None
    people.primary.db.execute('UPDATE "User" SET "Username" = \'daniel@acme.example\' WHERE "Id" = ?', [user])
    people.drain()
    assert find(people.secondary, "dan@acme.example.dr") is None
    assert links(people.secondary, "daniel@acme.example.dr") == [(user, 1, 1)]


def test_edits_of_different_fields_both_survive(people):
    """CNF-1, USR-3: each org edits another field of one user; after a drain both orgs hold both edits."""
    add_user(people.primary, "ann@acme.example", Title="T", Phone="P")
    people.forth()
    people.primary.db.execute('UPDATE "User" SET "Title" = \'T1\' WHERE "Username" = \'ann@acme.example\'')
    people.secondary.db.execute('UPDATE "User" SET "Phone" = \'P2\' WHERE "Username" = \'ann@acme.example.dr\'')
    people.drain()
    assert find(people.primary, "ann@acme.example", "Title", "Phone") == ("T1", "P2")
    assert find(people.secondary, "ann@acme.example.dr", "Title", "Phone") == ("T1", "P2")


@pytest.mark.parametrize(("settings", "wins"), [({}, "one"), ({"conflicts": "secondary-wins"}, "two")])
def test_one_field_in_both_orgs_goes_by_the_policy(people, settings, wins):
    """CNF-1, USR-3: the primary wins by default, the secondary where the manifest says so; both orgs end equal."""
    connection_changes.set_settings(people.primary, NAME, settings, actor="admin", clock=clock)
    add_user(people.primary, "ann@acme.example")
    people.forth()
    people.primary.db.execute('UPDATE "User" SET "Title" = \'one\' WHERE "Username" = \'ann@acme.example\'')
    people.secondary.db.execute('UPDATE "User" SET "Title" = \'two\' WHERE "Username" = \'ann@acme.example.dr\'')
    people.drain()
    assert find(people.primary, "ann@acme.example", "Title") == (wins,)
    assert find(people.secondary, "ann@acme.example.dr", "Title") == (wins,)


def test_each_direction_obeys_its_own_switch(apart):
    """USR-3, CON-6: with the secondary's switch off nothing goes back, live or on demand; forth goes on."""
    people = apart.connect(SyncOptions(users_secondary=False))
    user = add_user(people.primary, "ann@acme.example")
    people.forth()
    add_user(people.secondary, "bob@acme.example.dr")
    assert people.back().switched_off
    there = find(people.secondary, "ann@acme.example.dr")[0]
    people.secondary.db.execute('UPDATE "User" SET "Title" = \'X\' WHERE "Id" = ?', [there])
    assert upsert_users(people.secondary, people.primary, NAME, Side.SECONDARY, [there], clock=clock).switched_off
    assert find(people.primary, "ann@acme.example", "Title") == (None,)
    people.primary.db.execute('UPDATE "User" SET "Phone" = \'1\' WHERE "Id" = ?', [user])
    people.drain()
    assert find(people.secondary, "ann@acme.example.dr", "Phone") == ("1",)


def test_users_added_by_hand_are_linked_without_the_switch(apart):
    """USR-1, LKP-6: with user sync off, users who are in both orgs under matching names are linked, none is copied."""
    people = apart.connect(SyncOptions(users_primary=False, users_secondary=False))
    add_user(people.primary, "ann@acme.example", Title="Here")
    add_user(people.primary, "only@acme.example")
    add_user(people.secondary, "ann@acme.example.dr", Title="There")
    assert link_present_users(people.primary, people.secondary, NAME, clock) == 2
    assert link_present_users(people.primary, people.secondary, NAME, clock) == 0
    assert find(people.secondary, "ann@acme.example.dr", "Title") == ("There",)
    assert len(links(people.primary, "ann@acme.example")) == len(links(people.secondary, "ann@acme.example.dr")) == 1
    assert find(people.secondary, "only@acme.example.dr") is None
