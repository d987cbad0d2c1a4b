"""Who changed what: Git or a person, for everything that apply sets (REC-6)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from drifting_orgs import CONNECTION, Drifting, publication

from orgsync_reconcile.app.apply import carry_out
from orgsync_reconcile.app.drift import CORRECTIONS, find_drift
from orgsync_reconcile.app.planning import plan
from orgsync_reconcile.errors import UsageError

SETTINGS = "UPDATE orgsync_connection SET settings = json_set(settings, '$.conflicts', 'latest-wins')"
OFFER = "DELETE FROM orgsync_published_field WHERE object = 'Account' AND field = 'Phone'"
ACCEPT = "DELETE FROM orgsync_subscribed_field WHERE object = 'Account' AND field = 'Phone'"
WITHDRAW = (
    "DELETE FROM orgsync_published WHERE object = 'Contact'",
    "DELETE FROM orgsync_published_field WHERE object = 'Contact'",
)
USER = (
    'INSERT INTO "User" ("Username", "LastName", "Alias", "Email", "ProfileId") SELECT \'olga@acme.example\', \'O\', \'o\','
    ' \'o@acme.example\', "ProfileId" FROM "User" WHERE "Username" = \'admin@acme.example\''
)


@pytest.mark.parametrize(
    ("org", "statements", "address", "detail"),
    [
        ("acme", [SETTINGS], "link/connection", "conflicts was changed in acme: primary-wins → latest-wins"),
        (
            "acme",
            ['UPDATE "PartnerNetworkConnection" SET "IsSyncMetadata" = 0'],
            "link/connection",
            "metadata was changed in acme: true → false",
        ),
        (
            "acme-dr",
            ['UPDATE "PartnerNetworkConnection" SET "IsSyncUsers" = 0'],
            "link/connection/secondary",
            "users was changed in acme-dr: true → false",
        ),
        (
            "acme-dr",
            ['UPDATE "PartnerNetworkConnection" SET "IsSyncMetadata" = 0'],
            "link/connection/secondary",
            "metadata was changed in acme-dr: true → false; it counts as it is in acme, where alone it can be changed",
        ),
        ("acme", [OFFER], "link/publication/Account/field/Phone", "Account.Phone was unpublished in acme"),
        ("acme-dr", [ACCEPT], "link/subscription/Account/field/Phone", "Account.Phone was unsubscribed in acme-dr"),
        ("acme", WITHDRAW, "link/publication/Contact", "Contact was unpublished in acme"),
        (
            "acme-dr",
            [
                "INSERT INTO orgsync_published (connection, object) SELECT number, 'Lead' FROM orgsync_connection",
            ],
            "link/publication-back/Lead",
            "Lead was published in acme-dr",
        ),
        (
            "acme",
            [
                "INSERT INTO orgsync_published_field SELECT number, 'Account', 'Website' FROM orgsync_connection",
            ],
            "link/publication/Account/field/Website",
            "Account.Website was published in acme",
        ),
        (
            "acme",
            ["UPDATE orgsync_published SET match_on = 'Site' WHERE object = 'Account'"],
            "link/publication/Account",
            "match_on of Account was changed in acme: none → Site",
        ),
    ],
)
def test_what_a_person_changes_is_drift(
    pair: Drifting, org: str, statements: list[str], address: str, detail: str
) -> None:
    """REC-6: each is shown as changed by hand, corrected by a person's apply, and gone then."""
    pair.sql(org, *statements)
    assert pair.details() == [detail]
    assert pair.drift().changes == ()
    assert pair.reasons() == {address: "drift"}
    pair.apply("--allow", "disconnect")
    assert pair.plan()["actions"] == [] and pair.details() == []


def test_what_git_changes_is_no_drift(pair: Drifting) -> None:
    """REC-6, CON-7: settings, publications and switches changed in the manifests are changes, with nothing by hand."""
    pair.write("connection.yaml", CONNECTION + "conflicts: latest-wins\nsync: {users: {secondary: false}}\n")
    pair.write("account.yaml", publication("Account", "Name, Website"))
    found = pair.drift()
    assert found.drift == ()
    assert {item.address for item in found.changes} == set(pair.reasons())
    assert "drift" not in pair.reasons().values()
    assert len(found.changes) > 4


def test_each_side_of_a_change_is_told_apart(pair: Drifting) -> None:
    """REC-6: in one connection, what Git changed and what a person changed; one key that both changed says so."""
    pair.sql("acme", SETTINGS, OFFER)
    pair.write("connection.yaml", CONNECTION + "conflicts: secondary-wins\nretry: [5m]\n")
    pair.write("contact.yaml", publication("Contact", "LastName, AccountId, Phone"))
    found = pair.drift()
    assert [(item.key, item.changed_by) for item in found.drift] == [
        ("conflicts", "person and git"),
        ("Phone", "person"),
    ]
    assert "the manifest changed it too, to secondary-wins" in found.drift[0].detail
    assert pair.reasons() == {
        "link/connection": "changed",
        "link/publication/Account/field/Phone": "drift",
        "link/publication/Contact/field/Phone": "added",
        "link/publication-back/Contact/field/Phone": "added",
        "link/subscription/Contact/field/Phone": "added",
        "link/subscription-back/Contact/field/Phone": "added",
    }


def test_git_and_a_person_agree(pair: Drifting) -> None:
    """REC-6: where both made the same change there is nothing to do and nothing to tell."""
    pair.sql("acme", SETTINGS)
    pair.write("connection.yaml", CONNECTION + "conflicts: latest-wins\n")
    assert pair.reasons() == {} and pair.details() == []


def test_owner_and_contact(pair: Drifting) -> None:
    """REC-6, CON-7: another owner or contact, set in the org."""
    pair.sql(
        "acme",
        USER,
        'UPDATE "PartnerNetworkConnection" SET "PrimaryContactId" = (SELECT "Id" FROM "User" WHERE "LastName" = \'O\')',
        'UPDATE "Contact" SET "Email" = \'other@acme.example\'',
    )
    kinds = {item.kind: item for item in pair.drift().drift}
    assert set(kinds) == {"owner", "contact"}
    assert (kinds["owner"].applied, kinds["owner"].live) == ("admin@acme.example", "olga@acme.example")
    assert kinds["contact"].live == "Elise Medina <other@acme.example>"


def test_a_manifest_suspension_that_a_person_resumed(pair: Drifting) -> None:
    """SUS-4, REC-6: resumed by hand is drift as well, suspended again by a person's apply and by no unattended one."""
    pair.write("connection.yaml", CONNECTION + "state: suspended\n")
    pair.apply()
    pair.must("resume")
    assert pair.details() == [
        "resumed in acme, the manifest says suspended",
        "resumed in acme-dr, the manifest says suspended",
    ]
    assert set(pair.reasons().values()) == {"drift"}
    assert plan(pair.workspace, CORRECTIONS).actions == ()


def test_suspended_by_command_is_reported_and_kept(pair: Drifting) -> None:
    """SUS-4: a suspension by command is drift that no plan ends, unattended or not."""
    pair.must("suspend", "--org", "primary")
    assert [(item.kind, item.policy) for item in pair.drift().drift] == [("suspended", "report")]
    assert pair.reasons() == {} and plan(pair.workspace, CORRECTIONS).actions == ()


def test_deactivated_by_command(pair: Drifting) -> None:
    """CON-9, REC-6: a connection that a person ended is drift; only a person's apply begins it anew."""
    pair.must("deactivate", "--yes", "--org", "primary", "--org", "secondary")
    assert {item.kind for item in pair.drift().drift} == {"deactivated"}
    assert set(pair.reasons().values()) >= {"drift"}
    assert plan(pair.workspace, CORRECTIONS).actions == ()
    pair.apply()
    assert pair.details() == [] and pair.reasons() == {}


def test_corrections_take_what_the_policy_lets_be_corrected(pair: Drifting) -> None:
    """REC-6: by default settings are reported; with `correct` they are put right, and Git's changes are left alone."""
    pair.sql("acme", SETTINGS, OFFER)
    assert plan(pair.workspace, CORRECTIONS).actions == ()
    pair.write("connection.yaml", CONNECTION + "drift: {settings: correct}\nretry: [5m]\n")
    pair.write("contact.yaml", publication("Contact", "LastName, AccountId, Phone"))
    made = plan(pair.workspace, CORRECTIONS)
    assert {action.address for action in made.actions} == {"link/connection", "link/publication/Account/field/Phone"}
    assert dict(made.actions[0].after or {}) == {"conflicts": "primary-wins"}
    report = carry_out(pair.workspace, made, CORRECTIONS)
    assert report.failure is None
    found = pair.drift()
    assert found.drift == ()
    assert {item.address for item in found.changes} >= {"link/connection", "link/publication/Contact/field/Phone"}


def test_fields_that_fell_out_of_step_are_nobodys_doing(pair: Drifting) -> None:
    """PUB-8, REC-6: a field that unsubscribed itself is no drift; once it fits, corrections subscribe to it again."""
    pair.sql(
        "acme-dr", "UPDATE orgsync_subscribed_field SET dropped = 'resized' WHERE object = 'Account' AND field = 'Fax'"
    )
    assert pair.details() == []
    (action,) = plan(pair.workspace, CORRECTIONS).actions
    assert action.address == "link/subscription/Account/field/Fax"


def test_a_killed_apply_is_no_person(pair: Drifting) -> None:
    """REC-3, REC-6: what an apply had done when it was killed is not blamed on anybody, nor what it had not."""
    state = pair.sql("acme", "SELECT state FROM orgsync_applied")[0][0]
    pair.write("connection.yaml", CONNECTION + "conflicts: latest-wins\nretry: [5m]\n")
    begun = json.loads(state)
    begun["settings"] |= {"conflicts": "latest-wins", "retry": "300"}
    pair.sql("acme", SETTINGS, f"UPDATE orgsync_applied SET begun = '{json.dumps(begun)}'")
    assert pair.details() == [] and pair.reasons() == {"link/connection": "changed"}
    pair.write("connection.yaml", CONNECTION)
    assert pair.details() == [] and pair.reasons() == {"link/connection": "changed"}


def test_an_apply_that_is_really_killed_is_no_person(pair: Drifting) -> None:
    """REC-3, REC-6: killed between an action and the end, then Git changes its mind: nobody is blamed for the apply's work."""
    pair.write("connection.yaml", CONNECTION + "conflicts: latest-wins\n")
    killed = subprocess.run(
        [sys.executable, "-m", "orgsync_reconcile", "-C", str(pair.folder), "apply", "--yes"],
        env={**os.environ, "ORGSYNC_FAILPOINT": "apply:after-executor"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    pair.write("connection.yaml", CONNECTION)
    assert pair.details() == [] and pair.reasons() == {"link/connection": "changed"}


def test_part_of_a_plan_remembers_that_part(pair: Drifting) -> None:
    """REC-6: after --target, what was left out is still Git's change."""
    pair.write("account.yaml", publication("Account", "Name, Phone, Fax, Website"))
    pair.write("contact.yaml", publication("Contact", "LastName, AccountId, Phone"))
    pair.apply("--target", "link/publication/Account")
    assert pair.details() == []
    pair.sql("acme", "DELETE FROM orgsync_published_field WHERE field = 'Website'")
    assert pair.details() == ["Account.Website was unpublished in acme"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"settings": 5}', "null", '{"settings": {}, "published": [[1]]}'])
def test_a_damaged_memory_blames_nobody(pair: Drifting, text: str) -> None:
    """REC-6: where the last apply is unknown, every difference is a change to review; the next apply remembers anew."""
    pair.sql("acme", SETTINGS, f"UPDATE orgsync_applied SET state = '{text}'")
    assert pair.details() == [] and pair.reasons() == {"link/connection": "changed"}
    pair.apply()
    pair.sql("acme", SETTINGS)
    assert len(pair.details()) == 1


def test_connections_are_looked_at_one_by_one(pair: Drifting) -> None:
    """REC-6: an unknown connection is told with the nearest name."""
    pair.sql("acme", SETTINGS)
    assert len(find_drift(pair.workspace, ["link"]).drift) == 1
    with pytest.raises(UsageError, match="did you mean link"):
        find_drift(pair.workspace, ["lnk"])
