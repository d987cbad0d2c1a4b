"""BLK-5: remaining records, rate and estimate of a bulk sync, as another process sees them."""

from __future__ import annotations

import json
import os
import socket
from typing import Any

import pytest
from failsafe_world import FailsafeWorld
from sync_world import CONNECTION, P, S

BEGAN = "2026-03-02T06:00:00.000Z"
SOON = "2026-03-02T06:00:10.000Z"


def seen(world: FailsafeWorld) -> dict[str, Any]:
    """The bulk sync of accounts, ten seconds after it began."""
    page = json.loads(world.program("status", CONNECTION, "--format", "json", ORGSYNC_NOW=SOON).stdout)
    found: dict[str, Any] = page["connections"][0]["primary"]["bulk_sync"][0]
    return found


@pytest.mark.pairings
def test_rate_and_estimate_count_from_the_process_that_is_at_it(world: FailsafeWorld) -> None:
    """BLK-5, BLK-4: an interrupted one has neither; what was copied before it, and the pause, do not count."""
    world.connect()
    for number in range(5):
        world.insert(P, "Account", Name=str(number))
    world.publish("Account", ["Name"])
    for _ in range(2):
        killed = world.start(
            "bulk-sync", CONNECTION, "--since", "2026-01-01", ORGSYNC_FAILPOINT="bulk:before-target-commit"
        )
        killed.communicate(timeout=60)
        assert killed.returncode == -9
        left = seen(world)
        assert (left["under_way"], left["records_per_second"], left["seconds_left"]) == (False, None, None)
        assert "remaining, interrupted" in world.program("status", CONNECTION).stdout
        # As if the first one had come further before it was killed: the second takes over from there.
        world.clients[S].execute("UPDATE orgsync_bulk SET copied = 100")
    world.clients[S].execute("UPDATE orgsync_bulk SET copied = 140, failed = 10, remaining = 300, started = 0")
    world.clients[P].execute(
        "UPDATE orgsync_lease SET host = ?, pid = ?, at = ?", [socket.gethostname(), os.getpid(), BEGAN]
    )
    found = seen(world)
    assert (found["under_way"], found["records_per_second"], found["seconds_left"]) == (True, 5.0, 60)
    text = world.program("status", CONNECTION, ORGSYNC_NOW=SOON).stdout
    assert "Account: 140 copied, 300 remaining, 10 failed, 5 records/s, 0:01:00 left" in text
    # Nothing can be said of the first moment.
    early = world.program("status", CONNECTION, ORGSYNC_NOW=BEGAN).stdout
    assert "10 failed, under way" in early
