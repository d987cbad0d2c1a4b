"""BLK-4: one bulk sync at a time per connection and direction; it survives its process."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time

import pytest
from failsafe_world import FailsafeWorld
from sync_world import CONNECTION, P, S

from orgsync_reconcile.stores.sql.leases import acquire, bulk_lease, release
from orgsync_reconcile.sync.bulk import resume_bulk

LOCK = (
    "INSERT INTO orgsync_lease (name, holder, host, pid, at) VALUES (?, 'ann@desk', ?, ?, '2026-03-02T06:00:00.000Z')"
)


def held(world: FailsafeWorld, side: str, host: str, pid: int) -> None:
    """Somebody else copies from that end."""
    world.clients[P].execute(LOCK, [f"bulk-sync/{CONNECTION}/{side}", host, pid])


@pytest.mark.pairings("sqlite-sqlite", "postgres-sqlite")
def test_a_second_one_is_told_who_holds_it(world: FailsafeWorld) -> None:
    """BLK-4: holder, host, process and since when; exit 6; the other direction and a drain go on."""
    world.connect("Account")
    world.insert(P, "Account", Name="queued")
    held(world, "primary", "elsewhere", 4711)
    refused = world.program("bulk-sync", CONNECTION)
    assert refused.exit_code == 6
    (line,) = refused.stderr.strip().splitlines()
    assert "ann@desk holds the lock bulk-sync/dr/primary (host elsewhere, process 4711, since 2026-03-02T06" in line
    assert f"--lock-timeout, or, if that run is gone for good, run: orgsync lock release {CONNECTION}" in line
    assert world.program("bulk-sync", CONNECTION, "--from", "secondary").exit_code == 0
    assert world.program("drain", CONNECTION).exit_code == 0
    assert world.count(S, "Account") == 1
    assert "bulk-sync/dr/primary" in world.program("lock", "show", CONNECTION).stdout
    assert world.program("lock", "release", CONNECTION).exit_code == 6
    assert world.program("lock", "release", CONNECTION, "--force").exit_code == 0
    assert world.program("bulk-sync", CONNECTION).exit_code == 0
    assert world.all(P, "SELECT * FROM orgsync_lease") == []


@pytest.mark.pairings
def test_the_lock_of_a_dead_process_is_taken_over(world: FailsafeWorld) -> None:
    """BLK-4: its process ended without a word; nobody has to release anything."""
    world.connect("Account")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    held(world, "primary", socket.gethostname(), gone.pid)
    assert world.program("bulk-sync", CONNECTION).exit_code == 0


def test_waiting_for_another_one(world: FailsafeWorld) -> None:
    """BLK-4: --lock-timeout waits for so long, and goes on as soon as the other has ended."""
    world.connect("Account")
    acquire(world.orgs[P], bulk_lease(CONNECTION, P), "ann@desk", world.clock)
    waiting = world.start("bulk-sync", CONNECTION, "--lock-timeout", "30")
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(timeout=2)
    release(world.orgs[P], bulk_lease(CONNECTION, P))
    waiting.communicate(timeout=60)
    assert waiting.returncode == 0


CONTAINER = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


@pytest.mark.skipif(
    subprocess.run([*CONTAINER, "true"], capture_output=True, check=False).returncode != 0
    if shutil.which("unshare")
    else True,
    reason="processes cannot be numbered anew here, as in containers",
)
def test_a_container_that_is_started_again(world: FailsafeWorld) -> None:
    """BLK-4: its process has the number of the one that was killed; a container beside it has that number, too."""
    world.connect("Account")
    with world.pair.lease():
        first = world.start("bulk-sync", CONNECTION, within=CONTAINER)
        deadline = time.monotonic() + 25
        while not world.all(P, "SELECT pid FROM orgsync_lease"):
            assert time.monotonic() < deadline and first.poll() is None
            time.sleep(0.05)
        assert world.all(P, "SELECT pid FROM orgsync_lease") == [1]
        beside = world.start("bulk-sync", CONNECTION, within=CONTAINER)
        _, said = beside.communicate(timeout=60)
        assert beside.returncode == 6, said
        first.kill()
        first.communicate()
        assert len(world.all(P, "SELECT pid FROM orgsync_lease")) == 1
    again = world.start("bulk-sync", CONNECTION, within=CONTAINER)
    _, said = again.communicate(timeout=60)
    assert again.returncode == 0, said


@pytest.mark.pairings
def test_two_processes_at_once(world: FailsafeWorld) -> None:
    """BLK-4, QUE-6: while one copies, a second one is refused, and a drain that finds it under way leaves it alone."""
    world.connect()
    for number in range(20):
        world.insert(P, "Account", Name=str(number))
    world.publish("Account", ["Name"])
    with world.pair.lease():
        first = world.start("bulk-sync", CONNECTION)
        deadline = time.monotonic() + 25
        while not world.all(P, "SELECT pid FROM orgsync_lease"):
            assert time.monotonic() < deadline and first.poll() is None
            time.sleep(0.05)
        second = world.program("bulk-sync", CONNECTION)
        assert resume_bulk(world.pair, source=P, clock=world.clock) == []
    assert second.exit_code == 6, second.output
    assert f"process {first.pid}" in second.stderr
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert world.count(S, "Account") == 20
    world.assert_equal()


@pytest.mark.pairings
def test_a_killed_one_is_gone_on_with(world: FailsafeWorld) -> None:
    """BLK-4, BLK-5: killed after its checkpoint: status shows what remains, and the next one takes over lock and place."""
    world.connect()
    for number in range(5):
        world.insert(P, "Account", Name=str(number))
    world.publish("Account", ["Name"])
    killed = world.start("bulk-sync", CONNECTION, ORGSYNC_FAILPOINT="bulk:before-target-commit")
    killed.communicate(timeout=60)
    assert killed.returncode == -9
    (left,) = world.page()["primary"]["bulk_sync"]
    assert (left["object"], left["remaining"], left["finished"]) == ("Account", 5, False)
    assert len(world.all(P, "SELECT * FROM orgsync_lease")) == 1
    assert world.program("bulk-sync", CONNECTION).exit_code == 0
    assert world.count(S, "Account") == 5
    assert world.all(P, "SELECT * FROM orgsync_lease") == []
    world.assert_equal()


@pytest.mark.pairings
def test_a_number_that_lives_again_keeps_nobody_away(world: FailsafeWorld) -> None:
    """BLK-4, QUE-2: the row names a living process, as in a container that was started again: a drain goes on all the same."""
    world.connect()
    world.insert(P, "Account", Name="left")
    world.publish("Account", ["Name"])
    killed = world.start("bulk-sync", CONNECTION, ORGSYNC_FAILPOINT="bulk:before-target-commit")
    killed.communicate(timeout=60)
    assert killed.returncode == -9
    world.clients[P].execute("UPDATE orgsync_lease SET pid = ?", [os.getpid()])
    assert [item.copied for item in resume_bulk(world.pair, source=P, clock=world.clock)] == [1]
    assert world.all(P, "SELECT * FROM orgsync_lease") == []
    world.assert_equal()
