"""`orgsync deactivate`: it asks, ends both ends or one, and leaves the records alone (CON-9)."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from two_orgs import must, run_in, sql

from orgsync_reconcile.app.ending import deactivate
from orgsync_reconcile.app.workspace import Workspace
from orgsync_reconcile.errors import PermissionDeniedError
from orgsync_reconcile.model.connection import Side


def statuses(folder: Path) -> list[str]:
    """The connection's status in each org's own table."""
    statement = 'SELECT "ConnectionStatus" FROM "PartnerNetworkConnection"'
    return [str(sql(folder, store, statement)[0][0]) for store in ("acme", "acme-dr")]


def capture_triggers(folder: Path, store: str) -> int:
    statement = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%capture%'"
    return int(sql(folder, store, statement)[0][0])


def test_it_needs_a_terminal_or_yes(joined: Path) -> None:
    """CON-9: without either it is a usage error, says what would end, and changes nothing."""
    sql(joined, "acme", 'UPDATE "Account" SET "Phone" = \'1\' WHERE "Name" = \'One\'')
    result = run_in(joined, "deactivate", "acme-link")
    assert result.exit_code == 64
    assert "run it with --yes" in result.stderr
    assert "acme: 6 records will be disconnected, 1 queued change will never be sent" in result.stderr
    assert statuses(joined) == ["Accepted", "Accepted"]


@pytest.mark.parametrize(("answer", "code", "status"), [(b"n\n", 7, "Accepted"), (b"y\n", 0, "Inactive")])
def test_somebody_at_the_terminal_decides(joined: Path, answer: bytes, code: int, status: str) -> None:
    """CON-9: the question names both orgs; no is exit code 7."""
    leader, follower = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", "orgsync_reconcile", "-C", str(joined), "deactivate"],
        stdin=follower,
        stderr=follower,
        stdout=subprocess.DEVNULL,
    )
    os.close(follower)
    seen = b""
    while b"[y/N]" not in seen:
        seen += os.read(leader, 4096)
    assert b"Deactivate acme-link in acme and acme-dr?" in seen
    os.write(leader, answer)
    assert program.wait(timeout=60) == code
    os.close(leader)
    assert statuses(joined) == [status, status]


def test_both_ends_are_ended(joined: Path) -> None:
    """CON-9: links are disconnected, nothing is captured or sent any more, records stay, the history says so."""
    result = must(joined, "deactivate", "--yes")
    assert result.stdout == "acme: Inactive\nacme-dr: Inactive\n"
    assert "remove it there, or the next apply connects the orgs again" in result.stderr
    for store in ("acme", "acme-dr"):
        assert sql(joined, store, "SELECT DISTINCT status FROM orgsync_link WHERE status <> 3") == [(2,)]
        assert capture_triggers(joined, store) == 0
        assert sql(joined, store, "SELECT count(*) FROM orgsync_published") == [(0,)]
        assert sql(joined, store, 'SELECT count(*) FROM "Account" WHERE "IsDeleted" = 0') == [(3,)]
    events = json.loads(must(joined, "history", "--format", "json").stdout)
    rows = events if isinstance(events, list) else next(iter(events.values()))
    ended = [(item["org"], item["actor"]) for item in rows if item["event"] == "Connection Deactivate"]
    assert sorted(ended) == [("acme", "admin@acme.example"), ("acme-dr", "admin@acme.example")]
    sql(joined, "acme", 'UPDATE "Account" SET "Phone" = \'1\'')
    assert sql(joined, "acme", "SELECT count(*) FROM orgsync_change WHERE op = 'U'") == [(0,)]
    assert "is inactive already" in must(joined, "deactivate", "--yes").stdout


def test_one_end_tells_the_other(joined: Path) -> None:
    """CON-9, QUE-2: what is ended in one org ends in the other, which says who ended it; nothing is sent any more."""
    result = must(joined, "deactivate", "--org", "secondary", "--yes")
    assert "acme: 6 records will be disconnected" in result.stderr
    assert statuses(joined) == ["Inactive", "Inactive"]
    (row,) = sql(joined, "acme", "SELECT actor FROM orgsync_history WHERE event = 'Connection Deactivate'")
    assert row == ("admin@acme.example.dr",)
    sql(joined, "acme", 'UPDATE "Account" SET "Phone" = \'1\'')
    run_in(joined, "drain")
    assert sql(joined, "acme-dr", 'SELECT count("Phone") FROM "Account"') == [(0,)]


def test_the_next_apply_connects_again_without_duplicates(joined: Path) -> None:
    """CON-9, PUB-10: the links are revived."""
    must(joined, "deactivate", "--yes")
    must(joined, "apply", "--yes")
    must(joined, "bulk-sync")
    assert sql(joined, "acme-dr", 'SELECT count(*) FROM "Account"') == sql(
        joined, "acme", 'SELECT count(*) FROM "Account"'
    )
    assert run_in(joined, "verify", "--detailed-exitcode").exit_code == 0


def test_both_administrators_are_asked_before_either_org_changes(joined: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CON-9, CON-11: without Manage Connections in the secondary the primary stays as it is."""
    sql(joined, "acme-dr", "DELETE FROM orgsync_grant WHERE permission = 'ManageConnections'")
    result = run_in(joined, "deactivate", "--yes")
    assert result.exit_code == 1
    assert "lacks ManageConnections" in result.stderr
    monkeypatch.chdir(joined)
    with pytest.raises(PermissionDeniedError, match="lacks ManageConnections"):
        deactivate(Workspace(), None, tuple(Side))
    assert statuses(joined) == ["Accepted", "Accepted"]


def test_an_apply_that_runs_goes_first(joined: Path) -> None:
    """CON-9, REC-4: the apply lock is respected."""
    sql(
        joined,
        "acme",
        "INSERT INTO orgsync_lease (name, holder, host, pid, at)"
        f" VALUES ('apply/acme-link', 'ann', 'elsewhere', {os.getpid()}, '2026-03-01T08:00:00.000Z')",
    )
    assert run_in(joined, "deactivate", "--yes").exit_code == 6
    assert statuses(joined) == ["Accepted", "Accepted"]


def test_there_is_nothing_to_end_yet(apart: Path) -> None:
    """CON-9: before apply there is no connection."""
    result = run_in(apart, "deactivate", "--yes")
    assert result.exit_code == 1
    assert "there is no connection acme-link yet" in result.stderr
