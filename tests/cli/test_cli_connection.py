"""A connection's life at the terminal: status, queue, suspend, on-demand syncs, bulk sync options, imports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from program import publication
from two_orgs import run_in, sql


def status(folder: Path) -> dict[str, Any]:
    """The status document of the only connection."""
    document: dict[str, Any] = json.loads(run_in(folder, "status", "--format", "json").stdout)
    connection: dict[str, Any] = document["connections"][0]
    return connection


def test_status_shows_the_whole_page(connected: Path) -> None:
    """CON-12: owner, contact, type, role, options, published and subscribed, queue, log."""
    page = status(connected)
    assert (page["name"], page["status"], page["type"]) == ("acme-link", "Active", "Replication")
    assert (page["owner"], page["contact"]) == ("admin@acme.example", "Elise Medina")
    assert page["primary"]["org"] == "acme"
    assert page["secondary"]["role"] == "secondary"
    assert page["primary"]["options"] == {"feeds_and_audit_fields": False, "metadata": True, "users": True}
    assert page["primary"]["published"] == ["Account", "Contact"]
    assert page["secondary"]["subscribed"] == ["Account", "Contact"]
    assert page["primary"]["queue"] == {"pending": 0, "retrying": 0}
    assert page["primary"]["log"] == {"retrying": 0, "failed": 0, "resolved": 0}
    assert {item["object"]: item["finished"] for item in page["primary"]["bulk_sync"]} == {
        "Account": True,
        "Contact": True,
    }
    text = run_in(connected, "status").stdout
    assert "acme (primary): Active" in text
    assert "Account, Contact" in text


def test_status_before_apply(fresh: Path) -> None:
    """CON-12: a connection that is only in the manifests is shown as such."""
    page = status(fresh)
    assert (page["status"], page["primary"], page["secondary"]) == ("Not connected", None, None)
    for command in (["drain"], ["bulk-sync"], ["verify"], ["suspend"], ["users", "sync"]):
        refused = run_in(fresh, *command)
        assert refused.exit_code == 1
        assert refused.stderr == "error: acme: there is no connection acme-link yet; run: orgsync apply\n"


def test_queue_is_per_org_merged_and_in_order(connected: Path) -> None:
    """QUE-1, QUE-2, QUE-4: one item per record under the platform's names, only what will be sent."""
    sql(
        connected,
        "acme",
        'INSERT INTO "Account" ("Name") VALUES (\'New\')',
        'UPDATE "Account" SET "Phone" = \'1\' WHERE "Name" = \'New\'',
        'UPDATE "Account" SET "Phone" = \'2\' WHERE "Name" = \'One\'',
        'UPDATE "Account" SET "Phone" = \'3\' WHERE "Name" = \'One\'',
        'DELETE FROM "Account" WHERE "Name" = \'Two\'',
        'INSERT INTO "Case" ("Subject") VALUES (\'not published\')',
    )
    sql(connected, "acme-dr", 'UPDATE "Account" SET "Phone" = \'9\' WHERE "Name" = \'Three\'')
    items = json.loads(run_in(connected, "queue", "list", "--format", "json").stdout)["items"]
    assert [(item["org"], item["action"], item["object"]) for item in items] == [
        ("acme", "Generic Insert", "Account"),
        ("acme", "Generic Update", "Account"),
        ("acme", "Replication Delete", "Account"),
        ("acme-dr", "Generic Update", "Account"),
    ]
    assert all(item["queued_at"].endswith("Z") for item in items)
    assert status(connected)["primary"]["queue"]["pending"] == 3
    one = json.loads(run_in(connected, "queue", "list", "--limit", "1", "--format", "json").stdout)["items"]
    assert [item["org"] for item in one] == ["acme", "acme-dr"]
    moved = json.loads(run_in(connected, "drain", "--format", "json").stdout)
    assert [(o["copied"], o["updated"], o["deleted"]) for o in moved["objects"] if o["object"] == "Account"] == [
        (1, 2, 1)
    ]
    assert "Nothing waits to be sent." in run_in(connected, "queue", "list").stdout
    assert status(connected)["secondary"]["queue"]["pending"] == 0


def test_records_that_wait_for_a_bulk_sync_are_not_queued(fresh: Path) -> None:
    """QUE-4: a change to a record from before the subscription is not in the queue: it waits for a bulk sync."""
    sql(fresh, "acme", 'INSERT INTO "Account" ("Name") VALUES (\'Old\')')
    assert run_in(fresh, "apply", "--yes").exit_code == 0
    sql(fresh, "acme", 'UPDATE "Account" SET "Phone" = \'1\' WHERE "Name" = \'Old\'')
    assert status(fresh)["primary"]["queue"]["pending"] == 0
    assert "Nothing to send." in run_in(fresh, "drain").stdout


def test_a_suspended_drain_does_not_say_that_nothing_is_there(connected: Path) -> None:
    """SUS-1, QUE-1: what waits behind a suspension, a --max or a retry is named, so that an empty table is no all-clear."""
    sql(connected, "acme", "INSERT INTO \"Account\" (\"Name\") VALUES ('A'), ('B')")
    waits = "2 records wait to be sent; see: orgsync queue list"
    assert waits in run_in(connected, "verify").stderr
    run_in(connected, "suspend")
    held_back = run_in(connected, "drain")
    assert held_back.stdout == "Nothing was sent.\n"
    assert waits in held_back.stderr
    run_in(connected, "resume")
    assert "1 record waits to be sent" in run_in(connected, "drain", "--max", "1").stderr
    assert "to be sent" not in run_in(connected, "drain").stderr
    refuse = (
        'CREATE TRIGGER refuse BEFORE INSERT ON "Account" WHEN NEW."Name" = \'C\''
        " BEGIN SELECT RAISE(ABORT, 'no C here'); END"
    )
    sql(connected, "acme-dr", refuse)
    sql(connected, "acme", 'INSERT INTO "Account" ("Name") VALUES (\'C\')')
    assert run_in(connected, "drain").exit_code == 5
    again = run_in(connected, "drain")
    assert (again.exit_code, again.stdout) == (0, "Nothing to send.\n")
    assert "1 record waits to be sent; see: orgsync queue list acme-link" in again.stderr


def test_log_list_takes_the_states_that_entries_have(connected: Path) -> None:
    """LOG-1: a state that does not exist is a mistake of the command line, not an empty log."""
    assert run_in(connected, "log", "list", "--status", "Failed").stdout == "No entry is failed.\n"
    wrong = run_in(connected, "log", "list", "--status", "waiting")
    assert wrong.exit_code == 64
    assert "'retrying', 'failed', 'resolved'" in wrong.stderr


def test_a_plan_of_a_part_names_the_apply_of_that_part(fresh: Path) -> None:
    """REC-1: the command in the hint carries out what was shown and no more; an empty part does not speak for the whole."""
    chosen = ("--target", "acme-link/publication/Contact", "--allow", "disconnect=0.5")
    hint = run_in(fresh, "plan", *chosen).stderr
    assert hint.endswith(f"orgsync apply {' '.join(chosen)}\n")
    none = run_in(fresh, "plan", "--target", "acme-link/publication/Lead")
    assert none.stdout.splitlines()[-1] == "No changes in the part that was chosen with --target and --exclude."


def test_user_changes_are_queued_as_user_upserts(connected: Path) -> None:
    """QUE-2, USR-3: a changed user is a User Upsert."""
    sql(connected, "acme", 'UPDATE "User" SET "Title" = \'Boss\'')
    items = json.loads(run_in(connected, "queue", "list", "--format", "json").stdout)["items"]
    assert [(item["action"], item["object"]) for item in items] == [("User Upsert", "User")]
    assert run_in(connected, "drain").exit_code == 0
    assert sql(connected, "acme-dr", 'SELECT "Title" FROM "User"') == [("Boss",)]
    assert "Nothing waits" in run_in(connected, "queue", "list").stdout


def test_suspend_queues_hides_and_resumes(connected: Path) -> None:
    """SUS-1, SUS-4: by command: lists are null, changes queue, plans call it drift, resume sends."""
    result = run_in(connected, "suspend", "acme-link")
    assert result.exit_code == 0
    assert "acme: Suspended" in result.stdout
    assert "drift" in result.stderr
    sql(connected, "acme", 'UPDATE "Account" SET "Phone" = \'5\' WHERE "Name" = \'One\'')
    drained = run_in(connected, "drain")
    assert drained.exit_code == 0
    assert "is Suspended in acme" in drained.stderr
    page = status(connected)
    assert page["status"] == "Suspended"
    assert page["primary"]["published"] is None
    assert page["primary"]["suspended_by"] == "admin@acme.example"
    assert page["primary"]["queue"]["pending"] == 1
    planned = run_in(connected, "plan", "--detailed-exitcode")
    assert planned.exit_code == 2
    assert "suspended by admin@acme.example" in planned.stdout
    assert run_in(connected, "resume").stdout == "acme: Active\nacme-dr: Active\n"
    assert run_in(connected, "drain").exit_code == 0
    assert len(sql(connected, "acme-dr", 'SELECT 1 FROM "Account" WHERE "Phone" = \'5\'')) == 1
    events = [row["event"] for row in json.loads(run_in(connected, "history", "--format", "json").stdout)["history"]]
    assert "Connection Admin Resumed" in events
    assert "Connection Admin Suspended" in events


def test_suspending_one_end_of_two_is_warned_about(connected: Path) -> None:
    """SUS-1: in two-way sync, one suspended side only is a warning."""
    result = run_in(connected, "suspend", "--org", "primary")
    assert "acme-dr: Active" in result.stdout
    assert "suspend the other end as well" in result.stderr


def test_bulk_sync_cutoffs(connected: Path) -> None:
    """BLK-1: a year back by default, earlier only where the manifest allows it; the way back only in two-way sync."""
    result = run_in(connected, "bulk-sync", "--since", "2001-01-01")
    assert result.exit_code == 64
    assert "bulk_sync.max_age" in result.stderr
    assert run_in(connected, "bulk-sync", "--since", "365d").exit_code == 0
    manifest = connected / "manifests" / "connection.yaml"
    manifest.write_text(
        manifest.read_text().replace("direction: two-way", "direction: one-way\nbulk_sync: {max_age: none}")
    )
    assert run_in(connected, "bulk-sync", "--since", "2001-01-01").exit_code == 0
    assert "one-way" in run_in(connected, "bulk-sync", "--from", "secondary").stderr


def test_bulk_sync_limit_counts_all_objects(connected: Path) -> None:
    """BLK-1, BLK-2: --limit is a total; what is linked is not copied again."""
    sql(connected, "acme", "INSERT INTO \"Account\" (\"Name\") VALUES ('A'), ('B'), ('C')")
    first = json.loads(run_in(connected, "bulk-sync", "--limit", "2", "--format", "json").stdout)
    second = json.loads(run_in(connected, "bulk-sync", "--format", "json").stdout)
    assert sum(item["copied"] for item in first["objects"]) == 2
    assert sum(item["copied"] for item in second["objects"]) == 1
    assert second["seconds"] >= 0


def test_bulk_sync_of_an_object_that_does_not_flow(connected: Path) -> None:
    """BLK-1: an object that is not published is a usage error that says what to do."""
    result = run_in(connected, "bulk-sync", "--object", "Lead")
    assert result.exit_code == 64
    assert "add a Publication" in result.stderr


def test_apply_names_the_next_step(fresh: Path) -> None:
    """BLK-8: after publishing, the bulk sync to run is named."""
    result = run_in(fresh, "apply", "--yes")
    assert result.exit_code == 0
    assert "Applied: " in result.stdout
    assert "Next: run orgsync bulk-sync acme-link" in result.stderr


def test_metadata_and_users_on_demand(connected: Path, tmp_path: Path) -> None:
    """MET-8, USR-7: a field that the primary gained follows by one command, and so does a user."""
    fields = tmp_path / "project" / "objects" / "Account" / "fields"
    fields.mkdir(parents=True)
    (fields / "Rank__c.field-meta.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<CustomField xmlns="http://soap.sforce.com/2006/04/metadata">'
        "<fullName>Rank__c</fullName><label>Rank</label><length>10</length><type>Text</type></CustomField>\n"
    )
    assert run_in(connected, "org", "import", "acme", str(tmp_path / "project")).exit_code == 0
    result = run_in(connected, "metadata", "sync")
    assert result.exit_code == 0, result.stderr
    assert "CustomField:Account.Rank__c" in result.stdout
    assert sql(connected, "acme-dr", 'SELECT "Rank__c" FROM "Account" LIMIT 1') == [(None,)]
    assert "in step" in run_in(connected, "metadata", "sync").stdout
    sql(
        connected,
        "acme",
        'INSERT INTO "User" ("Username", "LastName", "Email", "Alias", "CommunityNickname", "ProfileId")'
        " SELECT 'ann@acme.example', 'Lee', 'ann@acme.example', 'ann', 'ann', \"ProfileId\" FROM \"User\" LIMIT 1",
    )
    assert "from primary: 1 copied" in run_in(connected, "users", "sync").stdout
    assert len(sql(connected, "acme-dr", 'SELECT 1 FROM "User" WHERE "Username" = \'ann@acme.example.dr\'')) == 1


def _resize_rank(folder: Path, length: int) -> None:
    """Deploys Account.Rank__c with this length to the primary."""
    fields = folder / "project" / "objects" / "Account" / "fields"
    fields.mkdir(parents=True, exist_ok=True)
    (fields / "Rank__c.field-meta.xml").write_text(
        '<CustomField xmlns="http://soap.sforce.com/2006/04/metadata"><fullName>Rank__c</fullName>'
        f"<label>Rank</label><length>{length}</length><type>Text</type></CustomField>"
    )
    assert run_in(folder, "org", "import", "acme", "project").exit_code == 0


def test_a_resized_field_drops_out_and_comes_back(connected: Path) -> None:
    """PUB-8: the drain says that the field unsubscribed itself, the plan why; apply brings both orgs in step again."""
    _resize_rank(connected, 10)
    assert run_in(connected, "apply", "--yes").exit_code == 0
    _resize_rank(connected, 20)
    sql(connected, "acme", 'UPDATE "Account" SET "Rank__c" = \'longer than 10\' WHERE "Name" = \'One\'')
    drained = run_in(connected, "drain")
    assert "Account.Rank__c is no longer subscribed: changed in acme from text(10) to text(20)" in drained.stderr
    assert "text(20)" in run_in(connected, "plan").stdout
    assert run_in(connected, "apply", "--yes").exit_code == 0
    assert "No changes." in run_in(connected, "plan").stdout
    sql(connected, "acme", 'UPDATE "Account" SET "Rank__c" = \'still longer than 10\' WHERE "Name" = \'Two\'')
    assert run_in(connected, "drain").exit_code == 0
    found = sql(connected, "acme-dr", 'SELECT "Rank__c" FROM "Account" WHERE "Name" = \'Two\'')
    assert found == [("still longer than 10",)]


def test_metadata_sync_before_apply_is_refused(fresh: Path) -> None:
    """MET-8: without a connection there is nothing to bring in step, and nothing is connected by the way."""
    result = run_in(fresh, "metadata", "sync")
    assert result.exit_code == 1
    assert "run: orgsync apply" in result.stderr
    assert status(fresh)["status"] == "Not connected"


def test_org_load_keeps_all_or_what_it_can(fresh: Path) -> None:
    """ORG-8: a bad record keeps everything out with 1; with --keep-going only itself, with 5."""
    (fresh / "Account.csv").write_text("Name,NumberOfEmployees\nGood,3\nBad,many\n")
    result = run_in(fresh, "org", "load", "acme", "Account.csv")
    assert result.exit_code == 1
    assert "NumberOfEmployees" in result.stderr
    assert sql(fresh, "acme", 'SELECT count(*) FROM "Account"') == [(0,)]
    assert run_in(fresh, "org", "load", "acme", "Account.csv", "--keep-going").exit_code == 5
    assert sql(fresh, "acme", 'SELECT "Name" FROM "Account"') == [("Good",)]


def test_org_check_finds_dirt(fresh: Path) -> None:
    """ORG-10: duplicates are found, also when the org is named by its address."""
    sql(fresh, "acme", "INSERT INTO \"Account\" (\"Name\") VALUES ('Twin'), ('Twin')")
    assert "duplicate" in run_in(fresh, "org", "check", "sqlite:orgs/acme.db").stdout
    assert "Nothing found" in run_in(fresh, "org", "check", "acme-dr").stdout


def test_a_connection_has_to_be_named_where_there_are_two(fresh: Path) -> None:
    """CON-10: with several connections a command asks for one of them."""
    second = (fresh / "manifests" / "connection.yaml").read_text().split("---\n")[2].replace("acme-link", "other")
    (fresh / "manifests" / "other.yaml").write_text(second)
    (fresh / "manifests" / "lead.yaml").write_text(publication("Lead").replace("acme-link", "other"))
    result = run_in(fresh, "drain")
    assert result.exit_code == 64
    assert "name one of: acme-link, other" in result.stderr


def test_removing_a_connection_from_the_manifests_plans_its_end(connected: Path) -> None:
    """CON-9: it is planned, refused without its allowance, and carried out with it."""
    for path in (connected / "manifests").iterdir():
        if path.name != "connection.yaml":
            path.unlink()
    manifest = connected / "manifests" / "connection.yaml"
    manifest.write_text("---\n".join(manifest.read_text().split("---\n")[:2]))
    planned = run_in(connected, "plan")
    assert "deactivate" in planned.stdout
    assert run_in(connected, "apply", "--yes").exit_code == 3
    assert run_in(connected, "apply", "--yes", "--allow", "deactivate").exit_code == 0
    assert sql(connected, "acme", 'SELECT "ConnectionStatus" FROM "PartnerNetworkConnection"') == [("Inactive",)]
