"""An org in a schema of a PostgreSQL server: made, opened, refused; any client's rows are records (ORG-1 to ORG-7)."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from orgsync_reconcile.catalog.ids import checksum18
from orgsync_reconcile.errors import StoreError, UnreachableError, UsageError
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.urls import create_store, open_store

BASE = Path()


def test_made_and_opened_again(org: Org) -> None:
    """ORG-1: an org lies in a schema of its own, with its administrator; what names it holds no password."""
    row = org.db.execute('SELECT "Username" FROM "User"').fetchone()
    assert row == ("admin@acme.example",)
    assert org.place.endswith("?schema=acme")


def test_a_schema_that_is_taken(url: str, org: Org) -> None:
    """ORG-1: nothing is ever put over something else."""
    with pytest.raises(StoreError, match="the schema acme holds something already"):
        create_store(url, NewOrg(name="other"), base=BASE)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda url: url.replace("schema=acme", "schema=nobody"), "there is no org at"),
        (lambda url: url.replace("/orgsync_test", "/no_such"), "the server cannot be reached"),
        (lambda _: "postgresql://127.0.0.1:1/x?schema=acme", "the server cannot be reached"),
    ],
)
def test_an_org_that_is_not_there(url: str, change: object, what: str) -> None:
    """SUS-3: a missing schema, database or server is told apart from an org, with what to do."""
    assert callable(change)
    with pytest.raises(UnreachableError, match=what) as caught:
        open_store(change(url), base=BASE)
    assert caught.value.hint


@pytest.mark.parametrize(
    "address", ["postgresql://h/d?schema=A-b", "postgresql://h/d?schema=pg_x", "postgresql://h:x/d"]
)
def test_what_is_no_address(address: str) -> None:
    """ORG-1: a schema has a plain name, a port is a number."""
    with pytest.raises(UsageError):
        open_store(address, base=BASE)


def test_a_password_is_never_shown() -> None:
    """REC-11: messages name a server without what opens it."""
    with pytest.raises(UnreachableError) as caught:
        open_store("postgresql://me:hunter2@127.0.0.1:1/x?schema=acme", base=BASE)
    assert "hunter2" not in str(caught.value)


def test_any_client_makes_records(client: psycopg.Connection, org: Org) -> None:
    """ORG-2, ORG-5: a row with a name is enough: Id, owner, dates and number come by themselves."""
    client.execute('INSERT INTO "Account" ("Name", "AnnualRevenue") VALUES (%s, 12.5)', ["Acme"])
    row = client.execute(
        'SELECT "Id", "OwnerId", "IsDeleted", "CreatedDate" = "LastModifiedDate" FROM "Account"'
    ).fetchone()
    assert row is not None
    assert row[0] == f"001{org.code}000000001{checksum18(f'001{org.code}000000001')}"
    assert row[1:] == (org.admin_id, False, True)
    client.execute('INSERT INTO "Case" ("Subject") VALUES (%s)', ["x"])
    assert client.execute('SELECT "CaseNumber" FROM "Case"').fetchone() == ("00000001",)


def test_values_look_as_in_every_store(client: psycopg.Connection, org: Org) -> None:
    """ORG-2: times are ISO text in UTC, numbers are scaled, checkboxes are 0 and 1."""
    client.execute(
        'INSERT INTO "Opportunity" ("Name", "StageName", "CloseDate", "Amount") VALUES (%s, %s, %s, 12.5)',
        ["x", "Prospecting", "2026-03-02"],
    )
    row = org.db.execute('SELECT "Amount", "CloseDate", "IsDeleted", "CreatedDate" FROM "Opportunity"').fetchone()
    assert row[:3] == (1250, "2026-03-02", 0)
    assert len(row[3]) == len("2026-03-02T06:30:00.000Z")
    assert row[3].endswith("Z")


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("""INSERT INTO "Account" ("Phone") VALUES ('1')""", "REQUIRED_FIELD_MISSING:Name"),
        ("""INSERT INTO "Account" ("Name") VALUES (repeat('x', 256))""", "STRING_TOO_LONG:Name"),
        ("""INSERT INTO "Account" ("Name", "ParentId") VALUES ('x', '001')""", "MALFORMED_ID:ParentId"),
        ("""INSERT INTO "Account" ("Id", "Name") VALUES ('001', 'x')""", "MALFORMED_ID:Id"),
        (
            """INSERT INTO "Account" ("Name", "AnnualRevenue") VALUES ('x', 1e19)""",
            "NUMBER_OUTSIDE_VALID_RANGE:AnnualRevenue",
        ),
    ],
)
def test_a_client_reads_the_platforms_word(client: psycopg.Connection, statement: str, constraint: str) -> None:
    """ORG-4: the database refuses, in the platform's words."""
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        client.execute(statement)  # type: ignore[call-overload,unused-ignore]
    assert caught.value.diag.constraint_name == constraint


def test_an_id_that_is_not_minted_yet(client: psycopg.Connection, org: Org) -> None:
    """ORG-5: an Id of this org ahead of its counters would be minted once more."""
    ahead = f"001{org.code}0000000ff{checksum18(f'001{org.code}0000000ff')}"
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        client.execute('INSERT INTO "Account" ("Id", "Name") VALUES (%s, %s)', [ahead, "x"])
    assert caught.value.diag.constraint_name == "MALFORMED_ID:Id"
    assert client.execute('SELECT count(*) FROM "Account"').fetchone() == (0,)


def test_a_record_keeps_its_id(client: psycopg.Connection) -> None:
    """ORG-5: nobody gives a record another Id."""
    client.execute("""INSERT INTO "Account" ("Name") VALUES ('x')""")
    with pytest.raises(psycopg.errors.CheckViolation, match="keeps its Id"):
        client.execute("""UPDATE "Account" SET "Id" = '001zzz000000001AAA'""")


def test_a_delete_takes_children_along_and_brings_them_back(client: psycopg.Connection) -> None:
    """ORG-6: deleted records stay in the bin with their children, and come back with them; emptied, they are gone."""
    client.execute("""INSERT INTO "Account" ("Name") VALUES ('x')""")
    client.execute("""INSERT INTO "Contact" ("LastName", "AccountId") SELECT 'y', "Id" FROM "Account" """)
    client.execute("""INSERT INTO "Case" ("Subject", "AccountId") SELECT 'z', "Id" FROM "Account" """)
    client.execute('DELETE FROM "Account"')
    deleted = 'SELECT (SELECT "IsDeleted" FROM "Account"), (SELECT "IsDeleted" FROM "Contact")'
    assert client.execute(deleted).fetchone() == (True, True)
    client.execute("""UPDATE "Account" SET "IsDeleted" = false""")
    assert client.execute(deleted).fetchone() == (False, False)
    client.execute('DELETE FROM "Account"')
    client.execute('DELETE FROM "Account"')
    assert client.execute('SELECT count(*) FROM "Account"').fetchone() == (0,)


def test_an_edit_moves_the_audit_fields(client: psycopg.Connection) -> None:
    """ORG-5: what a user changes carries its moment, unless the writer says another one."""
    client.execute("""INSERT INTO "Account" ("Name") VALUES ('x')""")
    client.execute("""UPDATE "Account" SET "Phone" = '1'""")
    moved = client.execute('SELECT "LastModifiedDate" > "CreatedDate" FROM "Account"').fetchone()
    assert moved == (True,)
