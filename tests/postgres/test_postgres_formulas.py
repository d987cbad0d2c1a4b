"""Formulas are computed on PostgreSQL as on SQLite: the same ones, to the same values (ORG-4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from postgres_objects import custom, insert, make_object
from postgres_server import Server, name_of

from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.postgres.formulas import translate as on_server
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.describe import describe
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sqlite.create import create_org
from orgsync_reconcile.stores.sqlite.formulas import translate as in_file
from orgsync_reconcile.stores.urls import open_store

T = FieldType
INPUTS = (
    custom("Whole__c", T.NUMBER, precision=18, scale=0),
    custom("Rate__c", T.CURRENCY, precision=18, scale=2),
    custom("Fine__c", T.PERCENT, precision=12, scale=7),
    custom("Flag__c", T.CHECKBOX),
    custom("First__c", T.TEXT, length=40),
    custom("Pick__c", T.PICKLIST, picklist=["a", "B"]),
)
SCALES = {"Whole__c": 0, "Rate__c": 2, "Fine__c": 7}
NUMBER = {"result_type": "number", "precision": 18, "scale": 2}
TEXT = {"result_type": "text"}
TRUTH = {"result_type": "checkbox"}
FORMULAS: list[tuple[str, dict[str, object]]] = [
    ("Rate__c * 2", NUMBER),
    ("Rate__c * Fine__c - Whole__c", {**NUMBER, "scale": 4}),
    ("Whole__c / Fine__c", {**NUMBER, "scale": 0}),
    ("-Rate__c + Whole__c / 3 * 1.005", NUMBER),
    ("IF(Flag__c, Rate__c, BLANKVALUE(Fine__c, 0.5)) / 2", {**NUMBER, "scale": 1}),
    ("LEN(First__c & Pick__c) * 1.5", {**NUMBER, "scale": 0}),
    ("UPPER(TRIM(First__c)) & \"-\" & LOWER(Pick__c) & 'it'", TEXT),
    ('IF(ISBLANK(First__c), "none", First__c)', TEXT),
    ("NULLVALUE(Pick__c, First__c)", TEXT),
    ("Next__c & TEXT(Pick__c)", TEXT),
    ("AND(Rate__c > 1, NOT(Fine__c >= 2), Flag__c)", TRUTH),
    ("OR(First__c = Pick__c, Rate__c <> Whole__c)", TRUTH),
    ('First__c < "m"', TRUTH),
    ("ISBLANK(Rate__c)", TRUTH),
    ("IF(ISNULL(Flag__c), TRUE, Flag__c) = FALSE", TRUTH),
    ("Flag__c >= (Whole__c < 5)", TRUTH),
]
COMPUTED = [
    custom(f"Out{place}__c", T.FORMULA, formula=text, **kind) for place, (text, kind) in enumerate(FORMULAS)
] + [custom("Next__c", T.FORMULA, formula='First__c + "+"', **TEXT)]
NOT_COMPUTED = [
    ("TODAY() - 1", NUMBER),
    ("Account.Name", TEXT),
    ('Rate__c & "x"', TEXT),
    ("Nowhere__c", TEXT),
    ("Rate__c", TEXT),
    ("Rate__c", {"result_type": "date"}),
    ("9" * 400, NUMBER),
]


@dataclass(frozen=True)
class Both:
    """The same object in two orgs, and a client of each."""

    file: Org
    server: Org
    client: psycopg.Connection


@pytest.fixture(scope="module")
def both(postgres: Server, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    url = postgres.database(name_of(template))
    path = tmp_path_factory.mktemp("formulas") / "acme.db"
    with (
        create_org(path, NewOrg(name="acme")) as file,
        open_store(f"{url}?schema=acme", base=Path()) as server,
        psycopg.connect(url, autocommit=True) as client,
    ):
        client.execute("SET search_path TO acme")
        for org in (file, server):
            make_object(org, *COMPUTED, *INPUTS)
        yield Both(file, server, client)
    postgres.drop(url)


numbers = st.integers(-(10**18) + 1, 10**18 - 1) | st.integers(-1000, 1000) | st.none()
texts = st.text(st.sampled_from("aZé m'\"+"), max_size=5) | st.none()


@given(
    st.fixed_dictionaries(
        {
            "Whole__c": numbers,
            "Rate__c": numbers,
            "Fine__c": st.integers(-(10**12) + 1, 10**12 - 1) | st.none(),
            "Flag__c": st.booleans(),
            "First__c": texts,
            "Pick__c": texts,
        }
    )
)
@example(dict.fromkeys(("Whole__c", "Rate__c"), 123456789012345678) | {"Flag__c": True})
@settings(max_examples=60, deadline=None)
def test_both_stores_compute_the_same(both: Both, record: dict[str, Any]) -> None:
    """ORG-4: whatever a record holds, a formula has one value, which any client reads."""
    names = ", ".join(f'"{field.name}"' for field in COMPUTED)
    given_names, marks = ", ".join(f'"{name}"' for name in record), ", ".join("?" for _ in record)
    both.file.db.execute(f'INSERT INTO "Thing__c" ({given_names}) VALUES ({marks})', list(record.values()))
    shown = {
        name: Decimal(value).scaleb(-SCALES[name]) if name in SCALES and value is not None else value
        for name, value in record.items()
    }
    insert(both.client, "Thing__c", **shown)
    rows = [
        org.db.execute(f'SELECT {names} FROM "Thing__c" ORDER BY orgsync_row DESC LIMIT 1').fetchone()
        for org in (both.file, both.server)
    ]
    assert dict(zip(names.split(", "), rows[0], strict=True)) == dict(zip(names.split(", "), rows[1], strict=True))


def test_all_of_them_are_computed(both: Both) -> None:
    """ORG-4: the comparison above compares what the stores computed, not what nobody wrote."""
    said = {item["name"]: item for item in describe(both.server, "Thing__c")["fields"]}
    assert all(said[field.name]["computed"] for field in COMPUTED)


def test_nobody_writes_what_is_computed(both: Both) -> None:
    """ORG-4: the server refuses it, as every store does."""
    with pytest.raises(psycopg.errors.GeneratedAlways):
        both.client.execute('UPDATE "Thing__c" SET "Out0__c" = 1')


@pytest.mark.parametrize(("text", "kind"), NOT_COMPUTED)
def test_both_stores_leave_the_same_alone(text: str, kind: dict[str, object]) -> None:
    """ORG-4: what one store cannot compute, no other does."""
    field: FieldDef = custom("Out__c", T.FORMULA, formula=text, **kind)
    obj = ObjectDef(name="Thing__c", key_prefix="a00", fields={f.name: f for f in (*INPUTS, field)})
    assert on_server(field, obj) is None
    assert in_file(field, obj) is None


def test_names_of_people_are_computed(org: Org, client: psycopg.Connection) -> None:
    """ORG-3, ORG-4: a contact's name follows its parts."""
    insert(client, "Contact", FirstName="Ada", LastName="Lovelace")
    client.execute("""UPDATE "Contact" SET "LastName" = 'King'""")
    assert client.execute('SELECT "Name" FROM "Contact"').fetchone() == ("Ada King",)
