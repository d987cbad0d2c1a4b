"""What reports find: periods, groups, filters, related records, and whose log it is (LOG-4)."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_world import insert, log, report, run_in
from two_orgs import sql

pytestmark = pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")


def found(folder: Path, *args: str) -> dict[str, Any]:
    (only,) = json.loads(report(folder, *args, "--format", "json"))["reports"]
    return dict(only)


def moments(folder: Path, *args: str) -> list[str]:
    return [entry["at"][:16] for entry in found(folder, *args)["entries"]]


def groups(folder: Path, *args: str) -> dict[str, int]:
    return {item["key"]: item["total"] for item in found(folder, *args)["groups"]}


def test_last_24_hours_of_both_orgs_newest_first(logged: Path) -> None:
    """LOG-4: an entry of 24 hours ago is part of it, one from a millisecond earlier is not; this moment's is."""
    assert moments(logged, "last-24-hours") == [
        "2026-03-10T12:00",
        "2026-03-10T11:30",
        "2026-03-10T11:00",
        "2026-03-10T10:30",
        "2026-03-09T12:00",
    ]


def test_the_same_report_differs_by_org(logged: Path) -> None:
    """LOG-4: each org logs what it sends."""
    assert groups(logged, "by-object", "--org", "primary") == {"Account": 2, "Contact": 2, "Lead": 1}
    assert groups(logged, "by-object", "--org", "secondary") == {"Contact": 2}
    both = found(logged, "by-object")
    assert both["totals"] == {"acme": 5, "acme-dr": 2}
    assert both["groups"][0] == {"key": "Contact", "counts": {"acme": 2, "acme-dr": 2}, "total": 4}


@pytest.mark.files_only
def test_only_the_org_that_is_asked_for_has_to_be_there(logged: Path) -> None:
    """LOG-4: a report on the secondary's log can be had while the primary is away."""
    (logged / "orgs" / "acme.db").unlink()
    assert groups(logged, "by-object", "--org", "secondary") == {"Contact": 2}
    assert run_in(logged, "log", "report", "by-object").exit_code == 1


def test_by_field_type(logged: Path) -> None:
    """LOG-4: entries by field type; those without one are a group of their own."""
    assert groups(logged, "by-field-type") == {"text": 3, "email": 2, "": 1, "phone": 1}
    assert "(none)" in report(logged, "by-field-type")


def test_a_date_range(logged: Path) -> None:
    """LOG-4: from a moment on, up to another one that is not part of it; ages count from now."""
    assert moments(logged, "last-24-hours", "--since", "2026-03-09", "--until", "2026-03-10") == [
        "2026-03-09T12:00",
        "2026-03-09T11:59",
    ]
    assert moments(logged, "last-24-hours", "--since", "100d", "--until", "2d") == ["2026-01-01T00:00"]
    result = run_in(logged, "log", "report", "last-24-hours", "--since", "1d", "--until", "2d")
    assert (result.exit_code, result.stdout) == (64, "")
    assert "ends at 2026-03-08 12:00, before it begins; choose an earlier --since" in result.stderr


def test_stretches_of_time_have_no_gaps(logged: Path) -> None:
    """LOG-4: an hour or a day in which nothing happened is shown with none."""
    hours = groups(logged, "by-hour")
    assert len(hours) == 25
    assert {key: number for key, number in hours.items() if number} == {
        "2026-03-09T12": 1,
        "2026-03-10T10": 1,
        "2026-03-10T11": 2,
        "2026-03-10T12": 1,
    }
    assert list(hours) == sorted(hours)
    assert len(groups(logged, "by-day")) == 31


def test_a_report_of_the_manifests(logged: Path) -> None:
    """LOG-4: its own columns, filter, period and org; the options narrow it; a ready-made one of its name is replaced."""
    (logged / "manifests" / "report.yaml").write_text(
        "version: 1\nkind: Report\nname: by-object\ntitle: Contacts\nconnection: acme-link\norg: primary\nsince: null\n"
        "where: object = 'contact' AND at >= 2026-03-09\ncolumns: [number, at, field_type]\n"
    )
    assert found(logged, "by-object")["entries"] == [
        {"number": 3, "at": "2026-03-09T12:00:00.000Z", "field_type": "email"},
        {"number": 2, "at": "2026-03-09T11:59:59.999Z", "field_type": "email"},
    ]
    assert moments(logged, "by-object", "--where", "number > 2 OR Name = 'x'") == ["2026-03-09T12:00"]
    assert ("by-object", "Contacts") in [tuple(line.split(None, 1)) for line in report(logged, "--list").splitlines()]


def test_months(logged: Path) -> None:
    """LOG-4: months, the quiet one between them too."""
    (logged / "manifests" / "report.yaml").write_text(
        "version: 1\nkind: Report\nname: monthly\nconnection: acme-link\nsince: null\ngroup_by: month\n"
    )
    assert groups(logged, "monthly") == {"2026-01": 1, "2026-02": 0, "2026-03": 6}


def test_entries_related_to_an_account(work: Path) -> None:
    """LOG-4: for the account itself and for all whose lookups lead to it, over a parent too; nothing else."""
    account = insert(work, "acme", "Account", Name="Wexford")
    contact = insert(work, "acme", "Contact", LastName="Keane", AccountId=account)
    case = insert(work, "acme", "Case", Subject="Late", AccountId=account)
    related = {
        "Account": account,
        "Contact": contact,
        "Case": case,
        "CaseComment": insert(work, "acme", "CaseComment", ParentId=case, CommentBody="?"),
        "Opportunity": insert(
            work, "acme", "Opportunity", Name="O", StageName="Closed Won", CloseDate="2026-01-01", AccountId=account
        ),
        "Task": insert(work, "acme", "Task", Subject="T", WhatId=account),
    }
    over_a_case = ("Task", insert(work, "acme", "Task", Subject="T", WhatId=case))
    unrelated = {
        "Lead": insert(work, "acme", "Lead", LastName="L", Company="C"),
        "Case": insert(work, "acme", "Case", Subject="Alone"),
        "Task": insert(work, "acme", "Task", Subject="T"),
    }
    all_of_them = [*related.items(), over_a_case, *unrelated.items()]
    entries = [{"object": name, "record": record} for name, record in all_of_them]
    entries.append({"object": "User", "record": "ann@acme.example"})
    log(work, "acme", [{"at": "2026-03-08T00:00:00.000Z", **entry} for entry in entries])
    log(work, "acme", [{"at": "2026-03-02T00:00:00.000Z", "object": "Account", "record": account}])
    rows = found(work, "account-last-week")["entries"]
    expected = {*related.items(), over_a_case}
    assert {(row["object"], row["record"]) for row in rows} == expected
    assert {row["related_name"] for row in rows} == {"Wexford"}
    (work / "manifests" / "report.yaml").write_text(
        "version: 1\nkind: Report\nname: worst\nconnection: acme-link\nrelated_to: Account\ngroup_by: related\n"
    )
    assert groups(work, "worst") == {account: len(expected)}


def test_an_object_that_is_not_there(logged: Path) -> None:
    """LOG-4: said with its org."""
    (logged / "manifests" / "report.yaml").write_text(
        "version: 1\nkind: Report\nname: mine\nconnection: acme-link\nrelated_to: Berth__c\n"
    )
    result = run_in(logged, "log", "report", "mine")
    assert (result.exit_code, result.stdout) == (64, "")
    assert "acme: there is no object Berth__c" in result.stderr


def test_what_is_asked_for_wrongly(logged: Path) -> None:
    """LOG-4: an unknown report, a filter that is none, a value that does not fit; nothing on standard output."""
    for args, words in (
        (["by-objekt"], "there is no report 'by-objekt'; did you mean by-object?"),
        (["by-object", "--where", "status = Failed"], "filter, column 10: Failed is no value"),
        (["by-object", "--where", "at = 'x'"], "filter, column 6: at has moments"),
        (["by-object", "--where", "1 = 1"], "expected a field's API name"),
        (["by-object", "by-day", "--format", "csv"], "CSV is one table"),
        (["by-object", "--list"], "--list lists all reports"),
        (["by-object", "--connection", "other"], "there is no connection 'other'"),
    ):
        result = run_in(logged, "log", "report", *args)
        assert (result.exit_code, result.stdout) == (64, ""), args
        assert words in result.stderr


def test_filters_are_values_never_sql(logged: Path) -> None:
    """LOG-4: a text that would be SQL finds what it says, and nothing happens to the log."""
    assert groups(logged, "by-object", "--where", "description = ''' OR 1=1 --'") == {}
    assert sql(logged, "acme", 'SELECT count(*) FROM "PartnerNetworkSyncLog"') == [(5,)]


def test_deleted_entries_and_other_connections_are_left_out(logged: Path) -> None:
    """LOG-4, CON-10: only what the connection logged, less what was deleted."""
    sql(logged, "acme", 'DELETE FROM "PartnerNetworkSyncLog" WHERE "EntityType" = \'Lead\'')
    sql(
        logged,
        "acme",
        'UPDATE "PartnerNetworkSyncLog" SET "ConnectionId" = NULL WHERE "FieldType" = \'email\'',
    )
    assert groups(logged, "by-object", "--org", "primary") == {"Account": 2}


_ENTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "minutes": st.integers(0, 4000),
            "object": st.sampled_from(["Account", "Contact", "Lead"]),
            "status": st.sampled_from(["Failed", "Retrying"]),
        }
    ),
    max_size=12,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=_ENTRIES, hours=st.integers(1, 60))
def test_groups_and_lists_agree_with_a_count_by_hand(work: Path, entries: list[dict[str, Any]], hours: int) -> None:
    """LOG-4: whatever the log holds, the table of groups, the list and a count in Python are the same."""
    sql(work, "acme", 'DELETE FROM "PartnerNetworkSyncLog"')
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    for entry in entries:
        entry["at"] = (now - timedelta(minutes=entry["minutes"])).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    log(work, "acme", entries)
    wanted = [
        entry
        for entry in entries
        if entry["minutes"] <= hours * 60 and (entry["object"], entry["status"]) != ("Lead", "Failed")
    ]
    args = ("--since", f"{hours}h", "--where", "NOT (object = 'Lead' AND status = 'Failed')")
    assert groups(work, "by-object", *args) == Counter(entry["object"] for entry in wanted)
    assert sum(groups(work, "by-day", *args).values()) == len(wanted)
    listed = list(csv.DictReader(io.StringIO(report(work, "last-24-hours", *args, "--format", "csv"))))
    assert Counter(row["object"] for row in listed) == Counter(entry["object"] for entry in wanted)
