"""An org that was restored from a backup: refused by every sync command until `resync` has mended it (QUE-3)."""

from __future__ import annotations

import sqlite3
import tracemalloc

import pytest
from hostile_world import HostileWorld
from sync_world import ACTOR, CONNECTION, P, S

from orgsync_reconcile.errors import StoreError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql import publications
from orgsync_reconcile.sync import lifecycle

pytestmark = pytest.mark.files_only
COMMANDS = (
    ("drain", CONNECTION),
    ("bulk-sync", CONNECTION),
    ("verify", CONNECTION),
    ("verify", CONNECTION, "--repair"),
    ("verify", CONNECTION, "--hashes"),
    ("forward", CONNECTION, "Account", "--where", "Name = 'x'"),
    ("users", "sync", CONNECTION),
)
NAMES_IN_ORDER = 'SELECT "Name" FROM "Account" WHERE "IsDeleted" = 0 ORDER BY "Name"'


def _connected(world: HostileWorld, *, one_way: bool = False) -> None:
    world.connect("Account", "Contact", one_way=one_way)
    for name in ("kept", "edited", "deleted"):
        world.insert(P, "Account", Name=name)
    world.drain()


def _names(world: HostileWorld, side: Side) -> list[str]:
    return world.all(side, NAMES_IN_ORDER)


def _id(world: HostileWorld, side: Side, name: str) -> str:
    return str(world.one(side, 'SELECT "Id" FROM "Account" WHERE "Name" = ?', name))


def _live_on(world: HostileWorld, *, both: bool = True) -> None:
    """What happens after the backup, and is synced."""
    world.update(P, "Account", _id(world, P, "edited"), Phone="new")
    world.delete(P, "Account", _id(world, P, "deleted"))
    late = world.insert(P, "Account", Name="late in P")
    world.insert(P, "Contact", LastName="child", AccountId=late)
    if both:
        world.insert(S, "Account", Name="late in S")
    world.drain()
    world.drain()


@pytest.mark.parametrize("side", [P, S])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_sync_command_refuses(world: HostileWorld, side: Side, command: tuple[str, ...]) -> None:
    """QUE-3: one line that says what happened and names the command that mends it; nothing is changed."""
    _connected(world)
    world.backup(side)
    _live_on(world)
    world.restore(side)
    before = [world.all(end, NAMES_IN_ORDER) for end in (P, S)]
    result = world.program(*command)
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.strip().splitlines()
    assert f"the {side} org was restored from a backup" in line
    assert line.endswith(f"nothing is synced until you run: orgsync resync {CONNECTION}")
    assert [world.all(end, NAMES_IN_ORDER) for end in (P, S)] == before


@pytest.mark.parametrize("side", [P, S])
def test_a_backup_that_is_restored_again(world: HostileWorld, side: Side) -> None:
    """QUE-3: right after a resync only the end of its log tells: what would be written now counted as sent already."""
    _connected(world)
    backup = world.backup(side)
    world.insert(side, "Account", Name="lost twice")
    world.drain()
    for _ in range(2):
        world.restore(side, backup)
        world.insert(side, "Account", Name="fresh")
        result = world.program("drain", CONNECTION)
        assert result.exit_code == 1, result.output
        assert f"the {side} org was restored from a backup" in result.stderr
        result = world.program("resync", CONNECTION)
        assert result.exit_code == 0, result.output
    world.settle()
    assert {"fresh", "lost twice"} <= set(_names(world, side))
    world.assert_equal()


@pytest.mark.parametrize("side", [P, S])
def test_resync_brings_back_what_the_backup_lacks(world: HostileWorld, side: Side) -> None:
    """QUE-3, VER-1: edits, deletes, new records and their children come from the other org; then both agree."""
    _connected(world)
    world.backup(side)
    _live_on(world)
    world.restore(side)
    result = world.program("resync", CONNECTION)
    assert result.exit_code == 0, result.output
    assert f"{'acme' if side is P else 'acme-dr'} was restored from a backup" in result.stdout
    world.settle()
    for end in (P, S):
        assert _names(world, end) == ["edited", "kept", "late in P", "late in S"]
        assert world.one(end, 'SELECT "Phone" FROM "Account" WHERE "Name" = \'edited\'') == "new"
        assert world.one(
            end,
            'SELECT a."Name" FROM "Contact" AS c JOIN "Account" AS a ON a."Id" = c."AccountId" WHERE c."IsDeleted" = 0',
        ) == ("late in P")
    world.assert_equal()


def test_a_link_of_nonsense_stops_no_resync(world: HostileWorld) -> None:
    """VER-1: an Id that nobody minted among the links; everything else comes back, and no Id is given twice."""
    _connected(world)
    world.backup(P)
    lost = [world.insert(P, "Account", Name=name) for name in ("one", "two", "odd")]
    world.drain()
    odd = f"001{world.orgs[P].code}zzzzzzzzzAAA"
    world.clients[S].execute("UPDATE orgsync_link SET partner = ? WHERE partner = ?", [odd, lost[2]])
    world.restore(P)
    result = world.program("resync", CONNECTION)
    assert result.exit_code == 0, result.output
    assert world.insert(P, "Account", Name="fresh") not in lost[:2]
    world.program("drain", CONNECTION)
    world.program("drain", CONNECTION)
    for side in (P, S):
        assert {"one", "two", "fresh"} <= set(_names(world, side))


def test_memory_does_not_grow_with_links(world: HostileWorld) -> None:
    """VER-1: links pass from org to org inside the database; what differs is queued in parts."""
    many = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 20000)"
    world.clients[P].execute(f'{many} INSERT INTO "Account" ("Name") SELECT printf(\'%d\', x) FROM n')
    world.connect("Account")
    world.backup(P)
    world.bulk()
    world.insert(P, "Account", Name="late")
    world.drain()
    world.restore(P)
    tracemalloc.start()
    try:
        assert world.resync().rejoined.linked == 20_001
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
    world.settle()
    world.assert_equal()


def test_a_log_that_was_written_anew_over_the_same_positions_is_known(world: HostileWorld) -> None:
    """QUE-3: one batch behind and longer than before, which looks like a process that was killed between two commits."""
    _connected(world, one_way=True)
    world.backup(P)
    gone = world.insert(P, "Account", Name="gone")
    world.drain()
    world.restore(P)
    again = [world.insert(P, "Account", Name=f"again {number}") for number in range(3)]
    assert gone in again
    with pytest.raises(StoreError, match="its log was written anew: change"):
        world.drain()


@pytest.mark.parametrize("one_way", [True, False])
def test_an_id_that_was_given_twice_is_two_records(world: HostileWorld, one_way: bool) -> None:
    """QUE-3, ORG-5: records made after the restore bear Ids that the other org knows; nothing is swapped or lost."""
    _connected(world)
    world.backup(P)
    gone = world.insert(P, "Account", Name="gone", Phone="old")
    world.drain()
    world.restore(P)
    again = [world.insert(P, "Account", Name=f"again {number}") for number in range(3)]
    assert gone in again
    world.resync()
    world.settle()
    expected = sorted(["kept", "edited", "deleted", "gone", *(f"again {number}" for number in range(3))])
    assert _names(world, P) == _names(world, S) == expected
    world.assert_equal()
    fresh = world.insert(P, "Account", Name="fresh")
    taken = world.all(S, "SELECT partner FROM orgsync_link")
    assert fresh not in taken


def test_what_was_lost_comes_back_under_its_id(world: HostileWorld) -> None:
    """VER-1, ORG-5: it is the same record as before, for its links and for whoever wrote its Id down."""
    _connected(world)
    world.backup(P)
    lost = world.insert(P, "Account", Name="lost")
    child = world.insert(P, "Contact", LastName="child", AccountId=lost)
    world.drain()
    world.restore(P)
    world.resync()
    world.settle()
    assert world.get(P, "Account", lost, "Name") == "lost"
    assert world.get(P, "Contact", child, "AccountId") == lost
    world.assert_equal()


def test_records_of_the_secondary_itself_are_not_taken_for_lost_ones(world: HostileWorld) -> None:
    """PUB-7, ORG-5: one-way; a record that somebody made in the restored secondary under an Id given before stays theirs."""
    _connected(world, one_way=True)
    world.backup(S)
    late = world.insert(P, "Account", Name="late in P")
    world.drain()
    taken = world.other(P, late)
    world.restore(S)
    assert world.insert(S, "Account", Name="theirs") == taken
    assert world.resync().rejoined.ended == 1
    world.settle()
    assert world.get(S, "Account", str(taken), "Name") == "theirs"
    assert _names(world, S) == ["deleted", "edited", "kept", "late in P", "theirs"]
    world.assert_equal()


def test_a_link_that_was_disconnected_after_the_backup_comes_back(world: HostileWorld) -> None:
    """PUB-10: publishing again finds the record linked in both orgs and makes no second one of it."""
    world.connect("Account")
    ours = world.insert(P, "Account", Name="matched")
    world.backup(S)
    world.drain()
    theirs = world.other(P, ours)
    world.clients[P].execute("UPDATE orgsync_link SET status = 2 WHERE local = ?", [ours])
    world.restore(S)
    world.resync()
    assert world.all(S, "SELECT partner, status FROM orgsync_link WHERE local = ?", theirs) == [(ours, 2)]


def test_edits_after_the_restore_are_sent(world: HostileWorld) -> None:
    """QUE-3: what was changed in the restored org before anybody noticed is a change like others."""
    _connected(world)
    world.backup(P)
    _live_on(world)
    world.restore(P)
    world.update(P, "Account", _id(world, P, "kept"), Phone="after")
    world.resync()
    world.settle()
    for end in (P, S):
        assert world.one(end, 'SELECT "Phone" FROM "Account" WHERE "Name" = \'kept\'') == "after"
        assert world.one(end, 'SELECT "Phone" FROM "Account" WHERE "Name" = \'edited\'') == "new"
    world.assert_equal()


def test_the_backup_wins_where_it_is_said(world: HostileWorld) -> None:
    """VER-1: --from the restored org undoes what came after the backup in records that both have."""
    _connected(world)
    world.backup(P)
    _live_on(world)
    world.restore(P)
    assert world.program("resync", CONNECTION, "--from", "primary").exit_code == 0
    world.settle()
    for end in (P, S):
        assert world.one(end, 'SELECT "Phone" FROM "Account" WHERE "Name" = \'edited\'') is None
        assert "deleted" in _names(world, end)
    world.assert_equal()


def test_a_one_way_primary_gets_nothing_back(world: HostileWorld) -> None:
    """PUB-7, VER-1: what it lost stays in the secondary, unlinked and counted; sync goes on."""
    _connected(world, one_way=True)
    world.backup(P)
    _live_on(world, both=False)
    world.restore(P)
    done = world.resync()
    assert (done.restored, done.rejoined.kept) == (P, 2)
    world.settle()
    assert "late in P" in _names(world, S)
    assert "late in P" not in _names(world, P)
    world.insert(P, "Account", Name="next")
    world.drain()
    assert "next" in _names(world, S)
    assert world.verify().objects[0].linked == 4


def test_a_one_way_secondary_gets_all(world: HostileWorld) -> None:
    """VER-1: the primary sends what the secondary lost."""
    _connected(world, one_way=True)
    world.backup(S)
    _live_on(world, both=False)
    world.restore(S)
    world.resync()
    world.settle()
    assert _names(world, P) == _names(world, S) == ["edited", "kept", "late in P"]
    world.assert_equal()


def test_events_go_on_after_some_were_forgotten(world: HostileWorld) -> None:
    """QUE-2, QUE-3: the restored org has forgotten events that its partner had; the next ones are not taken for them."""
    _connected(world)
    world.backup(P)
    for _ in range(2):
        lifecycle.suspend(world.orgs[P], CONNECTION, actor=ACTOR, by_command=True, clock=world.clock)
        lifecycle.resume(world.orgs[P], CONNECTION, actor=ACTOR, clock=world.clock)
        world.drain()
    suspended = "SELECT count(*) FROM orgsync_history WHERE event = 'Connection Admin Suspended' AND origin <> ''"
    before = world.one(S, suspended)
    world.restore(P)
    with pytest.raises(StoreError, match="its events end at"):
        world.drain()
    world.resync()
    lifecycle.suspend(world.orgs[P], CONNECTION, actor=ACTOR, by_command=True, clock=world.clock)
    world.drain()
    assert world.one(S, suspended) == before + 1
    lifecycle.resume(world.orgs[P], CONNECTION, actor=ACTOR, clock=world.clock)
    world.insert(P, "Account", Name="next")
    world.drain()
    assert "next" in _names(world, S)
    world.assert_equal()


def test_an_event_that_the_restored_org_has_forgotten(world: HostileWorld) -> None:
    """QUE-2, PUB-10: it accepts a field again that is no longer offered; nothing of it flows, all else does."""
    _connected(world)
    world.backup(S)
    publications.unpublish_field(world.orgs[P], CONNECTION, "Account", "Phone", actor=ACTOR, clock=world.clock)
    world.drain()
    accepted = "SELECT count(*) FROM orgsync_subscribed_field WHERE object = 'Account' AND field = 'Phone'"
    assert world.one(S, accepted) == 0
    world.restore(S)
    assert world.one(S, accepted) == 1
    world.resync()
    world.update(P, "Account", _id(world, P, "kept"), Phone="stays here", Website="goes")
    world.settle()
    assert world.one(S, 'SELECT "Phone", "Website" FROM "Account" WHERE "Name" = \'kept\'') == (None, "goes")
    world.assert_equal()


def test_resync_of_orgs_that_nobody_restored(world: HostileWorld) -> None:
    """VER-1: it says so, changes nothing, and may be done twice."""
    _connected(world)
    for _ in range(2):
        result = world.program("resync", CONNECTION)
        assert result.exit_code == 0, result.output
        assert "Neither org was restored from a backup" in result.stdout
    world.assert_equal()


def test_a_sync_that_was_cut_off_is_no_restore(world: HostileWorld) -> None:
    """QUE-3: the target has committed and the source was not told; the next drain goes on as ever."""
    _connected(world)
    world.insert(P, "Account", Name="x")
    world.backup(P)
    world.drain(P)
    world.restore(P)
    world.drain()
    assert _names(world, P) == _names(world, S) == ["deleted", "edited", "kept", "x"]
    world.assert_equal()


def test_a_file_copied_over_the_other_org(world: HostileWorld) -> None:
    """CON-4: one org Id twice is refused wherever the connection is opened."""
    _connected(world)
    world.restore(S, world.backup(P))
    for command in ("drain", "verify", "resync"):
        result = world.program(command, CONNECTION)
        assert result.exit_code == 1, result.output
        (line,) = result.stderr.strip().splitlines()
        assert "is a copy of" in line
        assert "put the right org at the store's address" in line


def test_another_org_in_the_place_of_the_partner(world: HostileWorld) -> None:
    """CON-4: the connection leads to one org, by its Id; a third org in its place is refused."""
    _connected(world)
    third = world.folder / "third"
    third.mkdir()
    assert world.program("org", "create", "sqlite:third/acme.db", "--name", "third").exit_code == 0
    world.close()
    with_connection = third / "acme.db"
    # The third org has a connection of the same name, with somebody else.
    db = sqlite3.connect(with_connection)
    db.execute(
        "INSERT INTO orgsync_connection (name, id, side, partner_org_id) VALUES (?, 'x', 'secondary', 'other')",
        [CONNECTION],
    )
    db.commit()
    db.close()
    world.open()
    world.restore(S, with_connection)
    result = world.program("drain", CONNECTION)
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.strip().splitlines()
    assert f"{CONNECTION} leads to the org" in line
