"""The field is named where the server cannot read a value, by what it says of parameters and of COPY (LOG-1, ORG-4)."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from postgres_objects import custom, make_object

from orgsync_reconcile.errors import RecordError
from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.stores.faults import refusal
from orgsync_reconcile.stores.postgres.database import PostgresDatabase
from orgsync_reconcile.stores.postgres.transport import copy_rows_in
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.rows import insert_row, update_row
from orgsync_reconcile.stores.sql.schema import Objects

T = FieldType
UNREADABLE = "INVALID_TYPE_ON_FIELD_IN_RECORD"


@pytest.fixture
def session(org: Org) -> PostgresDatabase:
    """The session of an org whose object Thing__c has a field of each kind."""
    make_object(
        org,
        custom("Text__c", T.TEXT, length=80),
        custom("Date__c", T.DATE),
        custom("Number__c", T.NUMBER, precision=8, scale=2),
        custom("Flag__c", T.CHECKBOX),
    )
    assert isinstance(org.db, PostgresDatabase)
    return org.db


def of(work: Callable[[], object]) -> tuple[str, str]:
    """(code, field) of what is refused."""
    with pytest.raises(psycopg.Error) as caught:
        work()
    code, field, words = refusal(caught.value)
    assert not field or words == f"the value of {field} is not of the field's type"
    return code, field


@pytest.mark.parametrize(("field", "value"), [("Date__c", "noon"), ("Number__c", "many"), ("Flag__c", 7)])
def test_of_a_single_record(org: Org, session: PostgresDatabase, field: str, value: object) -> None:
    """Rows that are written one by one: among others, with commas and parentheses in the text before it."""
    fields = Objects(org)["Thing__c"].fields
    values = {"Text__c": "a, (b", "Number__c": 1, "Name": "it's", field: value}
    assert of(lambda: insert_row(org, "Thing__c", values, fields)) == (UNREADABLE, field)
    record = insert_row(org, "Thing__c", {"Name": "x"})
    assert of(lambda: update_row(org, "Thing__c", record, values, fields)) == (UNREADABLE, field)
    with pytest.raises(RecordError, match=f"the value of {field} is not .* \\({field}\\)"), org.transaction():
        insert_row(org, "Thing__c", values, fields)


def test_of_a_number_that_no_column_takes(org: Org, session: PostgresDatabase) -> None:
    """LOG-1: the server says how many digits are too many, and nothing of the field: it is the one that has them."""
    fields = Objects(org)["Thing__c"].fields
    record = insert_row(org, "Thing__c", {"Name": "x"})
    values = {"Text__c": "9" * 60, "Flag__c": True, "Number__c": -(10**60)}
    for work in (
        lambda: insert_row(org, "Thing__c", {"Name": "x", **values}, fields),
        lambda: update_row(org, "Thing__c", record, values, fields),
    ):
        with pytest.raises(psycopg.Error) as caught:
            work()
        assert refusal(caught.value) == (
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Number__c",
            "the number in Number__c has more digits than the field",
        )
    named = 'UPDATE "Thing__c" SET "Name" = :name, "Number__c" = :number WHERE "Text__c" = :name'
    with pytest.raises(psycopg.Error) as caught:
        session.execute(named, {"number": 10**60, "name": "x"})
    assert refusal(caught.value)[1] == "Number__c"


def test_of_what_no_column_takes(session: PostgresDatabase) -> None:
    """A value that is only looked for is no field's: the server's words stand."""
    assert of(lambda: session.execute('SELECT "Name" FROM "Thing__c" WHERE "Date__c" < ?', ["noon"])) == (
        UNREADABLE,
        "",
    )
    named = 'UPDATE "Thing__c" SET "Name" = :name, "Date__c" = :day WHERE "Text__c" = :name'
    assert of(lambda: session.execute(named, {"day": "noon", "name": "x"})) == (UNREADABLE, "Date__c")
    condition = 'UPDATE "Thing__c" SET "Name" = ? WHERE "Date__c" < ?'
    assert of(lambda: session.execute(condition, ["x", "noon"])) == (UNREADABLE, "")
    chosen = """INSERT INTO "Thing__c" ("Name", "Date__c") VALUES (coalesce(?, 'x', ', )'), ?)"""
    assert of(lambda: session.execute(chosen, ["x", "noon"])) == (UNREADABLE, "Date__c")
    both = """INSERT INTO "Thing__c" ("Name", "Date__c") VALUES ('?, (', now()), ('y', ?)"""
    assert of(lambda: session.execute(both, ["noon"])) == (UNREADABLE, "")


def test_of_many_records(session: PostgresDatabase) -> None:
    """What another store's rows hold is named by the column that COPY came to."""
    session.execute('CREATE TABLE partner."Thing__c" ("Id" text, "Date__c" date, "Number__c" numeric(38, 2))')
    columns = {'"Id"': "?", '"Date__c"': "?", '"Number__c"': "(CAST(? AS numeric) / 100)"}

    def copied(*row: object) -> tuple[str, str]:
        return of(lambda: copy_rows_in([("1", None, 1), row], session, 'partner."Thing__c"', columns, empty=False))

    assert copied("2", "noon", 1) == (UNREADABLE, "Date__c")
    assert copied("2", None, "many") == (UNREADABLE, "Number__c")
    plain = dict.fromkeys(columns, "?")
    with pytest.raises(psycopg.Error) as caught:
        copy_rows_in([("3", None, "9" * 60)], session, 'partner."Thing__c"', plain, empty=False)
    assert refusal(caught.value)[:2] == ("NUMBER_OUTSIDE_VALID_RANGE", "Number__c")
