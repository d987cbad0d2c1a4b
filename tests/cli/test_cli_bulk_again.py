"""A bulk sync that is run again after live changes: nothing that is linked is touched."""

from __future__ import annotations

from pathlib import Path

from program import publication
from two_orgs import run_in, sql


def test_what_a_drain_has_linked_is_not_copied_again(connected: Path) -> None:
    """BLK-2: also where objects without records stand before it; no record is refused, nothing is logged."""
    for name in ("Lead", "Product2", "Task"):
        (connected / "manifests" / f"{name}.yaml").write_text(publication(name))
    assert run_in(connected, "apply", "--yes").exit_code == 0
    sql(connected, "acme", 'INSERT INTO "Task" ("Subject", "Status", "Priority") VALUES (\'T\', \'Open\', \'Normal\')')
    assert run_in(connected, "drain").exit_code == 0
    again = run_in(connected, "bulk-sync")
    assert again.exit_code == 0, again.output
    assert "No records to copy." in again.stdout
    assert sql(connected, "acme-dr", 'SELECT count(*) FROM "Task"') == [(1,)]
    assert "The log is empty." in run_in(connected, "log", "list").stdout
