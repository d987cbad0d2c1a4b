"""The filter grammar: what it means, against a model in Python; what it refuses; and that no text gets into SQL."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from postgres_server import Server

from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.model.filter_text import parse_filter
from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.address import parse_address
from orgsync_reconcile.stores.postgres.session import connect
from orgsync_reconcile.stores.postgres.tables import TEXT, column_type
from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.filters import compile_filter
from orgsync_reconcile.stores.sqlite.dialect import DIALECT
from orgsync_reconcile.stores.sqlite.handle import SqliteDatabase

FIELDS = (
    FieldDef(name="Name", type=FieldType.TEXT, length=80),
    FieldDef(name="Strict__c", type=FieldType.TEXT, length=80, unique=True, case_sensitive=True),
    FieldDef(name="Amount", type=FieldType.CURRENCY, precision=16, scale=2),
    FieldDef(name="IsWon", type=FieldType.CHECKBOX),
    FieldDef(name="CloseDate", type=FieldType.DATE),
    FieldDef(name="Starts__c", type=FieldType.TIME),
    FieldDef(name="AccountId", type=FieldType.LOOKUP, reference_to=("Account",)),
    FieldDef(name="Body__c", type=FieldType.BASE64),
)
DEAL = ObjectDef(name="Opportunity", key_prefix="006", fields={item.name: item for item in FIELDS})
COLUMNS = ("Id", "CreatedDate", *(item.name for item in FIELDS))
ROWS: list[dict[str, Any]] = [
    dict(zip(COLUMNS, values, strict=True))
    for values in (
        (
            "006000000000001AAA",
            "2026-01-01T00:00:00.000Z",
            "Acme",
            "Abc",
            1050,
            1,
            "2026-01-31",
            "09:00:00.000Z",
            None,
            b"",
        ),
        (
            "006000000000002AAA",
            "2026-01-01T12:30:00.000Z",
            "o'Neil 100%",
            "abc",
            -5,
            0,
            None,
            None,
            "001000000000001AAA",
            b"",
        ),
        (
            "006000000000003AAA",
            "2025-12-31T23:59:59.999Z",
            None,
            None,
            None,
            0,
            "2025-06-01",
            "23:30:00.000Z",
            None,
            b"",
        ),
        ("006000000000004AAA", "2024-02-29T00:00:00.000Z", "a_c", "a\\c", 10**17, 1, "2024-02-29", None, None, b""),
    )
]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def deals(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A table with four records, in each kind of store."""
    kinds: dict[str, str]
    if request.param == "sqlite":
        db: Database = sqlite3.connect(":memory:", factory=SqliteDatabase)
        text, kinds = "TEXT", {"Amount": "INTEGER", "IsWon": "INTEGER"}
    else:
        server: Server = request.getfixturevalue("postgres")
        db = connect(parse_address(f"{server.url}?schema=filters"), "filters", busy_seconds=30)
        text = TEXT
        kinds = {item.name: column_type(item) for item in FIELDS} | {"CreatedDate": "timestamptz(3)"}
    columns = ", ".join(f'"{name}" {kinds.get(name, text)}' for name in COLUMNS)
    db.execute(f'CREATE TEMP TABLE "Opportunity" ({columns})')
    fields = {item.name: item for item in FIELDS}
    marks = ", ".join(db.dialect.given(fields[name]) if name in fields else "?" for name in COLUMNS)
    db.executemany(f'INSERT INTO temp."Opportunity" VALUES ({marks})', [list(row.values()) for row in ROWS])
    yield db
    db.close()


def select(db: Database, text: str) -> str:
    """The last figures of the Ids that a filter finds."""
    found = compile_filter(DEAL, text, db.dialect)
    rows = db.execute(f'SELECT s."Id" FROM temp."Opportunity" AS s WHERE {found.sql} ORDER BY 1', found.parameters)
    return "".join(row[0][14] for row in rows)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Name = 'ACME'", "1"),
        ("name != 'acme'", "234"),
        ("Name <> null", "124"),
        ("Name IS NULL", "3"),
        ("Name is not null and not IsWon = true", "2"),
        ("Strict__c = 'abc'", "2"),
        ("Name = 'o''Neil 100%' OR Name = 'o\\'neil 100\\%'", "2"),
        ("Name LIKE '%100\\%'", "2"),
        ("Name LIKE 'a_c'", "4"),
        ("Name LIKE 'a%'", "14"),
        ("Name NOT LIKE 'a%'", "23"),
        ("Strict__c LIKE 'a\\\\c'", "4"),
        ("Strict__c = 'a\\\\c'", "4"),
        ("Name IN ('acme', 'A_C', NULL)", "134"),
        ("NOT Name IN ('acme')", "234"),
        ("Name NOT IN ('acme')", "234"),
        ("Amount = 10.5", "1"),
        ("Amount = 10.505", ""),
        ("Amount != 10.505", "1234"),
        ("Amount > 10.495", "14"),
        ("Amount >= 10.50 AND Amount <= 10.505", "1"),
        ("Amount < 0", "2"),
        ("Amount < -0.055", ""),
        ("Amount IN (10.5, -.05, 10.501)", "12"),
        ("Amount > 99999999999999999999999999999", ""),
        ("Amount < 99999999999999999999999999999", "124"),
        ("IsWon = TRUE", "14"),
        ("CloseDate < 2026-01-01", "34"),
        ("CreatedDate >= 2026-01-01", "12"),
        ("CreatedDate = 2026-01-01T01:00:00+01:00", "1"),
        ("CreatedDate < 2026-01-01T00:00:00Z", "34"),
        ("Starts__c >= 09:00", "13"),
        ("AccountId = '001000000000001'", "2"),
        ("Id IN ('006000000000001', '006000000000003AAA')", "13"),
        ("IsWon = TRUE OR IsWon = FALSE AND Name = null", "134"),
        ("(IsWon = TRUE OR IsWon = FALSE) AND Name = null", "3"),
        ("NOT (NOT Name = 'acme')", "1"),
    ],
)
def test_meaning(deals: Database, text: str, found: str) -> None:
    """FWD-1: comparisons, lists, patterns, blanks and dates, joined by words that bind as everywhere."""
    assert select(deals, text) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "column 1: expected a field's API name, found the end"),
        ("Name", "column 5: expected a comparison"),
        ("Name = Acme", "column 8: Acme is no value; write text in quotes"),
        ("Name = 'x", "column 8: the text that begins here has no closing quote"),
        ("Name = 'x' Name = 'y'", "column 12: expected AND, OR or the end"),
        ("(Name = 'x'", "column 12: expected AND, OR or a closing bracket"),
        ("Name IN ()", "column 10: expected a value"),
        ("Name = 'x'; DROP TABLE Account", "column 11: '; DROP TABLE' is no part of a filter"),
        (
            "Nam = 'x' AND Amont > 1",
            r"column 1: .*no field Nam; filter, column 15: .*no field Amont; did you mean Name",
        ),
        ("Amount = 'x'", "column 10: Amount has numbers such as 12.5, this is a text"),
        ("IsWon > TRUE", "column 9: IsWon cannot be compared by >"),
        ("CloseDate = 2026-02-30", "column 13: 2026-02-30 is no date"),
        ("CreatedDate = 2026-01-01", "column 15: CreatedDate has moments such as"),
        ("Amount LIKE '1%'", "column 13: LIKE compares text fields"),
        ("Body__c = 'x'", "column 1: Body__c is a base64 field"),
        ("Name < NULL", "column 8: Name cannot be compared by < with this"),
        ("(" * 60 + "Name = 'x'" + ")" * 60, "brackets and NOTs"),
        (" AND ".join(["Name = 'x'"] * 401), "more than 400 comparisons"),
        (f"Name IN ({', '.join(['1'] * 2001)})", "more than 2,000 values"),
        ("Name = '" + "x" * 40_000 + "'", "longer than 40,000 characters"),
    ],
)
def test_mistakes_have_a_column(text: str, message: str) -> None:
    """FWD-1: what cannot be read is named with its column; wrong fields and values all at once."""
    with pytest.raises(UsageError, match=message):
        compile_filter(DEAL, text, DIALECT)


def test_the_largest_filters_run(deals: Database) -> None:
    """FWD-1: everything within the limits is within the stores' own."""
    assert select(deals, " OR ".join(["Name = 'x'"] * 399 + ["Name = 'acme'"])) == "1"
    assert select(deals, f"Name IN ({', '.join(['1'.join(chr(39) * 2)] * 1999)}, 'acme')") == "1"
    assert select(deals, "NOT " * 40 + "Name = 'acme'") == "1"
    assert select(deals, "(" * 40 + "Name = 'acme'" + ")" * 40) == "1"
    assert select(deals, "Name LIKE '" + "%a" * 15_000 + "'") == ""


# -- against a model ---------------------------------------------------------------------------------------------

_TEXTS = st.sampled_from(["Acme", "acme", "ABC", "abc", "a_c", "o'Neil 100%", "a\\c", "", "zz"]) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
)
_NUMBERS = st.decimals(min_value=-20, max_value=20, places=3) | st.sampled_from([Decimal("10.5"), Decimal("-0.05")])
_SIGNS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])


def quoted(text: str) -> str:
    """A text as a filter writes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''").replace("%", "\\%").replace("_", "\\_") + "'"


def lower(text: str) -> str:
    """As the orgs ignore case: ASCII letters."""
    return re.sub("[A-Z]", lambda found: found.group().lower(), text)


def holds(sign: str, mine: Any, other: Any) -> bool:
    """One comparison by the rules of filters."""
    if sign in ("=", "!="):
        return bool(mine == other) == (sign == "=")
    if mine is None:
        return False
    return bool({"<": mine < other, "<=": mine <= other, ">": mine > other, ">=": mine >= other}[sign])


def bytes_of(text: str | None) -> bytes | None:
    """Text in the order in which stores compare it."""
    return None if text is None else lower(text).encode()


@st.composite
def comparisons(draw: st.DrawFn) -> tuple[str, Any]:
    """A comparison and the function that says for which rows it holds."""
    kind = draw(st.sampled_from(["text", "number", "null", "in", "flag"]))
    if kind == "number":
        sign, number = draw(_SIGNS), draw(_NUMBERS)
        return f"Amount {sign} {number:f}", lambda row: holds(
            sign, None if row["Amount"] is None else Decimal(row["Amount"]) / 100, number
        )
    if kind == "flag":
        flag = draw(st.booleans())
        return f"IsWon = {flag}", lambda row: bool(row["IsWon"]) == flag
    if kind == "null":
        name = draw(st.sampled_from(["Name", "Amount", "CloseDate"]))
        return f"{name} is null", lambda row: row[name] is None
    if kind == "in":
        texts = draw(st.lists(_TEXTS, min_size=1, max_size=3))
        return f"Name IN ({', '.join(map(quoted, texts))})", lambda row: bytes_of(row["Name"]) in map(bytes_of, texts)
    sign, text = draw(_SIGNS), draw(_TEXTS)
    return f"Name {sign} {quoted(text)}", lambda row: holds(sign, bytes_of(row["Name"]), bytes_of(text))


def joined(parts: st.SearchStrategy[tuple[str, Any]]) -> st.SearchStrategy[tuple[str, Any]]:
    """NOT, AND and OR over conditions."""
    return st.one_of(
        parts.map(lambda one: (f"NOT ({one[0]})", lambda row: not one[1](row))),
        st.tuples(parts, parts).map(
            lambda two: (
                (f"({two[0][0]}) AND {two[1][0]}", lambda row: two[0][1](row) and two[1][1](row))
                if not re.match(r".* OR ", two[1][0], re.DOTALL)
                else (f"({two[0][0]}) AND ({two[1][0]})", lambda row: two[0][1](row) and two[1][1](row))
            )
        ),
        st.tuples(parts, parts).map(
            lambda two: (f"({two[0][0]}) OR ({two[1][0]})", lambda row: two[0][1](row) or two[1][1](row))
        ),
    )


@settings(max_examples=300, deadline=None)
@given(st.recursive(comparisons(), joined, max_leaves=8))
def test_filters_agree_with_a_model(deals: Database, case: tuple[str, Any]) -> None:
    """FWD-1: any condition finds exactly the records for which it holds."""
    text, expected = case
    assert select(deals, text) == "".join(row["Id"][14] for row in ROWS if expected(row))


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["Name", "Amount", "=", "<", "(", ")", ",", "AND", "OR", "NOT", "IN", "LIKE", "IS", "NULL", "'x'", "'%'", "--",
             "1", "-.5", "2026-01-31", "2026-13-01", "2026-01-31T25:00:00Z", "9:00", "TRUE", "'", '"', ";", "\\", "/*"]
        )
        | st.text(max_size=4),
        max_size=12,
    ),
    st.sampled_from(["", " "]),
)  # fmt: skip
def test_nothing_gets_through(deals: Database, words: list[str], between: str) -> None:
    """FWD-1: any text is either refused with a column or becomes a statement of ours with bound values."""
    text = between.join(words)
    try:
        found = compile_filter(DEAL, text, deals.dialect)
    except UsageError as error:
        assert re.match(r"filter, column \d+: ", error.message)
        return
    allowed = (
        r'(?: |\(|\)|s\."[A-Za-z_]+"|coalesce|COLLATE NOCASE|lower|CAST|AS numeric|/ 100|LIKE|ESCAPE \'\\\'|IS|NULL|IN'
        r"|AND|OR|NOT|FALSE|[<>]=?|[?,])+"
    )
    assert re.fullmatch(allowed, found.sql)
    assert found.sql.count("?") == len(found.parameters)
    deals.execute(f'SELECT 1 FROM temp."Opportunity" AS s WHERE {found.sql}', found.parameters).fetchall()
    parse_filter(text)
