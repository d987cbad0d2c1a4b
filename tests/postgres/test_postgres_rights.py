"""What a role may do that has rights on objects' tables and on nothing of ours, and what it cannot misuse (ORG-2, ORG-7)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from postgres_objects import changes, custom, make_object
from postgres_server import Server
from psycopg.errors import InsufficientPrivilege

from orgsync_reconcile.catalog import is_valid_id
from orgsync_reconcile.errors import UnreachableError
from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.stores.sql.connections import get_connection
from orgsync_reconcile.stores.sql.links import engine_write
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.urls import open_store

CLERK = f"clerk_{os.getpid()}"
RECORDS = "SELECT, INSERT, UPDATE, DELETE"


@pytest.fixture
def roles(postgres: Server, client: psycopg.Connection) -> Iterator[Callable[[str], None]]:
    """Makes roles, by the words after CREATE ROLE; the first word is its name."""
    made: list[str] = []

    def make(words: str) -> None:
        made.append(words.split()[0])
        run(client, f"CREATE ROLE {words}; GRANT USAGE ON SCHEMA acme TO {made[-1]}")

    yield make
    for name in made:
        run(client, f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.fixture
def login(url: str, roles: Callable[[str], None]) -> Iterator[Callable[[], psycopg.Connection]]:
    """Logs in as the clerk, who may do nothing yet but find the schema."""
    roles(f"{CLERK} LOGIN")
    with psycopg.connect(url.partition("?")[0].replace("orgsync@", f"{CLERK}@"), autocommit=True) as db:
        db.execute("SET search_path TO acme")
        yield lambda: db


def run(db: psycopg.Connection, statement: str) -> list[tuple[Any, ...]]:
    """Runs statements; gives the rows of the last one."""
    cursor = db.execute(statement)  # type: ignore[call-overload,unused-ignore]
    return cursor.fetchall() if cursor.description else []


def grant(client: psycopg.Connection, rights: str, *tables: str) -> None:
    named = ", ".join(f'acme."{table}"' for table in tables)
    run(client, f"GRANT {rights} ON {named} TO {CLERK}")


def test_rights_on_records_are_enough(
    org: Org, client: psycopg.Connection, login: Callable[[], psycopg.Connection], publish: Callable[..., None]
) -> None:
    """ORG-2, ORG-5 to ORG-7: Ids, numbers, the bin and capture work for who may not look at anything of ours."""
    publish("Account", "Name", "Phone")
    publish("Case", "Subject")
    grant(client, RECORDS, "Account", "Case")
    clerk = login()
    assert (
        run(
            client,
            f"SELECT 1 FROM pg_class WHERE relname ^@ 'orgsync_' AND relkind IN ('r', 'v', 'S') AND {may('SELECT')}",
        )
        == []
    )
    run(clerk, """INSERT INTO "Account" ("Name") VALUES ('one'), ('two')""")
    with clerk.cursor() as cursor, cursor.copy('COPY "Account" ("Name") FROM STDIN') as copy:
        copy.write_row(["three"])
    ids = [row[0] for row in run(clerk, 'SELECT "Id" FROM "Account" ORDER BY orgsync_row')]
    assert len(set(ids)) == 3
    assert all(is_valid_id(item) for item in ids)
    run(clerk, """UPDATE "Account" SET "Phone" = '1' WHERE "Name" = 'one'""")
    assert run(clerk, """INSERT INTO "Case" ("Subject") VALUES ('x') RETURNING "CaseNumber" """) == [("00000001",)]
    (case,) = run(clerk, 'SELECT "Id" FROM "Case"')[0]
    assert [(op, record) for op, record, _ in changes(org)] == [*(("I", i) for i in ids), ("U", ids[0]), ("I", case)]
    # With the right to the counter the default mints, from the same numbers.
    run(client, f'GRANT USAGE ON SEQUENCE acme."orgsync_Account_id" TO {CLERK}')
    run(clerk, """INSERT INTO "Account" ("Name") VALUES ('four')""")
    assert len(run(clerk, 'SELECT DISTINCT "Id" FROM "Account"')) == 4


def may(right: str) -> str:
    return (
        f"CASE WHEN relkind = 'S' THEN has_sequence_privilege('{CLERK}', oid, '{right}')"
        f" ELSE has_table_privilege('{CLERK}', oid, '{right}') END"
    )


def test_a_delete_takes_along_what_the_clerk_may_not_touch(
    org: Org, client: psycopg.Connection, login: Callable[[], psycopg.Connection], publish: Callable[..., None]
) -> None:
    """ORG-6: the bin needs the right to delete alone; children go and come with their parent, whoever may write them."""
    publish("Account", "Name")
    publish("Contact", "LastName")
    run(client, """INSERT INTO "Account" ("Name") VALUES ('x')""")
    run(client, """INSERT INTO "Contact" ("LastName", "AccountId") SELECT 'y', "Id" FROM "Account" """)
    run(client, "DELETE FROM orgsync_change")
    grant(client, "SELECT, DELETE", "Account")
    clerk = login()
    run(clerk, 'DELETE FROM "Account"')
    assert run(client, 'SELECT "IsDeleted" FROM "Contact"') == [(True,)]
    grant(client, "UPDATE", "Account")
    run(clerk, 'UPDATE "Account" SET "IsDeleted" = false')
    assert run(client, 'SELECT "IsDeleted" FROM "Contact"') == [(False,)]
    assert sorted(op for op, _, _ in changes(org)) == ["D", "D", "R", "R"]
    for statement in ('UPDATE "Contact" SET "LastName" = \'z\'', 'TRUNCATE "Account"', "DELETE FROM orgsync_change"):
        with pytest.raises(InsufficientPrivilege):
            run(clerk, statement)


@pytest.mark.parametrize("suppressed", [False, True], ids=["engine writes captured", "engine writes left out"])
def test_a_clerk_cannot_pass_for_the_engine(
    org: Org,
    client: psycopg.Connection,
    login: Callable[[], psycopg.Connection],
    publish: Callable[..., None],
    *,
    suppressed: bool,
) -> None:
    """ORG-7: whoever gives themselves the settings of the engine's mark is captured all the same, as the org's own."""
    publish("Account", "Name")
    if not suppressed:
        run(client, """CREATE FUNCTION acme.mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'""")
        run(client, 'CREATE TRIGGER mine AFTER INSERT ON "Account" EXECUTE FUNCTION acme.mine()')
        publish("Account", "Name", "Phone")
    assert org.engine.leaves_out_ours("Account") is suppressed
    grant(client, RECORDS, "Account")
    clerk = login()
    for depth in ("", "0", "1", "2"):
        run(clerk, f"SET orgsync.connection = '1'; SET orgsync.hops = '99'; SET orgsync.depth = '{depth}'")
        run(clerk, """INSERT INTO "Account" ("Name") VALUES ('x')""")
        run(clerk, """UPDATE "Account" SET "Name" = 'y' WHERE "Name" = 'x'""")
        run(clerk, """DELETE FROM "Account" WHERE "Name" = 'y' AND NOT "IsDeleted" """)
    assert [op for op, _, _ in changes(org)] == ["I", "U", "D"] * 4
    assert run(client, "SELECT DISTINCT origin, hops FROM orgsync_change") == [(None, None)]
    run(clerk, "SET orgsync.connection = 'nonsense'")
    run(clerk, """INSERT INTO "Account" ("Name") VALUES ('z')""")


def test_a_clerk_cannot_borrow_a_function_of_ours(
    org: Org, client: psycopg.Connection, login: Callable[[], psycopg.Connection], publish: Callable[..., None]
) -> None:
    """ORG-7: what runs with the owner's rights serves the org's tables only, and finds no names of a client's making."""
    publish("Account", "Name")
    make_object(org, custom("Auto__c", FieldType.AUTO_NUMBER, display_format="A-{0000}"))
    functions = run(
        client,
        "SELECT p.oid::regprocedure::text, p.proconfig FROM pg_proc AS p"
        " WHERE pronamespace = 'acme'::regnamespace AND prosecdef ORDER BY 1",
    )
    names = " ".join(name for name, _ in functions)
    for part in (
        "1_mint",
        "3_number",
        "capture_insert",
        "capture_update",
        "given_id",
        "soft_delete",
        "cascade",
        "restore",
    ):
        assert part in names
    clerk = login()
    run(clerk, 'CREATE TEMP TABLE bait ("Id" text, "IsDeleted" boolean)')
    for name, settings in functions:
        assert settings == ["search_path=pg_catalog, acme, pg_temp"]
        with pytest.raises(InsufficientPrivilege):
            run(clerk, f"CREATE TRIGGER borrowed BEFORE DELETE ON pg_temp.bait FOR EACH ROW EXECUTE FUNCTION {name}")
    grant(client, RECORDS, "Account", "Thing__c")
    run(client, f"CREATE SCHEMA evil AUTHORIZATION {CLERK}")
    run(
        clerk,
        "CREATE FUNCTION evil.to_hex(bigint) RETURNS text LANGUAGE sql AS $$ SELECT 'evil' $$;"
        "CREATE FUNCTION evil.nextval(regclass) RETURNS bigint LANGUAGE sql AS 'SELECT 666';"
        "CREATE FUNCTION evil.pg_trigger_depth() RETURNS int LANGUAGE sql AS 'SELECT 1/0';"
        "CREATE FUNCTION evil.statement_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz';"
        "SET search_path TO evil, pg_catalog",
    )
    run(clerk, """INSERT INTO acme."Account" ("Name") VALUES ('x'); DELETE FROM acme."Account" """)
    run(clerk, """INSERT INTO acme."Thing__c" ("Name") VALUES ('x')""")
    (record,) = run(client, 'SELECT "Id" FROM "Account"')[0]
    assert is_valid_id(record)
    assert [(op, who) for op, who, _ in changes(org)] == [("I", record), ("D", record)]
    run(client, "DROP SCHEMA evil CASCADE")


def test_who_may_be_the_engine(
    url: str, org: Org, client: psycopg.Connection, roles: Callable[[str], None], publish: Callable[..., None]
) -> None:
    """ORG-7: a role that inherits the owner's rights works; one that only puts them on is told so before it writes."""
    publish("Account", "Name")
    name = f"service_{os.getpid()}"
    roles(f"{name}_owner")
    roles(f"{name}_member LOGIN IN ROLE {name}_owner")
    roles(f"{name}_guest LOGIN NOINHERIT IN ROLE {name}_owner")
    run(client, f"GRANT ALL ON ALL TABLES IN SCHEMA acme TO {name}_owner")
    run(client, f"GRANT ALL ON ALL SEQUENCES IN SCHEMA acme TO {name}_owner")
    with open_store(url.replace("orgsync@", f"{name}_member@"), base=Path(), label="acme") as opened:
        number = get_connection(opened, "dr").number
        with opened.transaction() as db, engine_write(opened, number, "Account"):
            db.execute("""INSERT INTO "Account" ("Name") VALUES ('x')""")
    assert changes(org) == []
    put_on = f"{url.replace('orgsync@', f'{name}_guest@')}&options=-c%20role%3D{name}_owner"
    with pytest.raises(UnreachableError, match=f"{name}_guest may not write what orgsync keeps there") as caught:
        open_store(put_on, base=Path(), label="acme")
    assert "inherits its rights" in caught.value.hint
