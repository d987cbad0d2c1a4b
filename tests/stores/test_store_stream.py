"""Rows of any number come as they are asked for, from every store (VER-1, LOG-4)."""

from __future__ import annotations

import pytest

from orgsync_reconcile.stores.faults import faults
from orgsync_reconcile.stores.sql.org import Org

MANY = (
    "WITH RECURSIVE row (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row WHERE n < ?)"
    " SELECT n, '' || n || ? FROM row ORDER BY n"
)


@pytest.mark.parametrize("inside", [True, False], ids=["in a transaction", "outside"])
def test_other_statements_run_between_rows(org: Org, *, inside: bool) -> None:
    """The values are those of any other statement; whoever has seen enough just stops."""
    if inside:
        org.db.execute("BEGIN")
    found = []
    for number, text in org.db.stream(MANY, [2_500, "%x"], chunk=1000):
        assert org.db.execute("SELECT ?", [text]).fetchone() == (text,)
        found.append(number)
    assert found == list(range(1, 2_501))
    for name, flag in org.db.stream('SELECT "Name", "IsDeleted" FROM "Profile" ORDER BY "Name"', chunk=1):
        assert (flag, bool(name)) == (0, True)
        break
    if inside:
        org.db.execute("COMMIT")
    assert org.db.execute("SELECT 1").fetchone() == (1,)


def test_rows_come_before_all_are_found(org: Org) -> None:
    """What is wrong with the last row is found after the first ones were given out: nobody has held them all."""
    least = "-9223372036854775807 - 1"
    failing = (
        "WITH RECURSIVE row (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row WHERE n < 5000)"
        f" SELECT abs(CASE n WHEN 5000 THEN {least} ELSE n END) FROM row"
    )
    seen = 0
    with org.snapshot() as db, pytest.raises(faults()):
        for (number,) in db.stream(failing, chunk=100):
            seen = number
    assert seen == 4_900 if org.many_writers else 4_999


def test_what_fails_is_the_stores_to_explain(org: Org) -> None:
    """A stream fails as any statement does."""
    with pytest.raises(faults()):
        list(org.db.stream("SELECT nothing FROM nowhere"))


def test_nothing_is_left_open(org: Org) -> None:
    """What was streamed can be altered in the same transaction, and a stream that is dropped late harms nothing."""
    left = org.db.stream("SELECT 1")
    with org.transaction() as db:
        db.execute("CREATE TABLE orgsync_passing (n integer)")
        db.execute("INSERT INTO orgsync_passing VALUES (1), (2)")
        assert list(db.stream("SELECT n FROM orgsync_passing")) == [(1,), (2,)]
        for _ in db.stream("SELECT n FROM orgsync_passing", chunk=1):
            break
        opened = db.stream("SELECT n FROM orgsync_passing", chunk=1)
        assert next(opened) == (1,)
        del opened
        db.execute("ALTER TABLE orgsync_passing ADD COLUMN m integer")
        assert next(left) == (1,)
    del left
    assert org.db.execute("SELECT count(*) FROM orgsync_passing").fetchone() == (2,)
