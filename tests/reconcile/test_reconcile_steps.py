"""An unattended run: what each step does, what it leaves to people, and what the program ends with (REC-10)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from mail_world import add_user
from reconcile_world import reconcile, settings
from two_orgs import must, run_in, sql

from orgsync_reconcile.metadata import to_component
from orgsync_reconcile.stores.sql import components
from orgsync_reconcile.stores.sqlite.handle import open_org

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "docs" / "reconcile.schema.json").read_text())
PHONES = 'SELECT "Name", "Phone" FROM "Account" WHERE "Name" IN (\'One\', \'Two\') ORDER BY 1'


def test_one_run_sends_both_ways_and_a_second_has_nothing_to_do(connected: Path) -> None:
    """REC-10, USR-1: records go both ways, a new user is copied, a sample is verified; the report follows its schema."""
    add_user(connected, "eve@acme.example")
    sql(connected, "acme", 'UPDATE "Account" SET "Phone" = \'1\' WHERE "Name" = \'One\'')
    sql(connected, "acme-dr", 'UPDATE "Account" SET "Phone" = \'2\' WHERE "Name" = \'Two\'')
    ran = reconcile(connected)
    assert (ran.code, ran.document["status"]) == (0, "ok")
    assert sql(connected, "acme", PHONES) == sql(connected, "acme-dr", PHONES) == [("One", "1"), ("Two", "2")]
    assert sql(connected, "acme-dr", 'SELECT 1 FROM "User" WHERE "Username" = \'eve@acme.example.dr\'')
    assert ran.steps["queue"]["counts"]["updated"] == 2
    verified = ran.steps["verify"]["counts"]
    # How many ranges hold the records depends on their Ids, which no two orgs share.
    assert 1 <= verified.pop("ranges") <= 3
    assert verified == {"records": 3, "in_flight": 0, "different": 0}
    again = reconcile(connected)
    assert again.code == 0
    assert again.steps["queue"]["counts"]["moved"] == again.steps["users"]["counts"].get("done", 0) == 0
    for document in (ran.document, again.document):
        jsonschema.Draft202012Validator(SCHEMA).validate(document)


def test_drift_of_metadata_is_corrected_and_of_settings_reported(connected: Path) -> None:
    """REC-6, MET-5: the defaults; each policy turned round does the other thing."""
    sql(connected, "acme", "UPDATE orgsync_connection SET settings = json_set(settings, '$.conflicts', 'latest-wins')")
    ran = reconcile(connected, "--detailed-exitcode")
    assert ran.code == 2
    assert ran.steps["drift"]["counts"]["drift"] >= 1
    assert any("conflicts" in note for note in ran.steps["drift"]["notes"])
    assert ran.status("settings") == "skipped"
    assert sql(connected, "acme", "SELECT json_extract(settings, '$.conflicts') FROM orgsync_connection") == [
        ("latest-wins",)
    ]
    settings(connected, "direction: two-way\n", "direction: two-way\ndrift: {settings: correct}\n")
    must(connected, "apply", "--yes")
    sql(connected, "acme", "UPDATE orgsync_connection SET settings = json_set(settings, '$.conflicts', 'latest-wins')")
    ran = reconcile(connected)
    assert ran.steps["settings"]["counts"]["done"] == 1
    assert sql(connected, "acme", "SELECT json_extract(settings, '$.conflicts') FROM orgsync_connection") == [
        ("primary-wins",)
    ]


def test_what_nobody_has_applied_waits_for_a_person(connected: Path) -> None:
    """REC-10: a new publication is reported and not applied; --apply applies it, and its guards hold."""
    more = "---\nversion: 1\nkind: Publication\nconnection: acme-link\nobject: Contact\n"
    path = connected / "manifests" / "contact.yaml"
    path.write_text(more.removeprefix("---\n"))
    ran = reconcile(connected)
    assert (ran.code, ran.document["status"]) == (0, "attention")
    assert ran.steps["drift"]["counts"]["pending_changes"] > 0
    published = "SELECT object FROM orgsync_published ORDER BY 1"
    assert sql(connected, "acme", published) == [("Account",)]
    assert reconcile(connected, "--apply").steps["apply"]["counts"]["done"] > 0
    assert sql(connected, "acme", published) == [("Account",), ("Contact",)]
    settings(connected, "object: Account", "object: Case")
    ran = reconcile(connected, "--apply")
    assert ran.code == 5
    assert "disconnect" in ran.steps["apply"]["error"]
    assert sql(connected, "acme", published) == [("Account",), ("Contact",)]
    assert reconcile(connected, "--apply", "--allow", "disconnect").steps["apply"]["status"] == "ok"
    assert sql(connected, "acme", published) == [("Case",), ("Contact",)]


def test_one_of_a_thing_is_said_in_the_singular(connected: Path) -> None:
    """REC-10: a single pending change is no "1 pending changes", in text or Markdown, nor is it one in a note."""
    settings(connected, "direction: two-way", "direction: two-way\nconflicts: latest-wins")
    for form in ("text", "markdown"):
        shown = run_in(connected, "reconcile", "--format", form).stdout
        assert re.search(r"\b1 pending change\b", shown), shown
        assert "1 change of the manifests waits for a person" in shown
        assert not re.search(r"\b1 (pending changes|manual tasks|ranges|records|changes)\b", shown), shown


def test_a_field_that_fits_again_is_subscribed_again(connected: Path) -> None:
    """PUB-8: it drops out where it was resized in the secondary, and comes back where it is as it was."""
    dropped = "SELECT field, dropped IS NULL FROM orgsync_subscribed_field WHERE object = 'Account' AND field = 'Site'"
    resize = "UPDATE orgsync_field SET definition = json_set(definition, '$.length', {0}) WHERE name = 'Site'"
    (length,) = sql(
        connected, "acme-dr", "SELECT json_extract(definition, '$.length') FROM orgsync_field WHERE name = 'Site'"
    )[0]
    sql(connected, "acme-dr", resize.format(length - 1))
    ran = reconcile(connected)
    assert any("Account.Site is no longer subscribed" in note for note in ran.steps["queue"]["notes"])
    assert sql(connected, "acme-dr", dropped) == [("Site", 0)]
    sql(connected, "acme-dr", resize.format(length))
    ran = reconcile(connected)
    assert ran.steps["subscriptions"]["counts"]["done"] >= 1
    assert sql(connected, "acme-dr", dropped) == [("Site", 1)]


def test_a_suspension_by_a_person_is_drift_and_stays(connected: Path) -> None:
    """SUS-4, SUS-1: reported, never resumed, and nothing is sent meanwhile."""
    must(connected, "suspend")
    sql(connected, "acme", 'UPDATE "Account" SET "Phone" = \'1\'')
    ran = reconcile(connected, "--apply")
    assert ran.code == 0
    assert any("suspended by admin@acme.example" in note for note in ran.steps["drift"]["notes"])
    assert [ran.status(name) for name in ("metadata", "users", "queue", "verify")] == ["skipped"] * 4
    assert ran.steps["queue"]["counts"]["pending"] == 3
    assert json.loads(must(connected, "status", "--format", "json").stdout)["connections"][0]["status"] == "Suspended"


def test_a_failed_step_stops_no_other_and_shows_in_the_exit_code(connected: Path) -> None:
    """REC-10: without its place in the log nothing can be sent or verified; everything else is done all the same."""
    add_user(connected, "eve@acme.example")
    sql(connected, "acme-dr", "DELETE FROM orgsync_inbox")
    ran = reconcile(connected)
    assert ran.code == 5
    assert ran.status("queue") == ran.status("verify") == "failed"
    assert "orgsync_inbox has no row" in ran.steps["queue"]["error"]
    assert ran.steps["users"]["counts"]["done"] == 1
    assert "error: acme-link: queue: " in ran.said
    assert run_in(connected, "reconcile").exit_code == 5


def test_a_record_that_is_refused_is_partly_done(connected: Path) -> None:
    """REC-10, QUE-5: it is held, and the run after its time sends it."""
    sql(
        connected,
        "acme-dr",
        'CREATE TRIGGER no_nines BEFORE UPDATE OF "Phone" ON "Account" WHEN new."Phone" = \'999\''
        " BEGIN SELECT raise(ABORT, 'no nines'); END",
    )
    sql(connected, "acme", 'UPDATE "Account" SET "Phone" = \'999\' WHERE "Name" = \'One\'')
    ran = reconcile(connected)
    assert (ran.code, ran.status("queue")) == (5, "partial")
    assert ran.steps["queue"]["counts"]["failed"] == ran.steps["queue"]["counts"]["retrying"] == 1
    sql(connected, "acme-dr", "DROP TRIGGER no_nines")
    ran = reconcile(connected, ORGSYNC_NOW="2099-01-01T00:00:00Z")
    assert (ran.code, ran.status("queue")) == (0, "ok")
    assert sql(connected, "acme-dr", PHONES)[0] == ("One", "999")


def test_a_sample_finds_a_difference_and_is_chosen_by_its_seed(connected: Path) -> None:
    """VER-1: bounded, the same for the same seed; a change that is on its way is no difference."""
    sql(connected, "acme", *(f'INSERT INTO "Account" ("Name") VALUES (\'A{n}\')' for n in range(300)))
    assert reconcile(connected).code == 0
    first, second, other = (reconcile(connected, "--sample", "1", "--seed", seed) for seed in ("5", "5", "77"))
    counts = [ran.steps["verify"]["counts"]["records"] for ran in (first, second, other)]
    assert counts[0] == counts[1]
    assert all(0 < number <= 100 for number in counts)
    assert first.document["seed"] == 5
    # Behind the capture's back, as a tool that switches triggers off would.
    triggers = sql(
        connected, "acme-dr", "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'Account'"
    )
    sql(
        connected,
        "acme-dr",
        *(f'DROP TRIGGER "{name}"' for name, _ in triggers),
        'UPDATE "Account" SET "Phone" = \'0\'',
    )
    ran = reconcile(connected, "--detailed-exitcode")
    assert (ran.code, ran.status("verify")) == (2, "attention")
    assert ran.steps["verify"]["counts"]["different"] > 50
    assert any("differs in Phone" in note for note in ran.steps["verify"]["notes"])
    assert reconcile(connected, "--sample", "0").steps["verify"]["counts"]["records"] == 0


def test_a_link_that_only_one_org_has_is_found(connected: Path) -> None:
    """VER-1: a record that is gone from the secondary for good is a difference of a sample."""
    sql(connected, "acme-dr", "PRAGMA foreign_keys = off", "DELETE FROM orgsync_link WHERE local LIKE '001%'")
    ran = reconcile(connected)
    assert ran.steps["verify"]["counts"]["different"] >= 1
    assert any("is missing in one of the orgs" in note for note in ran.steps["verify"]["notes"])


@pytest.mark.parametrize(
    "args", [("--every", "0s"), ("--cron", "@daily"), ("--cron", "61 * * * *"), ("--jitter", "1s")]
)
def test_what_cannot_be_a_schedule_is_refused(connected: Path, args: tuple[str, ...]) -> None:
    """REC-10: one line, before any org is touched."""
    result = run_in(connected, "reconcile", *args)
    assert result.exit_code == 64
    assert len(result.stderr.strip().splitlines()) == 1


def test_broken_manifests_and_unknown_connections(connected: Path) -> None:
    """REC-10, REC-8: every problem with its place on standard error and in the report; exit 1, and 64 for a name."""
    assert reconcile(connected, "acme-lonk").code == 64
    settings(connected, "direction: two-way", "direction: sideways")
    ran = reconcile(connected)
    assert ran.code == 1
    (line,) = ran.document["errors"]
    assert line.startswith("manifests/acme.yaml:")
    assert line in ran.said


def test_an_org_that_is_gone_is_said_once(connected: Path) -> None:
    """REC-10: the first step has failed, the others say why they were not taken; exit 1."""
    (connected / "orgs" / "acme-dr.db").rename(connected / "orgs" / "away.db")
    ran = reconcile(connected)
    assert ran.code == 1
    assert [step["status"] for step in ran.steps.values()] == ["failed", *["skipped"] * 8]
    assert ran.said.count("there is no org at") == 1


def deploy(folder: Path, store: str, label: str) -> None:
    """A custom field of accounts in one org, as somebody would set it up there."""
    values = {"fullName": "Region__c", "type": "Text", "length": "40", "label": label}
    with open_org(folder / "orgs" / f"{store}.db") as org:
        assert components.deploy(org, [to_component("CustomField", "Account.Region__c", values)]) == ()


def test_metadata_follows_the_primary_and_changes_by_hand_go_by_the_policy(connected: Path) -> None:
    """MET-5, MET-8, REC-6: a new component is deployed; one changed in the secondary is put right, or only reported."""
    content = "SELECT content FROM orgsync_component WHERE full_name = 'Account.Region__c'"
    path = connected / "manifests" / "metadata.yaml"
    path.write_text("version: 1\nkind: Metadata\nconnection: acme-link\ninclude: [CustomField]\n")
    must(connected, "apply", "--yes")
    deploy(connected, "acme", "Region")
    assert reconcile(connected).steps["metadata"]["counts"]["done"] == 1
    (right,) = sql(connected, "acme-dr", content)
    deploy(connected, "acme-dr", "Wrong")
    ran = reconcile(connected, "--allow", "overwrite")
    assert ran.steps["drift"]["counts"]["drift"] == 1
    assert ran.steps["metadata"]["counts"]["done"] == 1
    assert sql(connected, "acme-dr", content) == [right]
    settings(connected, "direction: two-way\n", "direction: two-way\ndrift: {metadata: report}\n")
    must(connected, "apply", "--yes")
    deploy(connected, "acme-dr", "Wrong")
    ran = reconcile(connected, "--allow", "overwrite")
    assert ran.status("drift") == "attention"
    assert ran.steps["metadata"]["counts"].get("done", 0) == 0
    assert sql(connected, "acme-dr", content) != [right]
