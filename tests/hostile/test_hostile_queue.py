"""A queue that somebody has tampered with, a clock that goes backwards, a full disk: nothing is lost, nobody sees a traceback."""

from __future__ import annotations

import sqlite3

import pytest
from hostile_world import HostileWorld
from sync_world import CONNECTION, P, S

from orgsync_reconcile.errors import StoreError
from orgsync_reconcile.model.connection import Side

NAMES = 'SELECT "Name" FROM "Account" WHERE "IsDeleted" = FALSE ORDER BY "Name"'
LOG = "INSERT INTO orgsync_change (object, record, op, at, m0) VALUES ({}, {}, {}, {}, {})"
HOLD = (
    "INSERT INTO orgsync_held (connection, record, object, op, queued_at, attempts, next_retry, error_code, error)"
    " VALUES (1, {}, {}, {}, {}, 1, 1, 'X', 'x')"
)
ACCOUNT = "(SELECT number FROM orgsync_object WHERE name = 'Account')"
TAMPERED = {
    "an unknown operation": LOG.format(ACCOUNT, "'001d1e000000001AAA'", "'Q'", "1", "3"),
    "an unknown object": LOG.format("9999", "'001d1e000000001AAA'", "'U'", "1", "3"),
    "a record that was never there": LOG.format(ACCOUNT, "'001d1e0000000ffAAA'", "'I'", "1", "NULL"),
    "a record that is no Id": LOG.format(ACCOUNT, "'; DROP TABLE \"Account\"'", "'D'", "1", "NULL"),
    "a record that is no text": LOG.format(
        "(SELECT number FROM orgsync_object WHERE name = 'User')", "x'00ff'", "'U'", "1", "7"
    ),
    "a time that is none": LOG.format(ACCOUNT, "'001d1e000000001AAA'", "'U'", "'noon'", "'words'"),
    "a time beyond all years": LOG.format(ACCOUNT, "'001d1e000000001AAA'", "'U'", "9000000000000000000", "-1"),
    "a held record with an unknown operation": HOLD.format("'001d1e000000001AAA'", ACCOUNT, "'Q'", "1"),
    "a held record of an unknown object": HOLD.format("'001d1e000000001AAA'", "9999", "'U'", "1"),
    "a held record that is not there": HOLD.format("'001d1e0000000ffAAA'", ACCOUNT, "'I'", "'noon'"),
}


@pytest.mark.pairings("sqlite-sqlite", "sqlite-postgres")
@pytest.mark.parametrize("statement", TAMPERED.values(), ids=TAMPERED)
@pytest.mark.files_only("primary")
def test_a_tampered_queue_holds_nothing_up(world: HostileWorld, statement: str) -> None:
    """QUE-1, QUE-4: what makes no sense is skipped; what was queued before and after it arrives."""
    world.connect("Account", users=True)
    world.insert(P, "Account", Name="first")
    world.clients[P].execute(statement)
    world.insert(P, "Account", Name="second")
    listed = world.program("queue", "list", CONNECTION)
    assert listed.exit_code == 0, listed.output
    result = world.program("drain", CONNECTION)
    assert result.exit_code in (0, 5), result.output
    assert "mistake of the program" not in result.stderr
    assert world.all(S, NAMES) == world.all(P, NAMES) == ["first", "second"]
    for command in ("status", "verify", "drain"):
        assert world.program(command, CONNECTION).exit_code == 0


@pytest.mark.parametrize("table", ["orgsync_inbox", "orgsync_outbox"])
def test_a_position_that_was_removed(world: HostileWorld, table: str) -> None:
    """QUE-3: without its positions a connection cannot go on; one line says so."""
    world.connect("Account")
    world.clients[S].execute(f"DELETE FROM {table}")
    result = world.program("drain", CONNECTION)
    assert result.exit_code == 1
    (line,) = result.stderr.strip().splitlines()
    assert f"acme-dr: {table} has no row of {CONNECTION}" in line


@pytest.mark.files_only("secondary")
def test_a_clock_that_goes_backwards(world: HostileWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """QUE-4, QUE-5: order is by position, not by time; a held record comes due although its time lies far ahead."""
    world.connect("Account")
    account = world.insert(P, "Account", Name="x", Phone="1")
    world.drain()
    for phone in ("2", "3"):
        world.update(P, "Account", account, Phone=phone)
        world.clients[P].execute(
            "UPDATE orgsync_change SET at = at - 86400000 WHERE seq = (SELECT max(seq) FROM orgsync_change)"
        )
    world.later(days=-400)
    world.drain()
    assert world.one(S, 'SELECT "Phone" FROM "Account"') == "3"
    world.clients[S].execute(
        'CREATE TRIGGER "no" BEFORE UPDATE ON "Account" BEGIN SELECT RAISE(ABORT, \'FIELD_CUSTOM_VALIDATION_EXCEPTION:Phone: no\'); END'
    )
    world.update(P, "Account", account, Phone="4")
    world.later(days=800)
    world.drain()
    assert [item.record for item in world.queue(P)] == [account]
    world.clients[S].execute('DROP TRIGGER "no"')
    world.later(days=-400)
    monkeypatch.setenv("ORGSYNC_NOW", world.now.isoformat())
    assert world.program("drain", CONNECTION).exit_code == 0
    assert world.one(S, 'SELECT "Phone" FROM "Account"') == "4"
    assert world.queue(P) == []


@pytest.mark.files_only("secondary")
def test_a_disk_that_is_full(world: HostileWorld) -> None:
    """QUE-3: the target takes no more pages: one line, nothing of the batch is kept and nothing lost; with room it goes on."""
    world.connect("Account")
    world.insert(P, "Account", Name="before")
    world.drain()
    for number in range(300):
        world.insert(P, "Account", Name=f"{number:03d}", Description="x" * 3000)
    db = world.orgs[S].db
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages + 20}")
    for _ in range(2):
        with pytest.raises(StoreError, match="acme-dr: the disk is full; nothing of the last step was kept; make room"):
            world.drain()
        assert world.all(S, NAMES) == ["before"]
    db.execute("PRAGMA max_page_count = 1073741823")
    world.drain()
    assert world.count(S, "Account") == 301
    world.assert_equal()


@pytest.mark.files_only("primary")
def test_a_full_disk_of_the_source(world: HostileWorld) -> None:
    """QUE-3: the target has committed and the source has no room to note it; the next drain makes that good, once."""
    world.connect("Account")
    world.insert(P, "Account", Name="before")
    world.drain()
    for number in range(400):
        world.insert(P, "Account", Name=f"{number:03d}")
    db = world.orgs[P].db
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="acme: the disk is full"):
        world.drain()
    db.execute("PRAGMA max_page_count = 1073741823")
    world.drain()
    assert world.count(S, "Account") == 401
    assert world.count(P, "Account") == 401
    world.assert_equal()


def test_a_link_whose_record_is_gone_on_both_sides(world: HostileWorld) -> None:
    """QUE-4, VER-1: a link to nothing holds nothing up, is no difference once both rows are gone, and resync leaves it."""
    world.connect("Account")
    lost = world.insert(P, "Account", Name="lost")
    world.insert(P, "Account", Name="kept")
    world.drain()
    there = world.other(P, lost)
    for side, record in ((P, lost), (S, there)):
        for _ in range(2):
            world.delete(side, "Account", str(record))
    world.drain()
    for command in ("drain", "verify", "resync", "drain"):
        result = world.program(command, CONNECTION)
        assert result.exit_code == 0, result.output
    assert world.all(P, NAMES) == world.all(S, NAMES) == ["kept"]
    world.assert_equal()


def test_a_target_without_the_table(world: HostileWorld) -> None:
    """PUB-8: somebody dropped the target's whole table: one line that names the org, never a traceback; nothing is lost."""
    world.connect("Account")
    world.insert(P, "Account", Name="x")
    world.clients[S].execute('DROP TABLE "Account"')
    result = world.program("drain", CONNECTION)
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.strip().splitlines()
    assert "acme-dr" in line
    assert len(world.queue(P)) == 1


@pytest.mark.parametrize("table", ["orgsync_inbox", "orgsync_outbox"])
@pytest.mark.parametrize("column", ["seq", "batch", "link", "event_state", "event_map"])
@pytest.mark.files_only
def test_a_position_is_a_number(world: HostileWorld, table: str, column: str) -> None:
    """QUE-3: a client that puts text where a position stands is refused, so no sync starts from nowhere."""
    world.connect("Account")
    for client in world.clients.values():
        with pytest.raises(sqlite3.IntegrityError):
            client.execute(f"UPDATE {table} SET {column} = 'far'")


@pytest.mark.parametrize("table", ["orgsync_inbox", "orgsync_outbox"])
@pytest.mark.parametrize("column", ["seq", "batch", "link", "event_state", "event_map"])
@pytest.mark.parametrize("value", [-1, -(2**62), 2**62])
def test_a_position_that_cannot_be(world: HostileWorld, table: str, column: str, value: int) -> None:
    """QUE-3: below nothing or far ahead: a line at most, and after `resync` all is there, once, and goes on."""
    world.connect("Account")
    for number in range(3):
        world.insert(P, "Account", Name=f"before {number}")
    world.drain()
    world.insert(P, "Account", Name="between")
    world.insert(S, "Account", Name="back")
    world.clients[S].execute(f"UPDATE {table} SET {column} = {value}")
    for command in ("drain", "resync", "drain", "drain"):
        result = world.program(command, CONNECTION)
        assert result.exit_code in (0, 1), result.output
        assert "mistake of the program" not in result.stderr and "Traceback" not in result.stderr
    world.insert(P, "Account", Name="after")
    world.program("drain", CONNECTION)
    expected = ["after", "back", *(f"before {number}" for number in range(3)), "between"]
    assert [world.all(side, NAMES) for side in (P, S)] == [expected, expected]
    assert world.program("verify", CONNECTION, "--detailed-exitcode").exit_code == 0


NONSENSE = {
    "no Ids": "UPDATE orgsync_link SET local = 'x', partner = 'y' WHERE object = {0}",
    "an Id of another object": "UPDATE orgsync_link SET partner = '003' || substr(partner, 4) WHERE object = {0}",
    "Ids that are no text": "UPDATE orgsync_link SET local = x'00', partner = 7 WHERE object = {0}",
    "an object that there is not": "UPDATE orgsync_link SET object = 9999 WHERE object = {0}",
    "a status that there is not": "UPDATE orgsync_link SET status = 9 WHERE object = {0}",
}


@pytest.mark.parametrize("statement", NONSENSE.values(), ids=NONSENSE)
@pytest.mark.parametrize("side", [P, S])
def test_links_of_nonsense(world: HostileWorld, statement: str, side: Side) -> None:
    """QUE-4, VER-1: a link that makes no sense stops no other record; nobody sees a traceback, no value is lost."""
    world.connect("Account")
    world.insert(P, "Account", Name="linked")
    world.drain()
    world.clients[side].execute(statement.format(ACCOUNT))
    world.insert(P, "Account", Name="next")
    world.insert(S, "Account", Name="back")
    for command in (
        "drain",
        "status",
        "verify",
        "queue list",
        "resync",
        "drain",
        "bulk-sync",
        "verify --repair",
        "drain",
    ):
        result = world.program(*command.split(), CONNECTION)
        assert result.exit_code in (0, 1, 5), result.output
        assert "mistake of the program" not in result.stderr and "Traceback" not in result.stderr
    for end in (P, S):
        assert {"linked", "next", "back"} <= set(world.all(end, NAMES))
