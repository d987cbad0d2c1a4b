"""An org that goes on on a server whose transactions have lower numbers, or that goes back in time (QUE-3)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from outage_world import OutageWorld, address_at, count_transactions
from postgres_server import memory, name_of
from sync_world import CONNECTION, P, S

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.postgres.database import PostgresDatabase
from orgsync_reconcile.stores.postgres.local_server import LocalServer, local_server
from orgsync_reconcile.stores.urls import open_store

NAMES_IN_ORDER = 'SELECT "Name" FROM "Account" WHERE "IsDeleted" = FALSE ORDER BY "Name"'


@pytest.fixture(scope="module")
def young() -> Iterator[LocalServer]:
    """A server that has counted fewer transactions than `home`."""
    with local_server(parent=memory()) as server:
        yield server


@pytest.fixture
def home(servers: dict[Side, LocalServer], side: Side) -> LocalServer:
    """The server of the org that is restored, well ahead of any new one."""
    count_transactions(servers[side], 10_000)
    return servers[side]


def dump(world: OutageWorld, side: Side, home: LocalServer) -> Path:
    """A backup of the org, by the server's own program."""
    file = home.folder / "org.dump"
    home.call("pg_dump", "-Fc", "-f", str(file), "-d", world.addresses[side].partition("?")[0])
    return file


def restore(world: OutageWorld, side: Side, file: Path, server: LocalServer) -> None:
    """The backup on another server, where the org's address leads from now on."""
    world.close()
    database = name_of(world.addresses[side].partition("?")[0])
    with psycopg.connect(server.url, autocommit=True) as db:
        db.execute(f'CREATE DATABASE "{database}"')
    address = address_at(server, side, database)
    copy = Path(shutil.copy(file, server.folder))
    copy.chmod(0o644)
    server.call("pg_restore", "-d", address.partition("?")[0], str(copy))
    world.addresses[side] = address


@contextmanager
def client(world: OutageWorld, side: Side) -> Iterator[psycopg.Connection]:
    """Any other program."""
    url, _, schema = world.addresses[side].partition("?schema=")
    with psycopg.connect(url, autocommit=True, options=f"-c search_path={schema}") as db:
        yield db


def names(world: OutageWorld, side: Side) -> list[str]:
    return [row[0] for row in world.world.clients[side].execute(NAMES_IN_ORDER)]


def test_a_move_to_another_server_needs_nothing(
    outage: OutageWorld, side: Side, home: LocalServer, young: LocalServer
) -> None:
    """QUE-3: all is there, only the counting is lower: queued changes of before and behind go, in order, once."""
    world = outage.world
    world.connect("Account")
    kept = world.insert(side, "Account", Name="kept")
    world.settle()
    world.update(side, "Account", kept, Phone="queued")
    world.insert(side, "Account", Name="queued")
    before = world.orgs[side].db.log_end()
    restore(outage, side, dump(outage, side, home), young)
    with client(outage, side) as other:
        other.execute('UPDATE "Account" SET "Phone" = \'later\' WHERE "Name" = \'kept\'')
        other.execute('INSERT INTO "Account" ("Name") VALUES (\'made before anybody looked\')')
        (lower,) = other.execute("SELECT pg_current_xact_id()::text::bigint").fetchone() or (0,)
    assert lower < before
    result = outage.program("drain", CONNECTION)
    assert result.exit_code == 0, result.output
    world = outage.open()
    assert world.orgs[side].db.log_end() > before
    for end in (P, S):
        assert names(outage, end) == ["kept", "made before anybody looked", "queued"]
        assert world.one(end, 'SELECT "Phone" FROM "Account" WHERE "Name" = \'kept\'') == "later"
    world.update(side.other, "Account", str(world.other(side, kept)), Phone="back")
    world.insert(side, "Account", Name="after")
    world.settle()
    assert world.one(side, 'SELECT "Phone" FROM "Account" WHERE "Name" = \'kept\'') == "back"
    world.assert_equal()


def test_an_old_backup_on_another_server_is_joined_again(
    outage: OutageWorld, side: Side, home: LocalServer, young: LocalServer
) -> None:
    """QUE-3, VER-1: refused until resync; then what the backup lacks is back, and what was written there since goes."""
    world = outage.world
    world.connect("Account", "Contact")
    edited = world.insert(side, "Account", Name="edited")
    other_edit = world.insert(side, "Account", Name="edited there")
    world.settle()
    file = dump(outage, side, home)
    world.update(side, "Account", edited, Phone="lost")
    late = world.insert(side, "Account", Name="late")
    world.insert(side, "Account", Name="late too")
    world.insert(side, "Contact", LastName="child", AccountId=late)
    world.insert(side.other, "Account", Name="late, of the other")
    world.settle()
    assert world.other(side, other_edit)
    restore(outage, side, file, young)
    with client(outage, side) as there:
        there.execute('UPDATE "Account" SET "Fax" = \'restored\' WHERE "Name" = \'edited there\'')
        there.execute('INSERT INTO "Account" ("Name") VALUES (\'fresh\')')
    for command in (("drain",), ("verify",), ("bulk-sync",)):
        refused = outage.program(*command, CONNECTION)
        assert refused.exit_code == 1, refused.output
        assert f"the {side} org was restored from a backup" in refused.stderr
    mended = outage.program("resync", CONNECTION)
    assert mended.exit_code == 0, mended.output
    assert outage.program("drain", CONNECTION).exit_code == 0
    world = outage.open()
    world.settle()
    for end in (P, S):
        assert names(outage, end) == ["edited", "edited there", "fresh", "late", "late too", "late, of the other"]
        assert world.one(end, 'SELECT "Phone" FROM "Account" WHERE "Name" = \'edited\'') == "lost"
        assert world.one(end, 'SELECT "Fax" FROM "Account" WHERE "Name" = \'edited there\'') == "restored"
        assert world.count(end, "Contact") == 1
    # No Id is given twice, by neither of its counters.
    world.insert(side, "Account", Name="newest")
    world.insert(side.other, "Account", Name="newest, of the other")
    world.settle()
    assert len(names(outage, side)) == 8
    world.assert_equal()


@pytest.mark.parametrize("kinds", [("postgres", "postgres")], ids=["postgres"])
def test_positions_are_raised_for_all_at_once(outage: OutageWorld) -> None:
    """QUE-3: whoever has logged is waited for, and whoever reads meanwhile takes nothing for complete that it does not see."""
    world = outage.world
    world.connect("Account")
    url, _, schema = outage.addresses[P].partition("?schema=")
    with (
        psycopg.connect(url, options=f"-c search_path={schema}") as writer,
        open_store(outage.addresses[P], base=Path(), label="raiser", busy_seconds=1) as raiser,
        open_store(outage.addresses[P], base=Path(), label="reader") as reader,
    ):
        assert isinstance(raiser.db, PostgresDatabase)
        writer.execute('INSERT INTO "Account" ("Name") VALUES (\'first\')')
        with pytest.raises(Exception, match="another session is in the way"), raiser.transaction() as db:
            db.set_last_number("orgsync_change", 1_000_000_000)
        with reader.snapshot() as seen:
            end = seen.log_end()
            writer.commit()
            with raiser.transaction() as db:
                db.set_last_number("orgsync_change", 1_000_000_000)
            # A table that was not asked for yet lets the session hear of changed definitions.
            assert seen.execute('SELECT count(*) FROM "Contact"').fetchone() == (0,)
            assert seen.log_end() == end
        writer.execute('INSERT INTO "Account" ("Name") VALUES (\'second\')')
        writer.commit()
        rows = reader.db.execute("SELECT seq FROM orgsync_change ORDER BY n").fetchall()
        assert end < rows[-2][0] < 1_000_000_000 < rows[-1][0] <= reader.db.log_end()
    world.settle()
    world.assert_equal()
