"""The connection's page: settings, the first of the queue, the latest of log and history, in all formats (CON-12)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from two_orgs import run_in, sql


def page(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(run_in(folder, "status", "--format", "json").stdout)["connections"][0]
    return document


def refused(folder: Path) -> None:
    """A record waits, and one has been refused."""
    refuse = (
        'CREATE TRIGGER refuse BEFORE INSERT ON "Account" WHEN NEW."Name" = \'C\''
        " BEGIN SELECT RAISE(ABORT, 'no C | here'); END"
    )
    sql(folder, "acme-dr", refuse)
    sql(folder, "acme", 'INSERT INTO "Account" ("Name") VALUES (\'C\')')
    assert run_in(folder, "drain").exit_code == 5


def test_the_page_has_settings_queue_log_and_history(connected: Path) -> None:
    """CON-12: what `queue list`, `log list` and `history` begin with stands on the page, as they show it."""
    refused(connected)
    found = page(connected)
    assert found["settings"]["conflicts"] == "primary-wins"
    assert found["settings"]["retry"] == "60,300,1800,7200,28800"
    assert found["settings"]["guards"] == "disconnect=0.3,overwrite=0.3"
    assert "notify" not in found["settings"]
    for key, command, name in (
        ("queued", ("queue", "list"), "items"),
        ("latest_log", ("log", "list"), "entries"),
        ("latest_history", ("history",), "history"),
    ):
        whole = json.loads(run_in(connected, *command, "--format", "json").stdout)[name]
        assert found[key]
        assert found[key] == whole[:5]
    assert found["primary"]["partner_subscribed"] == ["Account", "Contact"]


@pytest.mark.parametrize("format_", ["text", "markdown"])
def test_people_read_the_same(connected: Path, format_: str) -> None:
    """CON-12: in a terminal and in Markdown; where there is nothing to list, nothing is said."""
    assert "Waits to be sent" not in run_in(connected, "status", "--format", format_).stdout
    refused(connected)
    text = run_in(connected, "status", "--format", format_).stdout
    for part in (
        "admin@acme.example",
        "Elise Medina",
        "conflicts primary-wins",
        "retry after 1 min, 5 min, 30 min, 2 h, 8 h",
        "Waits to be sent",
        "Latest in the log",
        "Latest in the history",
        "no C | here" if format_ == "text" else "no C \\| here",
    ):
        assert part in text


def test_an_object_that_the_other_org_has_not_taken(connected: Path) -> None:
    """CON-12, PUB-7: published, and the partner has not told that it subscribed."""
    assert "not taken" not in run_in(connected, "status").stdout
    sql(connected, "acme", "UPDATE orgsync_published SET partner_sub = 0 WHERE object = 'Contact'")
    assert "not taken   Contact: the other org has not told" in run_in(connected, "status").stdout


@pytest.mark.parametrize("width", [80, 120])
def test_facts_fit_the_terminal(connected: Path, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """CON-12: long facts go on below their beginning."""
    monkeypatch.setenv("COLUMNS", str(width))
    facts = run_in(connected, "status").stdout.split("Latest in the history")[0]
    assert max(map(len, facts.splitlines())) <= width
    assert any(line.startswith(" " * 14 + "min") or "8 h" in line for line in facts.splitlines())


def test_history_says_who_told(connected: Path) -> None:
    """CON-12, QUE-2: the partner's suspend and resume are no empty lines."""
    assert run_in(connected, "suspend", "--org", "primary").exit_code == 0
    assert run_in(connected, "resume", "--org", "primary").exit_code == 0
    run_in(connected, "drain")
    lines = run_in(connected, "history").stdout.splitlines()
    carried = [line for line in lines if "acme-dr" in line and "Connection Admin" in line]
    assert carried
    assert all(line.endswith("  told by acme") for line in carried)
    assert not any("told by" in line for line in lines if "Connection Status" in line)
    assert page(connected)["status"] == "Active"
    run_in(connected, "suspend", "--org", "secondary")
    hidden = page(connected)["secondary"]
    assert (hidden["published"], hidden["partner_subscribed"], hidden["subscribed"]) == (None, None, None)
    assert "hidden while suspended" in run_in(connected, "status", "--format", "markdown").stdout
