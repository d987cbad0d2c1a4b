"""Verifying by sums finds what the join finds; one text per value, whatever the store."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joined_orgs import Joined, P, S, create_orgs

from orgsync_reconcile.model.schema import FieldDef, FieldType
from orgsync_reconcile.stores.canonical import encoder, record_hash
from orgsync_reconcile.sync import verify_hashes

NUMBER = FieldDef(name="N__c", type=FieldType.NUMBER, precision=18, scale=4)


def plain(kind: FieldType) -> FieldDef:
    return FieldDef(name="F__c", type=kind)


@pytest.mark.parametrize(
    ("field", "stored", "text"),
    [
        (NUMBER, 125000, "12.5000"),
        (NUMBER, Decimal("12.5"), "12.5000"),
        (NUMBER, -1, "-0.0001"),
        (NUMBER, Decimal("-0.0000"), "0.0000"),
        (NUMBER, 999_999_999_999_999_999, "99999999999999.9999"),
        (FieldDef(name="N__c", type=FieldType.CURRENCY, precision=18), Decimal(7), "7"),
        (plain(FieldType.CHECKBOX), 1, "true"),
        (plain(FieldType.CHECKBOX), False, "false"),
        (plain(FieldType.DATETIME), "2026-01-31T12:00:00.007Z", "2026-01-31T12:00:00.007Z"),
        (plain(FieldType.DATETIME), datetime(2026, 1, 31, 12, 0, 0, 7999, UTC), "2026-01-31T12:00:00.007Z"),
        (plain(FieldType.DATE), date(2026, 1, 31), "2026-01-31"),
        (plain(FieldType.DATE), "2026-01-31", "2026-01-31"),
        (plain(FieldType.TIME), time(9, 5, 0, 250_000), "09:05:00.250Z"),
        (plain(FieldType.TEXT), "", ""),
        (plain(FieldType.TEXT), None, None),
        (NUMBER, None, None),
        (plain(FieldType.CHECKBOX), None, None),
        (plain(FieldType.DATETIME), None, None),
        (
            plain(FieldType.BASE64),
            b"abc",
            "3 bytes ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
    ],
)
def test_one_text_per_value(field: FieldDef, stored: object, text: str | None) -> None:
    """VER-1: a value has one text, whether a store keeps scaled integers or decimals, text or moments."""
    assert encoder(field)(stored) == text


texts = st.lists(st.none() | st.text(alphabet="-+|:0ab\x1f", max_size=4), max_size=3)


@given(texts, texts)
def test_different_records_have_different_hashes(one: list[str | None], two: list[str | None]) -> None:
    """VER-1: values cannot run into one another, and blank is not empty."""
    assert (record_hash("k", one) == record_hash("k", two)) == (one == two)
    assert record_hash("k", one) != record_hash("k2", one)
    assert record_hash("k", one) != record_hash("k", None)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Connected orgs with 60 things and 12 accounts that both have; some lookups wait for a parent that is not there."""
    folder = tmp_path_factory.mktemp("filled") / "orgs"
    folder.mkdir()
    create_orgs(folder)
    with ExitStack() as stack:
        joined = Joined(folder, stack)
        old = joined.insert(P, "Account", Name="Never copied")
        joined.connect("Account", "Thing__c")
        accounts = [joined.insert(P, "Account", Name=f"A {n}", NumberOfEmployees=n) for n in range(12)]
        previous = None
        for number in range(60):
            previous = joined.insert(
                (P, S)[number % 7 == 0],
                "Thing__c",
                Name=f"T {number}",
                Number__c=number * 12345,
                Check__c=number % 2,
                Date__c="2026-02-03",
                Moment__c="2026-02-03T04:05:06.789Z",
                Account__c=(*accounts, old)[number % 13] if number % 7 else None,
                Self__c=previous if number % 7 > 1 else None,
            )
        joined.drain()
        assert joined.verify().equal
    return folder


#: (what is done, side, row, value)
damage = st.tuples(
    st.sampled_from(["text", "number", "check", "date", "blank", "lookup", "delete", "purge"]),
    st.sampled_from([P, S]),
    st.integers(1, 60),
    st.integers(0, 5),
)


def _do(joined: Joined, kind: str, side: object, row: int, value: int) -> None:
    db = joined.clients[P if side is P else S]
    where = f"WHERE orgsync_row = {row}"
    accounts = [item[0] for item in db.execute('SELECT "Id" FROM "Account" ORDER BY "Id"')]
    sets = {
        "text": ("Text__c", f"text {value}"),
        "number": ("Number__c", value),
        "check": ("Check__c", value % 2),
        "date": ("Date__c", f"2026-03-0{value + 1}"),
        "blank": ("Moment__c", None),
        "lookup": ("Account__c", accounts[value]),
        "delete": ("IsDeleted", 1),
    }
    if kind == "purge":
        db.execute(f'DELETE FROM "Thing__c" {where}')
        db.execute(f'DELETE FROM "Thing__c" {where} AND "IsDeleted" = TRUE')
    else:
        db.execute(f'UPDATE "Thing__c" SET "{sets[kind][0]}" = ? {where}', [sets[kind][1]])
    joined.forget(P)
    joined.forget(S)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(damage, max_size=12))
def test_both_ways_find_the_same(filled: Path, done: list[tuple[str, object, int, int]]) -> None:
    """VER-1: sums over ranges, cut where they disagree, find exactly the differences that a join finds."""
    folder = Path(tempfile.mkdtemp(prefix="orgsync-hashes-"))
    try:
        shutil.copytree(filled, folder / "orgs")
        with ExitStack() as stack:
            joined = Joined(folder / "orgs", stack)
            for item in done:
                _do(joined, *item)
            assert_same_findings(joined)
    finally:
        shutil.rmtree(folder)


def assert_same_findings(joined: Joined) -> None:
    by_join, by_hashes = joined.verify(), joined.verify_hashes()
    assert [asdict(item) for item in by_hashes.objects] == [asdict(item) for item in by_join.objects]
    found = [
        {(d.object, d.primary_record, d.secondary_record, d.field) for d in report.differences}
        for report in (by_join, by_hashes)
    ]
    assert found[0] == found[1]


@pytest.mark.pairings
def test_ranges_are_cut_down_to_the_record(joined: Joined, monkeypatch: pytest.MonkeyPatch) -> None:
    """VER-1: three bad records among 2,000 are found without reading the others one by one."""
    monkeypatch.setattr(verify_hashes, "RANGE", 500)
    joined.connect("Account")
    joined.clients[P].execute(
        'INSERT INTO "Account" ("Name") WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)'
        " SELECT 'Account ' || i FROM n"
    )
    joined.drain()
    joined.clients[S].execute('UPDATE "Account" SET "Phone" = \'x\' WHERE orgsync_row IN (1, 1234, 2000)')
    joined.forget(S)
    (result,) = joined.verify_hashes().objects
    assert (result.linked, result.equal, result.different) == (2000, 1997, 3)
    assert_same_findings(joined)


def test_a_link_that_one_org_lost(joined: Joined) -> None:
    """VER-1: the links themselves are compared, since each org goes by its own."""
    joined.connect("Account")
    joined.insert(P, "Account", Name="One")
    joined.drain()
    joined.clients[P].execute("DELETE FROM orgsync_link WHERE local LIKE '001%'")
    (result,) = joined.verify_hashes().objects
    assert (result.linked, result.equal, result.missing_primary) == (1, 0, 1)
