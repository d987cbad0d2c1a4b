"""Whoever waits for changes of an org on PostgreSQL sleeps until it is told of one (QUE-3)."""

from __future__ import annotations

import select
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from postgres_server import Server
from publishing import publisher

from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.urls import create_store


@pytest.fixture(scope="module")
def org(postgres: Server) -> Iterator[Org]:
    """An org that publishes accounts."""
    url = postgres.database()
    with create_store(f"{url}?schema=acme", NewOrg(name="acme"), base=Path()) as made:
        publisher(made)("Account", "Name")
        yield made
    postgres.drop(url)


@pytest.fixture
def client(org: Org) -> Iterator[psycopg.Connection]:
    """Any other program."""
    with psycopg.connect(org.place.partition("?")[0], autocommit=True) as db:
        db.execute("SET search_path TO acme")
        yield db


def add(client: psycopg.Connection) -> None:
    client.execute("""INSERT INTO "Account" ("Name") VALUES ('x')""")


def readable(file: int, seconds: float) -> bool:
    return bool(select.select([file], [], [], seconds)[0])


def test_a_change_wakes_whoever_sleeps(org: Org, client: psycopg.Connection) -> None:
    """QUE-3: nothing is asked of the server until a published record has changed; then it is there."""
    seen = org.version()
    with org.woken_by() as file:
        assert file is not None
        assert org.version() == seen
        assert not readable(file, 0.2)
        add(client)
        assert readable(file, 5)
        assert org.version() > seen


def test_a_running_transaction_is_not_slept_through(org: Org, client: psycopg.Connection) -> None:
    """QUE-3: who writes right now may have looked already whether anybody sleeps, so nobody does until it ends."""
    with client.transaction():
        add(client)
        seen = org.version()
        with org.woken_by() as file:
            assert file is None
    assert org.version() > seen
    with org.woken_by() as file:
        assert file is not None


def test_a_change_in_the_middle_of_the_question_wakes_too(org: Org, client: psycopg.Connection) -> None:
    """QUE-3: what comes in with an answer is not lost."""
    with org.woken_by() as file:
        assert file is not None
        add(client)
        assert readable(file, 5)
        # The notification is taken in by some other question of the session.
        org.db.execute("SELECT 1").fetchone()
        seen = org.version()
        add(client)
        assert readable(file, 5)
        assert org.version() > seen


def test_nobody_is_told_while_nobody_sleeps(org: Org, client: psycopg.Connection) -> None:
    """QUE-3: writers are spared what telling costs."""
    client.execute("LISTEN orgsync_change")
    add(client)
    assert list(client.notifies(timeout=0.2)) == []
    with org.woken_by():
        add(client)
        assert len(list(client.notifies(timeout=1, stop_after=1))) == 1
