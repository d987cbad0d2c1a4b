"""How far the other org is behind, and what would be lost (RTE-2)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from failover_world import document, set_up
from two_orgs import must, run_in, sql

ABLE = (
    'INSERT INTO orgsync_login (user_id, password) SELECT "Id", \'scrypt\' FROM "User" WHERE true'
    " ON CONFLICT (user_id) DO UPDATE SET password = 'scrypt'"
)


@pytest.fixture
def ready(work: Path) -> Path:
    """Orgs that agree, whose users all have a password in the secondary."""
    sql(work, "acme-dr", ABLE)
    return work


def drill(folder: Path, *args: str, **environment: str) -> dict[str, Any]:
    return document(folder, "failover", "drill", *args, **environment)


def after(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_status_per_direction_and_object(work: Path) -> None:
    """RTE-2: records and seconds, both ways; failed ones and lookups that wait; when both were seen to agree."""
    assert document(work, "failover", "status")["verified"] is None
    must(work, "verify", ORGSYNC_NOW="2026-03-10T12:00:00Z")
    sql(work, "acme", 'INSERT INTO "Account" ("Name") VALUES (\'Three\')')
    sql(work, "acme", 'UPDATE "Account" SET "Phone" = \'1\' WHERE "Name" = \'One\'')
    sql(work, "acme-dr", 'UPDATE "Account" SET "Fax" = \'2\' WHERE "Name" = \'Two\'')
    found = document(work, "failover", "status", ORGSYNC_NOW=after(100))
    assert found["verified"] == "2026-03-10T12:00:00.000Z"
    assert (found["primary"]["behind"], found["secondary"]["behind"]) == (2, 1)
    assert 99 <= found["primary"]["seconds"] <= 160
    (account,) = found["primary"]["objects"]
    assert {name: account[name] for name in ("object", "pending", "retrying", "failed", "waiting")} == {
        "object": "Account",
        "pending": 2,
        "retrying": 0,
        "failed": 0,
        "waiting": 0,
    }
    text = must(work, "failover", "status").stdout
    assert "acme → acme-dr: Active, behind by 2 records" in text
    must(work, "drain")
    assert document(work, "failover", "status")["primary"]["behind"] == 0


def test_a_difference_is_no_agreement(work: Path) -> None:
    """RTE-2: only a comparison of everything that found nothing counts."""
    must(work, "verify", "--object", "Account")
    assert document(work, "failover", "status")["verified"] is None
    sql(work, "acme", 'UPDATE "Account" SET "Phone" = \'1\' WHERE "Name" = \'One\'')
    must(work, "verify")
    assert document(work, "failover", "status")["verified"] is None


def test_ready(ready: Path) -> None:
    """RTE-2: nothing would be lost, and everybody can log in; what people do by hand is no obstacle."""
    set_up(ready, "integrations: [{name: Web form, note: Repoint it}]\n")
    found = drill(ready, "--detailed-exitcode")
    assert (found["ready"], found["blockers"], found["lost"], found["records"]) == (True, [], 0, [])
    assert found["tasks"] == ["repoint Web form"]
    assert found["users"]["synced"] == 3
    result = run_in(ready, "failover", "drill", "--detailed-exitcode")
    assert result.exit_code == 0
    assert "No record would be lost." in result.stdout
    assert "Verdict: ready" in result.stdout


def test_what_would_be_lost(ready: Path) -> None:
    """RTE-2: never copied, not sent, and failed records, counted per object and listed, each once."""
    sql(ready, "acme", 'UPDATE "Account" SET "Phone" = \'1\' WHERE "Name" = \'One\'')
    sql(ready, "acme", "INSERT INTO \"Account\" (\"Name\") VALUES ('Three'), ('Four')")
    link = 'DELETE FROM orgsync_link WHERE local = (SELECT "Id" FROM "Account" WHERE "Name" = \'Two\')'
    sql(ready, "acme", link)
    found = drill(ready)
    (account,) = found["objects"]
    counts = {name: account[name] for name in ("never_copied", "changed", "retrying", "failed")}
    assert counts == {"never_copied": 1, "changed": 3, "retrying": 0, "failed": 0}
    assert found["lost"] == 4
    assert sorted(item["why"] for item in found["records"]) == [
        "never copied",
        "not sent yet: Generic Insert",
        "not sent yet: Generic Insert",
        "not sent yet: Generic Update",
    ]
    assert len({item["record"] for item in found["records"]}) == 4
    assert found["blockers"] == ["1 record never copied"]
    assert len(drill(ready, "--limit", "2")["records"]) == 2
    assert "… and 2 more" in run_in(ready, "failover", "drill", "--limit", "2").stdout


def test_changes_on_their_way_do_not_count_until_they_are_late(ready: Path) -> None:
    """RTE-2: younger than `behind` is normal life, older is not."""
    set_up(ready, "behind: 1m\n")
    sql(ready, "acme", 'UPDATE "Account" SET "Phone" = \'1\' WHERE "Name" = \'One\'')
    assert drill(ready, ORGSYNC_NOW=after(30))["ready"]
    late = drill(ready, ORGSYNC_NOW=after(62))
    assert not late["ready"]
    assert late["blockers"][0].startswith("1 change not sent, the oldest for 6")


def test_refused_records_are_lost(ready: Path) -> None:
    """RTE-2: what the secondary refuses would not be there."""
    sql(ready, "acme-dr", "CREATE TRIGGER no BEFORE UPDATE ON \"Account\" BEGIN SELECT RAISE(ABORT, 'no'); END")
    sql(ready, "acme", 'UPDATE "Account" SET "Phone" = \'1\' WHERE "Name" = \'One\'')
    run_in(ready, "drain")
    found = drill(ready)
    assert found["blockers"] == ["1 record refused by the secondary"]
    assert found["objects"][0]["retrying"] == 1
    assert found["records"][0]["why"].startswith("refused so far: ")


def test_users_who_could_not_log_in(work: Path) -> None:
    """RTE-2, USR-8: users of the secondary that never set a password there."""
    found = drill(work)
    assert found["users"] == {
        "synced": 3,
        "without_password": 3,
        "names": ["admin@acme.example.dr", "ann@acme.example.dr", "bob@acme.example.dr"],
    }
    assert found["blockers"] == ["3 of 3 users could not log in: they have no password there"]
    sql(work, "acme-dr", f"{ABLE}")
    sql(
        work,
        "acme-dr",
        'DELETE FROM orgsync_login WHERE user_id = (SELECT "Id" FROM "User" WHERE "Username" LIKE \'ann%\')',
    )
    assert drill(work)["users"]["names"] == ["ann@acme.example.dr"]


def test_publications_that_are_missing(ready: Path) -> None:
    """RTE-2: declared and not applied stands in the way; not declared, with records, is said."""
    sql(ready, "acme", 'INSERT INTO "Lead" ("LastName", "Company") VALUES (\'L\', \'C\')')
    assert drill(ready)["not_published"] == [{"object": "Contact", "records": 1}, {"object": "Lead", "records": 1}]
    (ready / "manifests" / "lead.yaml").write_text(
        "version: 1\nkind: Publication\nconnection: acme-link\nobject: Lead\n"
    )
    found = drill(ready)
    assert "acme-link/publication/Lead" in found["not_applied"]
    assert not found["ready"]
    assert run_in(ready, "failover", "drill", "--detailed-exitcode").exit_code == 2
    assert run_in(ready, "failover", "drill").exit_code == 0


def test_a_connection_that_does_not_flow(ready: Path) -> None:
    """RTE-2: suspended is not ready."""
    must(ready, "suspend")
    assert "the connection is Suspended in acme" in drill(ready)["blockers"]


def test_a_drill_changes_nothing(ready: Path) -> None:
    """RTE-2: both files stay as they are, byte for byte."""
    sql(ready, "acme", 'UPDATE "Account" SET "Phone" = \'1\' WHERE "Name" = \'One\'')
    for store in ("acme", "acme-dr"):
        sql(ready, store, "PRAGMA wal_checkpoint(TRUNCATE)")

    def state() -> list[str]:
        return [
            hashlib.sha256((ready / "orgs" / f"{name}.db").read_bytes()).hexdigest() for name in ("acme", "acme-dr")
        ]

    before = state()
    drill(ready)
    document(ready, "failover", "status")
    assert state() == before


def test_a_drill_needs_both_orgs(ready: Path) -> None:
    """RTE-2: with one away it says what can be asked instead."""
    (ready / "orgs" / "acme.db").unlink()
    result = run_in(ready, "failover", "drill")
    assert (result.exit_code, "see orgsync failover status acme-link" in result.stderr) == (1, True)
