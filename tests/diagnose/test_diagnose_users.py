"""Diagnosing users: what the other org must have for them, and what keeps them from being sent."""

from __future__ import annotations

from ailing_orgs import Ailing, P, S, codes, the

KIM = "kim@acme.example"


def test_nothing_is_wrong(ailing: Ailing) -> None:
    """DIA-1: a user who is there and the same, asked from either end."""
    ailing.connect(users=True)
    kim = ailing.add_user(P, KIM)
    ailing.sync_users()
    ailing.drain()
    for record in (kim, ailing.other(P, kim)):
        found = ailing.ask(record)
        assert found.healthy
        assert codes(found, infos=True) == ["equal"]


def test_in_the_queue_and_not_copied(ailing: Ailing) -> None:
    """DIA-1, USR-7: a new user is in the queue; one from before the switch needs a user sync."""
    before = ailing.add_user(P, "lee@acme.example")
    ailing.connect(users=True)
    kim = ailing.add_user(P, KIM)
    assert codes(ailing.ask(kim)) == ["in-queue"]
    assert the(ailing.ask(before), "not-copied").command == "orgsync users sync dr"
    ailing.drain()
    assert ailing.ask(kim).healthy


def test_the_switch_is_off(ailing: Ailing) -> None:
    """DIA-1, CON-6: each org has its own switch."""
    ailing.connect()
    kim = ailing.add_user(P, KIM)
    finding = the(ailing.ask(kim), "users-off")
    assert finding.advice == "set sync.users.primary to true in the manifest"


def test_what_the_other_org_lacks(ailing: Ailing) -> None:
    """DIA-1, USR-4: profile, role and permission set by name, the failure with its log entry, and how to send again."""
    ailing.connect(users=True)
    salesforce = ailing.id_of(P, "UserLicense", "Salesforce")
    ailing.insert(P, "Profile", Name="Sales", UserLicenseId=salesforce)
    role = ailing.insert(P, "UserRole", Name="Chief", DeveloperName="Chief")
    kim = ailing.add_user(P, KIM, "Sales", UserRoleId=role)
    permission_set = ailing.insert(P, "PermissionSet", Name="Extra", Label="Extra")
    ailing.insert(P, "PermissionSetAssignment", AssigneeId=kim, PermissionSetId=permission_set)
    ailing.drain()
    found = ailing.ask(kim)
    assert codes(found) == ["failed", "profile-missing", "role-missing", "permission-set-missing"]
    assert the(found, "profile-missing").what == "acme-dr has no profile Sales"
    assert the(found, "role-missing").what == "acme-dr has no role Chief"
    assert the(found, "permission-set-missing").what == "acme-dr has no permission set Extra"
    assert the(found, "profile-missing").command == "orgsync metadata sync dr && orgsync users sync dr"
    assert "of the log of acme" in the(found, "failed").why


def test_licences(ailing: Ailing) -> None:
    """DIA-1, USR-1, CON-8: a licence that is not standard, and one that is full in the other org."""
    ailing.connect(users=True)
    free = ailing.insert(P, "Profile", Name="Chatter", UserLicenseId=ailing.id_of(P, "UserLicense", "Chatter Free"))
    assert free
    lee = ailing.add_user(P, "lee@acme.example", "Chatter")
    assert "Chatter Free" in the(ailing.ask(lee), "licence-not-standard").what
    for number in range(3):
        last = ailing.add_user(P, f"kim{number}@acme.example")
    ailing.drain()
    assert codes(ailing.ask(last)) == ["failed", "licence-full"]


def test_names(ailing: Ailing) -> None:
    """DIA-1, USR-2: a user of the secondary without the suffix, active or not."""
    ailing.connect(users=True)
    there = ailing.add_user(S, "lee@acme.example")
    finding = the(ailing.ask(there), "no-suffix")
    assert finding.advice == "rename the user to lee@acme.example.dr"


def test_an_inactive_user_takes_no_licence(ailing: Ailing) -> None:
    """DIA-1, USR-1: inactive users are copied as such, also where no licence is left."""
    ailing.connect(users=True)
    for number in range(2):
        ailing.add_user(S, f"there{number}@acme.example")
    off = ailing.add_user(P, KIM, IsActive=0)
    assert codes(ailing.ask(off)) == ["in-queue"]
    ailing.drain()
    assert codes(ailing.ask(off), infos=True) == ["equal"]


def test_there_and_not_linked(ailing: Ailing) -> None:
    """DIA-1, LKP-6: a user who was added by hand under the right name is linked by a user sync."""
    kim = ailing.add_user(P, KIM)
    ailing.add_user(S, f"{KIM}.dr")
    ailing.connect(users=True)
    assert codes(ailing.ask(kim)) == ["not-linked"]
    ailing.sync_users()
    assert ailing.ask(kim).healthy


def test_stale(ailing: Ailing) -> None:
    """DIA-1: a user who differs with nothing queued."""
    ailing.connect(users=True)
    kim = ailing.add_user(P, KIM)
    ailing.drain()
    ailing.update(P, "User", kim, LastName="Other")
    ailing.forget(P)
    assert "LastName" in the(ailing.ask(kim), "stale").what
