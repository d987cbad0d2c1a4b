"""A session that ends in the middle of a drain, wherever that is: nothing is lost, nothing comes twice (QUE-3, SUS-3)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from outage_world import OutageWorld, eventually
from sync_world import P, S, World

from orgsync_reconcile.errors import OrgsyncError, UnreachableError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.postgres import transport
from orgsync_reconcile.stores.postgres.database import PostgresDatabase
from orgsync_reconcile.stores.postgres.silence import WatchedConnection
from orgsync_reconcile.stores.sql.flow import Flow, send_batch

#: How many of a drain's statements are cut short.
CUTS = 10


class Knife:
    """Watches the statements of the sessions in `watched`, and ends a session at statement number `at`.

    With `behind` the statement is carried out, and the session ends before it is told so.
    """

    def __init__(self, watched: Sequence[PostgresDatabase]) -> None:
        self.watched = watched
        self.statements: list[str] = []
        self.at = 0
        self.behind = False

    def execute(self, db: PostgresDatabase, sql: str, *parameters: Any) -> Any:
        if db not in self.watched:
            return PLAIN(db, sql, *parameters)
        self.statements.append(sql)
        if len(self.statements) != self.at:
            return PLAIN(db, sql, *parameters)
        if self.behind:
            PLAIN(db, sql, *parameters)
        end_session(db)
        return PLAIN(db, "SELECT 'an answer that never comes'")


PLAIN = PostgresDatabase.execute


def end_session(db: PostgresDatabase) -> None:
    """As an administrator does, from another session."""
    info = db.connection.info
    with psycopg.connect(
        host=info.host, port=info.port, user=info.user, dbname=info.dbname, autocommit=True
    ) as administrator:
        administrator.execute("SELECT pg_terminate_backend(%s)", [info.backend_pid])
        there = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
        eventually(lambda: administrator.execute(there, [info.backend_pid]).fetchone() is None)


@contextmanager
def knife(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Knife]:
    """Watches the program's sessions, as long as the block lasts."""
    held = Knife([org.db for org in world.orgs.values() if isinstance(org.db, PostgresDatabase)])
    with monkeypatch.context() as patch:
        patch.setattr(PostgresDatabase, "execute", lambda db, sql, *more: held.execute(db, sql, *more))
        yield held


def change(world: World, number: int) -> None:
    """Something of everything, in both orgs."""
    for side in (P, S):
        parent = world.insert(side, "Account", Name=f"{side} {number}")
        world.insert(side, "Contact", LastName=f"{side} {number}", AccountId=parent)
        world.clients[side].execute('UPDATE "Account" SET "Phone" = ? WHERE "Name" = ?', [str(number), "both"])
    world.clients[P].execute('DELETE FROM "Contact" WHERE "LastName" = ?', [f"primary {number - 1}"])


def check(world: World) -> None:
    """Both agree, and every record is there once."""
    world.settle()
    world.assert_equal()
    for side in (P, S):
        for table, column in (("Account", "Name"), ("Contact", "LastName")):
            twice = f'SELECT "{column}" FROM "{table}" WHERE "IsDeleted" = FALSE GROUP BY 1 HAVING count(*) > 1'
            assert world.clients[side].execute(twice).fetchall() == []


def test_a_session_is_cut_at_any_statement(
    outage: OutageWorld, kinds: tuple[str, ...], side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    """QUE-3: while reading, staging, writing, committing, with the outcome unknown, and while the source is told."""
    world = outage.world
    world.connect("Account", "Contact")
    world.insert(P, "Account", Name="both")
    world.settle()
    change(world, 1)
    with knife(world, monkeypatch) as held:
        world.drain()
    commits = [place for place, sql in enumerate(held.statements, 1) if sql == "COMMIT"]
    assert len(commits) >= 2
    spread = [1 + place * (len(held.statements) - 1) // (CUTS - 1) for place in range(CUTS)]
    places = [(place, False) for place in sorted({*spread, *commits})] + [(place, True) for place in commits]
    # The pairings share them: together they cut everywhere.
    for number, (place, behind) in enumerate(places[kinds[0] == kinds[1] :: 2], 2):
        change(world, number)
        with knife(world, monkeypatch) as held:
            held.at, held.behind = place, behind
            with pytest.raises((OrgsyncError, psycopg.Error)) as caught:
                world.drain()
                # It may have had a statement less to do.
                end_session(world.orgs[side].db)
                world.drain()
        if isinstance(caught.value, OrgsyncError):
            assert isinstance(caught.value, UnreachableError), caught.value
            assert "\n" not in str(caught.value)
        world = outage.open()
        world.drain()
    check(world)


@pytest.mark.parametrize("kinds", [("postgres", "postgres")], ids=["postgres"])
def test_two_who_hold_what_the_other_wants(outage: OutageWorld) -> None:
    """QUE-3: a deadlock with a user's transaction: the server ends the drain's, which takes the batch again by itself."""
    world = outage.world
    world.connect("Account")
    records = [world.insert(P, "Account", Name=str(number)) for number in range(2)]
    world.settle()
    there = [str(world.other(P, record)) for record in records]
    for record in records:
        world.update(P, "Account", record, Phone="from the primary")
    url, _, schema = outage.addresses[S].partition("?schema=")
    with psycopg.connect(url, options=f"-c search_path={schema} -c deadlock_timeout=20s") as user:
        first = user.execute('UPDATE "Account" SET "Fax" = \'f\' WHERE "Id" = %s', [there[1]])
        assert first.rowcount == 1
        failed: list[BaseException] = []

        def drain() -> None:
            try:
                world.drain()
            except BaseException as error:
                failed.append(error)

        runner = threading.Thread(target=drain)
        runner.start()
        waits = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'orgsync' AND wait_event_type = 'Lock'"
        with psycopg.connect(url, autocommit=True) as administrator:
            eventually(lambda: administrator.execute(waits).fetchone())
        # The drain waits for the second record and has the first one.
        user.execute('UPDATE "Account" SET "Fax" = \'f\' WHERE "Id" = %s', [there[0]])
        user.commit()
        runner.join(30)
    assert not failed, failed
    check(world)
    rows = 'SELECT "Phone", "Fax" FROM "Account"'
    assert world.clients[P].execute(rows).fetchall() == [("from the primary", "f")] * 2


@pytest.mark.parametrize("kinds", [("postgres", "postgres")], ids=["postgres"])
def test_transactions_that_may_not_see_one_another(outage: OutageWorld) -> None:
    """QUE-3: an address that asks for serializable transactions: what the server ends is taken again by itself."""
    outage.world.connect("Account")
    for side in (P, S):
        outage.addresses[side] += "&options=-c%20default_transaction_isolation%3Dserializable"
    world = outage.open()
    record = world.insert(P, "Account", Name="x")
    world.settle()
    there = str(world.other(P, record))
    plain = PostgresDatabase.execute
    edits = ["1", "2"]

    def disturbed(db: PostgresDatabase, sql: str, *more: Any) -> Any:
        if edits and db is world.orgs[S].db and "set_config" in sql:
            plain(world.clients[S], 'UPDATE "Account" SET "Fax" = ?', [edits.pop()])
        return plain(db, sql, *more)

    world.update(P, "Account", record, Phone="p")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PostgresDatabase, "execute", disturbed)
        world.drain()
    assert not edits
    check(world)
    assert world.get(S, "Account", there, "Phone") == "p"


@pytest.mark.parametrize("kinds", [("postgres", "sqlite")], ids=["postgres"])
@pytest.mark.parametrize(
    ("limit", "words"), [("statement_timeout", "raise statement_timeout"), ("lock_timeout", "let it finish")]
)
def test_a_limit_of_the_server(outage: OutageWorld, limit: str, words: str) -> None:
    """SUS-3: a statement that waits for longer than it may: one line, nothing kept, nobody suspended; then it goes on."""
    world = outage.world
    world.connect("Account")
    record = world.insert(P, "Account", Name="x")
    world.settle()
    world.clients[S].execute('UPDATE "Account" SET "Phone" = \'s\'')
    outage.addresses[P] += f"&options=-c%20{limit}%3D300ms"
    outage.open()
    url = outage.addresses[P].partition("?")[0]
    with psycopg.connect(url, options="-c search_path=acme") as user:
        user.execute('UPDATE "Account" SET "Fax" = \'f\' WHERE "Id" = %s', [record])
        result = outage.program("drain")
        assert result.exit_code == 1, result.output
        (line,) = result.stderr.strip().splitlines()
        assert words in line
        user.commit()
    assert outage.reason(S) == ""
    assert outage.program("drain").exit_code == 0
    assert outage.world.get(P, "Account", record, "Phone") == "s"


@pytest.mark.parametrize("kinds", [("postgres", "postgres")], ids=["postgres"])
def test_sessions_that_rest_are_not_forgotten(outage: OutageWorld) -> None:
    """SUS-3: what an administrator sets for sessions that rest in a transaction is not meant for ours; it can be."""
    with psycopg.connect(outage.addresses[P].partition("?")[0], autocommit=True) as administrator:
        name = administrator.info.dbname
        administrator.execute(f"ALTER DATABASE \"{name}\" SET idle_in_transaction_session_timeout = '100ms'")
        administrator.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    world = outage.open()
    with world.orgs[P].snapshot() as db:
        db.execute("SELECT 1").fetchone()
        with psycopg.connect(outage.addresses[S].partition("?")[0]) as other:
            other.execute("SELECT pg_sleep(0.4)")
        db.execute("SELECT 1").fetchone()
    shown = {
        name: world.orgs[P].db.execute(f"SHOW {name}").fetchone()[0]
        for name in ("synchronous_commit", "tcp_keepalives_idle", "client_connection_check_interval")
    }
    assert shown == {
        "synchronous_commit": "local",
        "tcp_keepalives_idle": "5",
        "client_connection_check_interval": "2s",
    }
    outage.addresses[P] += "&options=-c%20idle_in_transaction_session_timeout%3D50ms&keepalives_idle=77"
    world = outage.open()
    assert world.orgs[P].db.execute("SHOW idle_in_transaction_session_timeout").fetchone() == ("50ms",)
    assert dict(world.orgs[P].db.connection.info.get_parameters())["keepalives_idle"] == "77"  # type: ignore[attr-defined]


@pytest.mark.parametrize("kinds", [("postgres", "postgres")], ids=["postgres"])
def test_whoever_lost_the_lease_is_waited_for(outage: OutageWorld) -> None:
    """QUE-3: the session with the lease is cut while its batch is being written; the next one takes nothing twice."""
    world = outage.world
    world.connect("Account")
    world.insert(P, "Account", Name="before")
    world.settle()
    world.insert(P, "Account", Name="once")
    first = world.pair
    flow = Flow(first, P)
    with first.orgs[S].transaction():
        flow.take_turn()
        send_batch(flow, 100, world.clock())
        end_session(world.orgs[P].db)  # type: ignore[arg-type]
        other = OutageWorld(outage.addresses, outage.folder)
        failed: list[BaseException] = []

        def drain() -> None:
            try:
                other.world.drain()
            except BaseException as error:
                failed.append(error)

        runner = threading.Thread(target=drain)
        runner.start()
        waits = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'orgsync' AND wait_event_type = 'Lock'"
        with psycopg.connect(outage.addresses[S].partition("?")[0], autocommit=True) as administrator:
            eventually(lambda: administrator.execute(waits).fetchone())
    runner.join(30)
    other.close()
    assert not failed, failed
    world = outage.open()
    assert world.count(S, "Account") == 2
    refused = 'SELECT "ConnectionEvent", "Description" FROM "PartnerNetworkSyncLog"'
    assert [row for end in (P, S) for row in world.clients[end].execute(refused)] == []
    check(world)


@pytest.mark.parametrize("kinds", [("postgres", "sqlite"), ("sqlite", "postgres")], ids=["first", "second"])
@pytest.mark.parametrize("within", [True, False], ids=["in a transaction", "outside"])
def test_a_cut_session_is_no_outage(
    outage: OutageWorld, side: Side, monkeypatch: pytest.MonkeyPatch, within: bool
) -> None:
    """SUS-3: the server is there all the time: nobody is suspended, and one line says to run the command again."""
    world = outage.world
    world.connect("Account")
    world.insert(side.other, "Account", Name="x")
    ours = [org.db for org in world.orgs.values()] + list(world.clients.values())
    cut: list[PostgresDatabase] = []

    def once(db: PostgresDatabase, sql: str, *more: Any) -> Any:
        if not cut and db not in ours and "orgsync_inbox" in sql and db.in_transaction is within:
            cut.append(db)
            end_session(db)
        return PLAIN(db, sql, *more)

    with monkeypatch.context() as patch:
        patch.setattr(PostgresDatabase, "execute", once)
        result = outage.program("drain")
    assert cut
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.strip().splitlines()
    assert line.endswith("both orgs can be reached again: run this again")
    assert outage.reason(side.other) == ""
    assert outage.program("drain").exit_code == 0
    check(outage.open())
    assert outage.world.count(side, "Account") == 1


@pytest.mark.parametrize("kinds", [("postgres", "postgres")], ids=["postgres"])
def test_a_session_that_ends_while_rows_are_streamed(outage: OutageWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """SUS-3: the client's library says so without a code of the server's; it is the same outage."""
    world = outage.world
    world.connect("Account")
    world.insert(P, "Account", Name="x")
    rows_out = transport._rows_out

    def cut(source: PostgresDatabase, statement: str) -> Iterator[bytes]:
        end_session(source)
        return rows_out(source, statement)

    with monkeypatch.context() as patch:
        patch.setattr(transport, "_rows_out", cut)
        with pytest.raises(UnreachableError, match="cannot be reached"):
            world.drain()
    world = outage.open()
    check(world)
    assert world.count(S, "Account") == 1


@pytest.mark.parametrize("kinds", [("postgres", "sqlite")], ids=["postgres"])
def test_a_session_that_ends_as_soon_as_it_began(outage: OutageWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """SUS-3: it is told like any other that was cut."""
    connect = WatchedConnection.connect

    def cut(*args: Any, **words: Any) -> Any:
        made = connect(*args, **words)
        with psycopg.connect(outage.addresses[P].partition("?")[0], autocommit=True) as administrator:
            administrator.execute("SELECT pg_terminate_backend(%s, 5000)", [made.info.backend_pid])
        return made

    monkeypatch.setattr(WatchedConnection, "connect", cut)
    with pytest.raises(UnreachableError, match="cannot be reached"):
        outage.open()
