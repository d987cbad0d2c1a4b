"""Rows on their way into a PostgreSQL session, from another one and from any store: every value arrives as it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from postgres_server import Server

from orgsync_reconcile.stores.postgres.database import PostgresDatabase
from orgsync_reconcile.stores.postgres.transport import copy_between, copy_rows_in

COLUMNS = {
    '"Id"': "?",
    '"Text"': "?",
    '"Flag"': "?",
    '"Number"': "(CAST(? AS numeric) / 100)",
    '"At"': "?",
    '"Bytes"': "?",
}
TABLE = '("Id" text UNIQUE, "Text" text, "Flag" boolean, "Number" numeric(38, 2), "At" timestamptz(3), "Bytes" bytea)'
ROWS: list[tuple[Any, ...]] = [
    ("1", "plain", 1, 1250, "2026-03-02T06:30:00.123Z", b"\x00\xff"),
    ("2", "tab\tline\nback\\slash \\N é 漢 😀 'quote\" %s %%", 0, -1, "1969-12-31T23:59:59.999Z", b""),
    ("3", "", None, None, None, None),
    ("4", "\\N", 1, 10**17, "9999-12-31T00:00:00.000Z", b"\\x41"),
]


@pytest.fixture
def sessions(postgres: Server) -> Iterator[tuple[PostgresDatabase, PostgresDatabase]]:
    """Two sessions, of two databases."""
    urls = [postgres.database() for _ in range(2)]
    found = [PostgresDatabase(psycopg.connect(url, autocommit=True), "public") for url in urls]
    yield found[0], found[1]
    for session, url in zip(found, urls, strict=True):
        session.close()
        postgres.drop(url)


def read(session: PostgresDatabase, table: str) -> list[tuple[Any, ...]]:
    return session.execute(f'SELECT * FROM {table} ORDER BY "Id"').fetchall()


def test_from_any_store(sessions: tuple[PostgresDatabase, PostgresDatabase]) -> None:
    """QUE-3, BLK-3: values as every store gives them; rows that are there already stay as they are."""
    _, target = sessions
    target.execute(f'CREATE TABLE partner."Thing__c" {TABLE}')
    copy_rows_in(ROWS[:2], target, 'partner."Thing__c"', COLUMNS, empty=True)
    copy_rows_in([("2", "other", 1, 1, None, None), *ROWS[2:]], target, 'partner."Thing__c"', COLUMNS, empty=False)
    assert read(target, 'partner."Thing__c"') == ROWS


def test_between_two_sessions(sessions: tuple[PostgresDatabase, PostgresDatabase]) -> None:
    """QUE-3, BLK-3: the server's own form, whatever types the query gives them there; what is there stays."""
    source, target = sessions
    source.execute(f'CREATE TABLE "Thing__c" {TABLE}')
    copy_rows_in(ROWS, source, '"Thing__c"', COLUMNS, empty=True)
    target.execute(f'CREATE TABLE partner."Thing__c" {TABLE}')
    kinds = ("text", "text", "boolean", "numeric(38, 2)", "timestamptz(3)", "bytea")
    columns = dict(zip(COLUMNS, kinds, strict=True))
    every = 'SELECT "Id", "Text", "Flag", "Number", "At", "Bytes" FROM main."Thing__c" AS s'
    copy_between(
        source, f'{every} WHERE s."Id" IN (?, ?)', ["1", "2"], target, 'partner."Thing__c"', columns, empty=True
    )
    source.execute('UPDATE "Thing__c" SET "Text" = \'changed\' WHERE "Id" = \'1\'')
    copy_between(source, every, [], target, 'partner."Thing__c"', columns, empty=False)
    assert read(target, 'partner."Thing__c"') == ROWS
    target.execute("CREATE TABLE partner.orgsync_held (number BIGINT UNIQUE, op TEXT)")
    held = {"number": "bigint", '"op"': "text"}
    given = "SELECT CASE WHEN TRUE THEN 1 ELSE 0 END, 'U'"
    copy_between(source, given, [], target, "partner.orgsync_held", held, empty=True)
    assert target.execute("SELECT * FROM partner.orgsync_held").fetchall() == [(1, "U")]
