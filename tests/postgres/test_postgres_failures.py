"""What goes wrong with a PostgreSQL server, told in one line: what, where, what to do next (SUS-3, REC-11)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from postgres_objects import insert
from postgres_server import Server, name_of

from orgsync_reconcile.errors import (
    MetadataError,
    OrgsyncError,
    StoreBusyError,
    StoreFullError,
    UnreachableError,
    UsageError,
)
from orgsync_reconcile.stores.postgres.handle import PostgresOrg
from orgsync_reconcile.stores.postgres.local_server import LocalServer, local_server
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.urls import create_store, open_store

ADD = """INSERT INTO "Account" ("Name") VALUES ('x')"""


@pytest.fixture(scope="module")
def place(postgres: Server, template: str) -> Iterator[str]:
    """The address of an org that all these tests share, each with sessions of its own."""
    url = postgres.database(name_of(template))
    yield f"{url}?schema=acme"
    postgres.drop(url)


@contextmanager
def opened(address: str, busy_seconds: float = 30.0) -> Iterator[PostgresOrg]:
    org = open_store(address, base=Path(), label="acme", busy_seconds=busy_seconds)
    assert isinstance(org, PostgresOrg)
    try:
        yield org
    finally:
        org.close()


def told(error: OrgsyncError) -> str:
    """The one line that a person reads, which says whose trouble it is and what to do."""
    assert "\n" not in str(error)
    assert error.hint
    assert "run with -vv" not in error.hint
    return str(error)


def client(address: str) -> psycopg.Connection:
    return psycopg.connect(address.partition("?")[0], autocommit=True, options="-c search_path=acme")


def pid(org: PostgresOrg) -> int:
    return org.session.connection.info.backend_pid


def test_a_record_that_another_session_holds(place: str) -> None:
    """SUS-3: who waits for a lock for too long is told to try again; nothing of the step is kept."""
    with client(place) as other, opened(place, busy_seconds=0.2) as org:
        insert(other, "Account", Name="held")
        with other.transaction():
            other.execute('UPDATE "Account" SET "Phone" = %s', ["1"])
            with (
                pytest.raises(StoreBusyError, match="another session is in the way") as caught,
                org.transaction() as db,
            ):
                db.execute(ADD)
                db.execute('UPDATE "Account" SET "Phone" = ?', ["2"])
        told(caught.value)
        assert not org.db.in_transaction
        assert org.db.execute("""SELECT count(*) FROM "Account" WHERE "Name" = 'x'""").fetchone() == (0,)


def test_two_sessions_that_wait_for_each_other(place: str) -> None:
    """SUS-3: of a deadlock one session goes on, the other is told to try again."""
    with client(place) as other, opened(place) as org:
        first, second = insert(other, "Account", Name="d1"), insert(other, "Account", Name="d2")
        change = 'UPDATE "Account" SET "Phone" = {} WHERE "Id" = {}'
        other.execute("SET deadlock_timeout = '5s'")
        org.session.run("SET deadlock_timeout = '100ms'")
        other.execute("BEGIN")
        other.execute(change.format("%s", "%s"), ["1", first])  # type: ignore[call-overload,unused-ignore]
        with pytest.raises(StoreBusyError, match="deadlock detected") as caught, org.transaction() as db:
            db.execute(change.format("?", "?"), ["2", second])
            cross = threading.Thread(
                target=other.execute,
                args=[change.format("%s", "%s"), ["1", second]],  # type: ignore[arg-type,unused-ignore]
            )
            cross.start()
            db.execute(change.format("?", "?"), ["2", first])
        cross.join()
        other.execute("COMMIT")
        told(caught.value)


def test_a_transaction_that_cannot_be_put_in_order(place: str) -> None:
    """SUS-3: a serialization failure is worth another try."""
    with client(place) as other, opened(place) as org:
        record = insert(other, "Account", Name="s")
        with pytest.raises(StoreBusyError, match="concurrent update") as caught, org.snapshot() as db:
            db.execute('SELECT count(*) FROM "Account"').fetchone()
            other.execute('UPDATE "Account" SET "Phone" = %s WHERE "Id" = %s', ["1", record])
            db.execute('UPDATE "Account" SET "Phone" = ? WHERE "Id" = ?', ["2", record])
        told(caught.value)


@pytest.mark.parametrize(
    ("setting", "statement", "kind", "words"),
    [
        ("statement_timeout = '50ms'", "SELECT pg_sleep(5)", StoreBusyError, "the server ended a statement"),
        ("default_transaction_read_only = on", ADD, UnreachableError, "takes no writes: it is a standby"),
        (
            "temp_file_limit = '64kB'; SET work_mem = '64kB'",
            "SELECT count(*) FROM (SELECT i FROM generate_series(1, 1000000) AS i ORDER BY i DESC) AS x",
            StoreFullError,
            "no room left",
        ),
        (
            "lc_messages = 'C'",
            "DO 'BEGIN RAISE EXCEPTION ''could not extend file'' USING ERRCODE = ''disk_full''; END'",
            StoreFullError,
            "no room left, and nothing of the last step was kept: could not extend file",
        ),
    ],
)
def test_what_a_server_may_refuse(
    place: str, setting: str, statement: str, kind: type[OrgsyncError], words: str
) -> None:
    """SUS-3: limits of time and room, and a server that takes no writes, each with its own word."""
    with opened(place) as org:
        org.session.run(f"SET {setting}")
        with pytest.raises(kind, match=words) as caught, org.transaction() as db:
            db.execute(statement)
        told(caught.value)
        assert not org.db.in_transaction


def test_a_session_that_was_cut(place: str) -> None:
    """SUS-3: an org whose session was cut cannot be reached any more; opened again, it is there."""
    with client(place) as other, opened(place) as org:
        with pytest.raises(UnreachableError, match="the server cannot be reached") as caught, org.transaction() as db:
            db.execute(ADD.replace("'x'", "'cut'"))
            other.execute("SELECT pg_terminate_backend(%s)", [pid(org)])
            db.execute(ADD)
        told(caught.value)
        assert not org.db.in_transaction
        for use in (org.require_in_place, lambda: org.transaction().__enter__(), lambda: org.snapshot().__enter__()):
            with pytest.raises(UnreachableError):
                use()
        with opened(place) as again:
            again.require_in_place()
            assert again.db.execute("""SELECT count(*) FROM "Account" WHERE "Name" = 'cut'""").fetchone() == (0,)


def test_a_lock_ends_with_its_session(place: str) -> None:
    """REC-4: a run whose session was cut holds nobody up."""
    with client(place) as other, opened(place) as one, opened(place) as two:
        release = one.hold("apply", 0)
        assert release is not None
        assert two.hold("apply", 0) is None
        other.execute("SELECT pg_terminate_backend(%s)", [pid(one)])
        assert two.hold("apply", 5) is not None
        with pytest.raises(psycopg.Error):
            one.db.execute("SELECT 1")
        release()


def test_an_org_that_is_gone(postgres: Server, template: str) -> None:
    """SUS-3: somebody dropped the schema, or put another org in its place, while it was open."""
    url = postgres.database(name_of(template))
    with opened(f"{url}?schema=acme") as org, client(f"{url}?") as other:
        other.execute("ALTER SCHEMA acme RENAME TO moved")
        with pytest.raises(UnreachableError, match="the org is gone from its schema") as caught:
            org.require_in_place()
        told(caught.value)
        create_store(f"{url}?schema=acme", NewOrg(name="other"), base=Path()).close()
        with pytest.raises(UnreachableError, match="another org stands at"):
            org.require_in_place()
    postgres.drop(url)


def test_a_role_without_rights(postgres: Server, place: str) -> None:
    """SUS-3: who may not use the schema, or not write it, is told to connect as its owner."""
    with client(place) as other:
        other.execute("DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN")
        address = place.replace("orgsync@", "clerk@")
        with pytest.raises(UnreachableError, match="permission denied for schema acme") as caught, opened(address):
            pass
        told(caught.value)
        other.execute("GRANT USAGE ON SCHEMA acme TO clerk; GRANT SELECT ON ALL TABLES IN SCHEMA acme TO clerk")
        with pytest.raises(UnreachableError, match="clerk may not write what orgsync keeps") as caught, opened(address):
            pass
        told(caught.value)
        other.execute("DROP OWNED BY clerk; DROP ROLE clerk")


def test_what_stands_in_the_way_of_a_change(place: str) -> None:
    """ORG-4: a column that a view of the org's own reads cannot go; the view is named."""
    with client(place) as other, opened(place) as org:
        other.execute('CREATE VIEW phones AS SELECT "Phone" FROM "Account"')
        with pytest.raises(MetadataError, match="view phones") as caught, org.transaction() as db:
            db.execute('ALTER TABLE "Account" DROP COLUMN "Phone"')
        told(caught.value)
        other.execute("DROP VIEW phones")


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda a: a + "&sslmode=require", UnreachableError, "server does not support SSL"),
        (lambda a: a + "&sslmode=maybe", UnreachableError, "invalid sslmode value"),
        (lambda a: a + "&colour=red", UsageError, "not a server's address"),
        (lambda a: a.replace("orgsync@", "me:hunter2%zz@"), UsageError, "not a server's address"),
        (lambda a: a.replace("/orgsync_test", "/absent"), UnreachableError, "does not exist"),
        (lambda a: a.replace("orgsync@", "nobody:hunter2@"), UnreachableError, 'role "nobody" does not exist'),
        (lambda _: "postgresql:///x?host=/nowhere&password=hunter2", UnreachableError, "cannot be reached"),
        (lambda _: "postgresql:///?service=absent", UnreachableError, "absent"),
    ],
)
def test_an_address_that_leads_nowhere(place: str, change: object, kind: type[OrgsyncError], words: str) -> None:
    """SUS-3, REC-11: what is wrong with an address is said, and no secret of it."""
    assert callable(change)
    with pytest.raises(kind, match=words) as caught, opened(change(place)):
        pass
    assert "hunter2" not in told(caught.value)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A server of these tests' own, to stop and to lock, with room for few sessions."""
    settings = {"max_connections": "5", "superuser_reserved_connections": "0", "autovacuum": "off"}
    with local_server(settings=settings) as server:
        yield server


def test_a_server_that_stops_restarts_and_is_full(strict: LocalServer) -> None:
    """SUS-3: a server that stops in mid-statement, one that is away, one that takes no more sessions; then all is well."""
    address = f"{strict.url}?schema=acme"
    create_store(address, NewOrg(name="acme"), base=Path()).close()
    with opened(address) as org:
        stop = threading.Timer(0.3, strict.stop, kwargs={"immediately": True})
        stop.start()
        with pytest.raises(UnreachableError) as caught, org.transaction() as db:
            db.execute(ADD)
            db.execute("SELECT pg_sleep(10)")
        told(caught.value)
        stop.join()
        with pytest.raises(UnreachableError):
            org.require_in_place()
    with pytest.raises(UnreachableError, match="Connection refused") as caught, opened(address):
        pass
    told(caught.value)
    strict.start()
    with opened(address) as again:
        assert again.db.execute('SELECT count(*) FROM "Account"').fetchone() == (0,)
        crowd = [psycopg.connect(strict.url) for _ in range(4)]
        with pytest.raises(StoreBusyError, match="takes no more sessions") as busy, opened(address):
            pass
        told(busy.value)
        for one in crowd:
            one.close()


def test_a_wrong_password(strict: LocalServer) -> None:
    """REC-11: neither the right nor the wrong one is shown; a password file is used."""
    with psycopg.connect(strict.url, autocommit=True) as db:
        db.execute("DROP ROLE IF EXISTS keeper; CREATE ROLE keeper LOGIN PASSWORD 'hunter2' SUPERUSER")
        hba = strict.folder / "data" / "pg_hba.conf"
        hba.write_text(f"host all keeper 127.0.0.1/32 scram-sha-256\n{hba.read_text()}")
        db.execute("SELECT pg_reload_conf()")
    address = f"{strict.url}?schema=acme".replace("orgsync@", "keeper:wrong!@")
    with pytest.raises(UnreachableError, match="password authentication failed") as caught, opened(address):
        pass
    assert "wrong!" not in told(caught.value)
    with opened(address.replace("wrong!", "hunter2")) as org:
        assert "hunter2" not in org.place


def test_settings_of_the_address_stay(place: str) -> None:
    """ORG-2: options that an address or a service gives its sessions are kept beside ours."""
    with opened(f"{place}&options=-c%20statement_timeout%3D77s&application_name=nightly", busy_seconds=7) as org:
        shown = [org.db.execute(f"SHOW {name}").fetchone()[0] for name in ("statement_timeout", "lock_timeout")]
        assert shown == ["77s", "7s"]
        assert org.db.execute("SHOW application_name").fetchone() == ("nightly",)


def test_a_service_file_names_the_server(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """REC-11: the address names a service; host, database and role stand in its file."""
    url = psycopg.conninfo.conninfo_to_dict(place.partition("?")[0])
    words = "\n".join(f"{key}={url[key]}" for key in ("host", "port", "user", "dbname"))
    (tmp_path / "services").write_text(f"[acme]\n{words}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    with opened("postgresql:///?service=acme&schema=acme") as org:
        assert org.place == "postgresql:///?service=acme&schema=acme"
        assert isinstance(org, Org)
