"""`forward` and `sharing` at the program's edge: documents, exit codes, permissions, status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from program import publication
from two_orgs import run_in, sql

from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql.schema import deploy_objects
from orgsync_reconcile.stores.sqlite.handle import open_org


def old_account(folder: Path, name: str) -> str:
    """An account of the primary that no drain takes; returns its Id."""
    rows = sql(
        folder,
        "acme",
        f'INSERT INTO "Account" ("Name", "CreatedDate") VALUES (\'{name}\', \'2020-01-01T00:00:00.000Z\')',
        "DELETE FROM orgsync_change",
        f'SELECT "Id" FROM "Account" WHERE "Name" = \'{name}\'',
    )
    return str(rows[0][0])


def test_forward_and_sharing(connected: Path) -> None:
    """FWD-1, FWD-4: an old record is sent by its Id; its sharing status names the partner's record and the time."""
    account = old_account(connected, "Old")
    before = run_in(connected, "sharing", account)
    assert before.exit_code == 0
    assert "Not shared" in before.stdout
    done = run_in(connected, "forward", "acme-link", "Account", account, "--format", "json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert (document["asked"], document["along"], document["restored"]) == (1, 0, 0)
    assert document["objects"][0]["copied"] == 1
    ((there,),) = sql(connected, "acme-dr", 'SELECT "Id" FROM "Account" WHERE "Name" = \'Old\'')
    (share,) = json.loads(run_in(connected, "sharing", account[:15], "--format", "json").stdout)["shares"]
    assert share | {"since": ""} == {
        "org": "acme",
        "connection": "acme-link",
        "object": "Account",
        "record": account,
        "partner_org": "acme-dr",
        "partner_record": there,
        "direction": "Sent",
        "since": "",
        "status": "Active",
    }
    assert share["since"][:4].isdigit()
    (other,) = json.loads(run_in(connected, "sharing", str(there), "--format", "json").stdout)["shares"]
    assert (other["org"], other["partner_record"], other["direction"]) == ("acme-dr", account, "Received")


def test_forward_by_filter_with_related(connected: Path) -> None:
    """FWD-1: by filter and with related records; what there is nothing of says so."""
    account = old_account(connected, "Old")
    sql(
        connected,
        "acme",
        'INSERT INTO "Contact" ("LastName", "AccountId", "CreatedDate")'
        f" VALUES ('Person', '{account}', '2020-01-01T00:00:00.000Z')",
        "DELETE FROM orgsync_change",
    )
    args = ("forward", "acme-link", "Account", "--where", "Name = 'old'", "--related", "Contact")
    done = run_in(connected, *args)
    assert done.exit_code == 0, done.output
    assert "1 record below them went along" in done.stderr
    found = 'SELECT "AccountId" IS NOT NULL FROM "Contact" WHERE "LastName" = \'Person\''
    assert sql(connected, "acme-dr", found) == [(1,)]
    assert run_in(connected, *args).stdout == "The other org has all of it already.\n"
    assert "No record satisfies" in run_in(connected, "forward", "acme-link", "Account", "--where", "Name = 'q'").stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("Account",), "name records by their Ids"),
        (("Account", "001000000000001AAA", "--where", "Name = 'x'"), "not both"),
        (("Account", "nonsense"), "'nonsense' is no record Id"),
        (("Account", "001000000000001AAA"), "001000000000001AAA is no Account of this org"),
        (("Account", "--where", "Nam = 1"), "filter, column 1: Account has no field Nam; did you mean Name"),
        (("Acount", "--where", "Name = 'x'"), "did you mean Account"),
    ],
)
def test_mistakes_are_usage_errors(connected: Path, args: tuple[str, ...], message: str) -> None:
    """FWD-1: one line that says what and what next, exit code 64, nothing on standard output."""
    result = run_in(connected, "forward", "acme-link", *args)
    assert result.exit_code == 64
    assert message in result.stderr
    assert result.stdout == ""


def test_forward_asks_for_manage_connections(connected: Path) -> None:
    """FWD-1, CON-11: who acts in either org must be allowed to manage connections; nothing is sent otherwise."""
    account = old_account(connected, "Old")
    sql(connected, "acme-dr", "DELETE FROM orgsync_grant WHERE permission = 'ManageConnections'")
    result = run_in(connected, "forward", "acme-link", "Account", account)
    assert result.exit_code == 1
    assert "lacks ManageConnections" in result.stderr
    assert sql(connected, "acme-dr", 'SELECT 1 FROM "Account" WHERE "Name" = \'Old\'') == []


def test_sharing_asks_for_read(connected: Path) -> None:
    """FWD-4: who acts must be allowed to read the record: all of them, or those of its object."""
    account = old_account(connected, "Old")
    sql(connected, "acme", "DELETE FROM orgsync_grant WHERE permission IN ('ViewAllData', 'ModifyAllData')")
    refused = run_in(connected, "sharing", account)
    assert refused.exit_code == 1
    assert "may not read Account" in refused.stderr
    holder = 'SELECT "Id", \'ReadAccount\' FROM "Profile" WHERE "Name" = \'System Administrator\''
    sql(connected, "acme", f"INSERT INTO orgsync_grant {holder}")
    assert run_in(connected, "sharing", account).exit_code == 0


def test_a_record_that_nobody_has(connected: Path) -> None:
    """FWD-4: an Id that is in no org is a usage error that names the orgs."""
    result = run_in(connected, "sharing", "001000000000001AAA")
    assert result.exit_code == 64
    assert "none of acme, acme-dr has a record" in result.stderr


def test_a_refused_record_exits_with_partial(connected: Path) -> None:
    """FWD-1, QUE-5: exit code 5 where a record stayed behind."""
    account = old_account(connected, "Old")
    sql(
        connected,
        "acme-dr",
        "CREATE TRIGGER stop BEFORE INSERT ON \"Account\" BEGIN SELECT RAISE(ABORT, 'REQUIRED_FIELD_MISSING:Name: no'); END",
    )
    result = run_in(connected, "forward", "acme-link", "Account", account)
    assert result.exit_code == 5
    assert run_in(connected, "sharing", account).stdout.count("Retrying") == 1


def test_severed_records_are_seen_and_restored(fresh: Path) -> None:
    """LKP-5: one-way, an undelete in the secondary is seen at once in sharing and status; a forward mends it."""
    file = fresh / "manifests" / "connection.yaml"
    file.write_text(file.read_text().replace("direction: two-way", "direction: one-way"))
    (fresh / "manifests" / "account.yaml").write_text(publication("Account"))
    assert run_in(fresh, "apply", "--yes").exit_code == 0
    ((account,),) = sql(
        fresh,
        "acme",
        'INSERT INTO "Account" ("Name") VALUES (\'One\')',
        'SELECT "Id" FROM "Account" WHERE "Name" = \'One\'',
    )
    run_in(fresh, "drain")
    sql(fresh, "acme", 'DELETE FROM "Account" WHERE "Name" = \'One\'')
    run_in(fresh, "drain")
    sql(fresh, "acme-dr", 'UPDATE "Account" SET "IsDeleted" = 0 WHERE "Name" = \'One\'')
    assert "Severed" in run_in(fresh, "sharing", str(account)).stdout
    run_in(fresh, "drain")
    status = run_in(fresh, "status")
    assert status.stdout.count("severed     1 record, until forwarded") == 2
    refused = run_in(fresh, "forward", "acme-link", "Account", str(account))
    assert "is deleted" in refused.stderr
    sql(fresh, "acme", 'UPDATE "Account" SET "IsDeleted" = 0 WHERE "Name" = \'One\'')
    done = run_in(fresh, "forward", "acme-link", "Account", str(account))
    assert done.exit_code == 0
    assert "1 link restored" in done.stderr
    assert "Active" in run_in(fresh, "sharing", str(account)).stdout
    assert "severed" not in run_in(fresh, "status").stdout


def test_match_on_of_a_manifest(fresh: Path) -> None:
    """BLK-6: a Publication's match_on links what both orgs had before, through apply and bulk sync."""
    key = FieldDef(name="Code__c", type=FieldType.TEXT, length=20, external_id=True, custom=True)
    title = FieldDef(name="Name", type=FieldType.TEXT, length=80, name_field=True)
    part = ObjectDef(name="Part__c", key_prefix="a0P", custom=True, fields={"Name": title, "Code__c": key})
    for store, name in (("acme", "Ours"), ("acme-dr", "Theirs")):
        with open_org(fresh / "orgs" / f"{store}.db") as org:
            deploy_objects(org, [part])
        sql(fresh, store, f'INSERT INTO "Part__c" ("Name", "Code__c") VALUES (\'{name}\', \'7\')')
    (fresh / "manifests" / "part.yaml").write_text(publication("Part__c") + "match_on: Code__c\n")
    assert run_in(fresh, "apply", "--yes").exit_code == 0
    moved = json.loads(run_in(fresh, "bulk-sync", "--object", "Part__c", "--format", "json").stdout)
    assert moved["objects"][0]["copied"] == 1
    assert sql(fresh, "acme-dr", 'SELECT "Name" FROM "Part__c"') == [("Ours",)]
    verified = run_in(fresh, "verify", "--detailed-exitcode")
    assert verified.exit_code == 0, verified.output
