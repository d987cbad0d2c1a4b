"""A disk that has no room left, in either org, for every command that writes (QUE-3, BLK-4, REC-2)."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from failsafe_world import FailsafeWorld
from sync_world import CONNECTION, NAMES, P, S

from orgsync_reconcile.model.connection import Side

FULL = "the disk is full; nothing of the last step was kept; make room and run this again"

pytestmark = pytest.mark.files_only


@pytest.fixture
def fill(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets an org's file grow by no more than so many pages, whoever opens it; `None` makes room again."""
    limits: dict[str, int] = {}
    connect = sqlite3.connect

    def opened(path: Any, *args: Any, **options: Any) -> sqlite3.Connection:
        db = connect(path, *args, **options)
        for name, limit in limits.items():
            if f"/{name}.db" in str(path):
                db.execute(f"PRAGMA max_page_count = {limit}")
        return db

    def limit(world: FailsafeWorld, side: Side, spare: int | None) -> None:
        limits.clear()
        if spare is not None:
            (pages,) = connect(world.orgs[side].path).execute("PRAGMA page_count").fetchone()
            limits[NAMES[side]] = pages + spare

    monkeypatch.setattr(sqlite3, "connect", opened)
    return limit


@pytest.mark.parametrize("side", [P, S], ids=str)
@pytest.mark.parametrize("command", ["drain", "bulk-sync"])
def test_records_wait_until_there_is_room(world: FailsafeWorld, fill: Any, command: str, side: Side) -> None:
    """QUE-3, BLK-4: exit 1 and one line that names the org; each record is there once when it went on."""
    if command == "drain":
        world.connect("Account")
    for number in range(300):
        world.insert(P, "Account", Name=f"{number:03d}", Description="x" * 2000)
    if command == "bulk-sync":
        world.connect("Account")
    fill(world, side, 2)
    for _ in range(2):
        done = world.program(command, CONNECTION)
        assert done.exit_code == 1, done.output
        lines = [line for line in done.stderr.splitlines() if "error:" in line]
        assert len(lines) == 1
        assert f"{NAMES[side]}: {FULL}" in lines[0]
        assert "Traceback" not in done.stderr
    fill(world, side, None)
    assert world.program(command, CONNECTION).exit_code == 0
    assert world.program("drain", CONNECTION).exit_code == 0
    for org in (P, S):
        assert world.count(org, "Account") == 300
    world.assert_equal()


@pytest.mark.parametrize("side", [P, S], ids=str)
def test_apply_goes_on_once_there_is_room(world: FailsafeWorld, fill: Any, side: Side) -> None:
    """REC-2: no room to connect: exit 5 and the step says why; the next apply makes the rest, and after it there is nothing to do."""
    world.close()
    fill(world, side, 0)
    refused = world.program("apply", "--yes")
    assert refused.exit_code == 5, refused.output
    assert f"{NAMES[side]}: the disk is full" in refused.stderr
    assert "Traceback" not in refused.stderr
    fill(world, side, None)
    assert world.program("apply", "--yes").exit_code == 0
    assert world.program("plan", "--format", "json", "--detailed-exitcode").exit_code == 0
