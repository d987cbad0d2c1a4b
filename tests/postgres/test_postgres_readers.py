"""Whoever follows the log of an org on PostgreSQL by position sees every change, once, however writers overlap (ORG-7, QUE-3)."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable

import psycopg
from postgres_objects import custom, insert, make_object

from orgsync_reconcile.model.schema import FieldType
from orgsync_reconcile.stores.sql.org import Org

WRITERS = 4
TRANSACTIONS = 60


def seen(org: Org, after: int, to: int) -> list[str]:
    return [
        row[0]
        for row in org.db.execute(
            "SELECT record FROM orgsync_change WHERE seq > ? AND seq <= ? ORDER BY seq, n", [after, to]
        )
    ]


def test_a_reader_never_passes_a_running_transaction(
    org: Org, client: psycopg.Connection, url: str, publish: Callable[..., None]
) -> None:
    """ORG-7: what commits after an older transaction that still runs waits for it, so that its changes are not passed."""
    publish("Account", "Name")
    first = insert(client, "Account", Name="before")
    start = org.db.head()
    assert seen(org, 0, start) == [first]
    with psycopg.connect(url.partition("?")[0], autocommit=True) as slow:
        slow.execute("SET search_path TO acme")
        slow.execute("BEGIN")
        held = insert(slow, "Account", Name="held")
        later = [insert(client, "Account", Name=name) for name in "ab"]
        assert org.db.head() == start
        assert (
            org.db.log_end()
            < org.db.execute("SELECT min(seq) FROM orgsync_change WHERE seq > ?", [start]).fetchone()[0]
        )
        another = insert(slow, "Account", Name="held too")
        slow.execute("COMMIT")
    end = org.db.head()
    assert sorted(seen(org, start, end)) == sorted([held, another, *later])
    assert seen(org, start, end)[:2] == [held, another]
    # One that has written nothing yet, or is rolled back, holds nobody up for good.
    with psycopg.connect(url.partition("?")[0], autocommit=True) as idle:
        idle.execute("BEGIN")
        idle.execute("SELECT 1")
        last = insert(client, "Account", Name="last")
        assert seen(org, end, org.db.head()) == [last]
        idle.execute("ROLLBACK")


def write(url: str, number: int, results: multiprocessing.Queue[list[str]]) -> None:
    """One writer: transactions of one to three records, a third of which are rolled back."""
    kept: list[str] = []
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("SET search_path TO acme")
        for place in range(TRANSACTIONS):
            db.execute("BEGIN")
            made = [insert(db, "Thing__c", Name=f"{number}-{place}") for _ in range(place % 3 + 1)]
            if place % 3 == number % 3:
                db.execute("ROLLBACK")
            else:
                db.execute("COMMIT")
                kept += made
    results.put(kept)


def test_nothing_is_lost_between_writers(
    org: Org, client: psycopg.Connection, url: str, publish: Callable[..., None]
) -> None:
    """ORG-4, ORG-7: four writers and a reader that follows by position: every record once, no number given twice."""
    make_object(org, custom("No__c", FieldType.AUTO_NUMBER, display_format="T-{0000}"))
    publish("Thing__c", "Name")
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[list[str]] = context.Queue()
    plain = url.partition("?")[0]
    writers = [context.Process(target=write, args=(plain, number, results)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    position, followed = 0, list[str]()
    while any(writer.is_alive() for writer in writers) or position < org.db.head():
        head = org.db.head()
        followed += seen(org, position, head)
        position = max(position, head)
    kept = [record for _ in writers for record in results.get(timeout=10)]
    for writer in writers:
        writer.join()
    assert len(kept) > WRITERS * TRANSACTIONS / 2
    assert sorted(followed) == sorted(kept)
    numbers = [row[0] for row in client.execute('SELECT "No__c" FROM "Thing__c"')]
    assert len(set(numbers)) == len(numbers) == len(kept)
