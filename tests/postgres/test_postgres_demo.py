"""The whole story on PostgreSQL (ORG-8, CON-1, BLK-7, QUE-1, VER-1)."""

from __future__ import annotations

from pathlib import Path

import psycopg
from postgres_server import Server
from two_orgs import run_in


def test_the_demo_on_a_server(postgres: Server, tmp_path: Path) -> None:
    """ORG-8, CON-1, BLK-7, QUE-1, CNF-3, VER-1, REC-2: the story is the same, and the orgs stay there."""
    url = postgres.database()
    result = run_in(tmp_path, "demo", "--server", url)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("Both orgs agree: ") == 2
    assert "No changes. The orgs match the manifests." in result.stdout
    assert "Night Heron | Booked" in result.stdout
    with psycopg.connect(url) as db:
        names = 'SELECT "Vessel__c" FROM {}."Mooring__c" WHERE NOT "IsDeleted" ORDER BY 1'
        primary, secondary = (db.execute(names.format(org)).fetchall() for org in ("harbour", "standby"))  # type: ignore[call-overload,unused-ignore]
    assert primary == secondary
    assert ("Night Heron",) in primary
    assert ("Puffin",) not in primary
    postgres.drop(url)


def test_the_demo_on_a_server_of_its_own(tmp_path: Path) -> None:
    """ORG-8: nothing has to be installed, and nothing is left running."""
    result = run_in(tmp_path, "demo", "--postgres")
    assert result.exit_code == 0, result.stderr
    assert "The server ends here" in result.stdout
