"""A drain that follows, when the orgs change under it."""

from __future__ import annotations

import sqlite3
import threading
import time

import pytest
from hostile_world import HostileWorld
from sync_world import CONNECTION, P, S

from orgsync_reconcile.app import follow
from orgsync_reconcile.app.workspace import Workspace
from orgsync_reconcile.model.connection import Side

pytestmark = pytest.mark.files_only


def test_a_following_drain_wakes_when_somebody_writes(world: HostileWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """QUE-3: it does not wait for its rest to end; a change of either org is sent at once."""
    world.connect("Account")
    assert world.program("status", CONNECTION).exit_code == 0
    monkeypatch.setattr(follow, "REST", 3600.0)
    monkeypatch.setattr(follow, "GATHER", 0.0)
    rounds = follow.follow_queue(Workspace(directory=world.folder), CONNECTION, sides=(P, S))
    for side in (P, S):
        writer = threading.Thread(target=_write_later, args=(world, side))
        writer.start()
        (moved,) = next(rounds).objects
        writer.join()
        assert moved.copied == 1
    rounds.close()
    assert world.count(P, "Account") == world.count(S, "Account") == 2


def _write_later(world: HostileWorld, side: Side) -> None:
    time.sleep(0.3)
    db = sqlite3.connect(world.orgs[side].path, timeout=10)
    db.execute('INSERT INTO "Account" ("Name") VALUES (\'x\')')
    db.commit()
    db.close()
