"""Commands that need Manage Connections: refused in one line, and nothing changed in either org."""

from __future__ import annotations

from pathlib import Path

import pytest
from two_orgs import run_in, sql

_LOST = "DELETE FROM orgsync_grant WHERE permission = 'ManageConnections'"


@pytest.mark.parametrize("org", ["acme", "acme-dr"])
@pytest.mark.parametrize("args", [("bulk-sync",), ("users", "sync"), ("suspend", "acme-link")])
def test_commands_need_manage_connections_in_both_orgs(connected: Path, org: str, args: tuple[str, ...]) -> None:
    """CON-11: bulk sync, user sync and suspend ask for it in each org before anything is changed in one."""
    sql(connected, "acme", 'INSERT INTO "Account" ("Name") VALUES (\'Late\')')
    sql(connected, org, _LOST)
    result = run_in(connected, *args)
    assert result.exit_code == 1
    assert "lacks ManageConnections" in result.stderr
    assert result.stderr.startswith(f"error: {org}: ")
    assert result.stderr.count("\n") == 1
    assert sql(connected, "acme-dr", 'SELECT count(*) FROM "Account" WHERE "Name" = \'Late\'') == [(0,)]
    for store in ("acme", "acme-dr"):
        assert sql(connected, store, 'SELECT "ConnectionStatus" FROM "PartnerNetworkConnection"') == [("Accepted",)]


@pytest.mark.parametrize("org", ["acme", "acme-dr"])
def test_resume_needs_manage_connections_in_both_orgs(connected: Path, org: str) -> None:
    """CON-11: a connection is resumed at both ends or at none."""
    assert run_in(connected, "suspend").exit_code == 0
    sql(connected, org, _LOST)
    assert run_in(connected, "resume").exit_code == 1
    for store in ("acme", "acme-dr"):
        rows = sql(connected, store, 'SELECT "ConnectionStatus" FROM "PartnerNetworkConnection"')
        assert rows == [("ConnectionSuspended",)]
