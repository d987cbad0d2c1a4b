"""Applies that are killed, fail half way, come twice, or come too late."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from apply_world import CONNECTION, World, clock, custom_field

from orgsync_reconcile.apply import Status
from orgsync_reconcile.errors import LockHeldError, OrgsyncError, PartialError, StalePlanError
from orgsync_reconcile.model.connection import ConnectionStatus
from orgsync_reconcile.stores.sql import history, journal, leases
from orgsync_reconcile.stores.sql.connections import get_connection

#: Applies the manifests of a folder and kills itself when the action named in the third argument starts or has ended.
KILLED = """
import os, signal, sys
from contextlib import ExitStack
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from apply_world import World
with ExitStack() as stack:
    world = World(Path(sys.argv[2]), stack)
    for name in ("acme", "acme-secondary"):
        world.orgs[name] = world.open(name)
    def progress(action, outcome):
        if action.op == sys.argv[3] and (outcome is not None) == (sys.argv[4] == "end"):
            os.kill(os.getpid(), signal.SIGKILL)
    world.apply(progress=progress)
"""


def start_and_kill(world: World, op: str, moment: str) -> None:
    here = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", KILLED, here, str(world.folder), op, moment], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("op", "moment"),
    [
        ("invite", "end"),
        ("accept", "start"),
        ("sync-user", "end"),
        ("publish-object", "end"),
        ("subscribe-object", "start"),
    ],
)
def test_killed_apply_is_finished_by_the_next(pair, op, moment):
    """REC-3, REC-4: a process that is killed in mid-apply leaves its lock and a half-done plan; the next apply ends it."""
    pair.deploy(custom_field("Region__c"))
    start_and_kill(pair, op, moment)
    assert leases.leases(pair.primary)[0].dead
    latest = pair.primary.db.execute("SELECT op, status FROM orgsync_journal ORDER BY number DESC").fetchone()
    assert tuple(latest) == (op, journal.STARTED if moment == "start" else journal.DONE)
    pair.converge()
    assert leases.leases(pair.primary) == ()
    assert get_connection(pair.secondary, "acme-dr").status is ConnectionStatus.ACCEPTED
    assert pair.one(pair.primary, 'SELECT count(*) FROM "Contact"') == 1
    assert pair.one(pair.primary, 'SELECT count(*) FROM "PartnerNetworkConnection"') == 1


def test_second_apply_is_told_who_holds_the_lock(pair):
    """REC-4: exit 6 with holder, host, process, since when, and the command that releases; nothing is changed."""
    plan = pair.plan()
    leases.acquire(pair.primary, "apply/acme-dr", "olga@office", clock)
    with pytest.raises(LockHeldError) as held:
        pair.apply(plan)
    assert held.value.exit_code == 6
    for part in ("olga@office", socket.gethostname(), str(os.getpid()), "2026-03-01", "orgsync lock release acme-dr"):
        assert part in str(held.value)
    assert pair.one(pair.primary, "SELECT count(*) FROM orgsync_journal") == 0
    assert leases.release(pair.primary, "apply/acme-dr")
    pair.converge()


def test_second_apply_waits_for_the_first(pair):
    """REC-4: with a timeout, the second apply goes on as soon as the lock is given back."""
    held = leases.acquire(pair.primary, "apply/acme-dr", "olga@office", clock)
    with ExitStack() as stack:
        other = World(pair.folder, stack).open("acme")

        def give_back() -> None:
            time.sleep(0.3)
            leases.release(other, held.name, held)

        thread = threading.Thread(target=give_back)
        thread.start()
        report = pair.apply(lock_timeout=20)
        thread.join()
    assert report.failure is None


def test_lock_of_another_host_is_never_taken_over(pair):
    """REC-4: whether a process on another host lives, nobody here can tell: a person has to release its lock."""
    pair.primary.db.execute(
        "INSERT INTO orgsync_lease VALUES ('apply/acme-dr', 'ci@runner', 'elsewhere', 999999999, '2026-01-01T00:00:00.000Z')"
    )
    with pytest.raises(LockHeldError, match="host elsewhere"):
        pair.apply()


def test_stale_plan_is_refused_and_says_what_moved(pair):
    """REC-2: a plan that no longer fits changes nothing, exit 4, and names the actions that differ."""
    plan = pair.plan()
    pair.write("connection.yaml", CONNECTION + "state: suspended\n")
    pair.deploy(custom_field("Region__c"))
    with pytest.raises(StalePlanError) as stale:
        pair.apply(plan)
    assert stale.value.exit_code == 4
    assert "acme-dr/metadata/CustomField:Account.Region__c" in str(stale.value)
    assert leases.leases(pair.primary) == ()
    assert pair.one(pair.primary, "SELECT count(*) FROM orgsync_journal") == 0


def test_plan_with_errors_is_not_applied(pair):
    """CON-6, CON-8: a plan whose preflight found errors is refused with all of them."""
    pair.write("connection.yaml", CONNECTION + "sync: {feeds_and_audit_fields: true}\n")
    with pytest.raises(OrgsyncError, match="audit-field"):
        pair.apply()
    assert pair.one(pair.primary, "SELECT count(*) FROM orgsync_journal") == 0


def test_failure_holds_back_only_what_depends_on_it(pair):
    """REC-3: the summary says what was done, failed and not started; with fail-fast the rest waits too."""
    pair.secondary.db.execute(
        "CREATE TRIGGER \"refuse\" BEFORE INSERT ON orgsync_subscribed BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    pair.write(
        "contact.yaml",
        "version: 1\nkind: Publication\nconnection: acme-dr\nobject: Contact\nfields: {include: [LastName, Phone, AccountId]}\n",
    )
    report = pair.apply()
    assert isinstance(report.failure, PartialError)
    assert {item.action.address for item in report.of(Status.FAILED)} == {"acme-dr/subscription/Account"}
    assert [item.action.address for item in report.of(Status.NOT_STARTED)] == ["acme-dr/subscription/Contact"]
    assert "1 failed, 1 not started" in str(report.failure)
    assert get_connection(pair.primary, "acme-dr").status is ConnectionStatus.ACCEPTED
    failed = "SELECT address FROM orgsync_journal WHERE status = ?"
    assert [row[0] for row in pair.primary.db.execute(failed, [journal.FAILED])] == ["acme-dr/subscription/Account"]
    stopped = pair.apply(fail_fast=True)
    assert len(stopped.of(Status.FAILED)) == 1 and not stopped.of(Status.DONE)
    pair.secondary.db.execute('DROP TRIGGER "refuse"')
    pair.converge()


def test_applying_twice_is_a_no_op(pair):
    """REC-2: after an apply nothing is planned, and applying that nothing writes nothing."""
    pair.converge()
    before = [pair.one(org, "SELECT revision FROM orgsync_org") for org in pair.orgs.values()]
    entries = len(history.read_history(pair.primary))
    report = pair.apply()
    assert report.outcomes == () and report.failure is None
    assert [pair.one(org, "SELECT revision FROM orgsync_org") for org in pair.orgs.values()] == before
    assert len(history.read_history(pair.primary)) == entries


def test_bulk_sync_of_the_plan_copies_records(pair):
    """BLK-8, REC-3: with `bulk_sync.auto` the plan's run copies what is there; a record that stays behind is exit 5."""
    pair.write("connection.yaml", CONNECTION + "bulk_sync: {auto: true, max_age: 365d}\n")
    for name in ("Globex", "Initech"):
        pair.primary.db.execute(
            'INSERT INTO "Account" ("Name", "CreatedDate") VALUES (?, \'2026-02-01T00:00:00.000Z\')', [name]
        )
    pair.secondary.db.execute(
        'CREATE TRIGGER "refuse" BEFORE INSERT ON "Account" WHEN NEW."Name" = \'Initech\' BEGIN'
        " SELECT RAISE(ABORT, 'no'); END"
    )
    report = pair.apply()
    assert isinstance(report.failure, PartialError) and "1 record stayed behind" in str(report.failure)
    assert pair.one(pair.secondary, 'SELECT count(*) FROM "Account" WHERE "Name" = \'Globex\'') == 1
