"""Altering objects that hold records: data stays, rules change, refusals change nothing (ORG-4)."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from org_stores import Client, insert
from store_helpers import custom, make_object, refused

from orgsync_reconcile.errors import MetadataError
from orgsync_reconcile.model.schema import FieldDef, FieldType
from orgsync_reconcile.stores.faults import faults
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import Objects, deploy_objects, free_key_prefix
from orgsync_reconcile.stores.sqlite.dialect import DIALECT as SQLITE

T = FieldType


def test_fields_come_and_go_and_records_stay(org: Org, client: Client) -> None:
    """ORG-4: adding and dropping fields keeps Ids, values and what is to come."""
    make_object(org, custom("A__c", T.TEXT, length=20), custom("U__c", T.TEXT, length=20, unique=True))
    first = insert(client, "Thing__c", A__c="a", U__c="u")
    make_object(org, custom("A__c", T.TEXT, length=20), custom("N__c", T.NUMBER, precision=5, scale=1, default="2.5"))
    second = insert(client, "Thing__c", A__c="b")
    rows = client.execute('SELECT "Id", "A__c", "N__c" FROM "Thing__c" ORDER BY orgsync_row').fetchall()
    assert [row[:2] for row in rows] == [(first, "a"), (second, "b")]
    assert rows[1][2] == 25
    with pytest.raises(faults(), match="U__c"):
        insert(client, "Thing__c", U__c="u")


def test_a_dropped_field_keeps_its_number(org: Org) -> None:
    """ORG-7: numbers stand in the change log, so they are never given to another field."""
    a, b, c = (custom(name, T.TEXT, length=20) for name in ("A__c", "B__c", "C__c"))
    make_object(org, a, b)
    make_object(org, a)
    make_object(org, a, c)
    make_object(org, a, b, c)
    rows = org.db.execute(
        "SELECT f.name, f.number FROM orgsync_field AS f JOIN orgsync_object AS o ON o.number = f.object"
        " WHERE o.name = 'Thing__c' ORDER BY f.number"
    ).fetchall()
    assert rows == [("Name", 0), ("A__c", 1), ("B__c", 2), ("C__c", 3)]


def test_columns_that_formulas_and_parents_use_can_be_dropped(org: Org, client: Client) -> None:
    """ORG-4, ORG-6: a computed column gives way, and the former parent no longer cascades."""
    rate = custom("Rate__c", T.NUMBER, precision=5, scale=0)
    twice = custom("Twice__c", T.FORMULA, formula="Rate__c * 2", result_type="number", scale=0)
    parent = custom("Parent__c", T.MASTER_DETAIL, reference_to=["Account"], cascade_delete=True)
    make_object(org, twice, rate, parent)
    account = insert(client, "Account", Name="a")
    insert(client, "Thing__c", Rate__c=4, Parent__c=account)
    make_object(org, twice)
    client.execute('DELETE FROM "Account"')
    assert client.execute('SELECT "Twice__c", "IsDeleted" FROM "Thing__c"').fetchone() == (None, 0)
    make_object(org, twice, rate, parent)
    client.execute('UPDATE "Thing__c" SET "Rate__c" = 5')
    assert client.execute('SELECT "Twice__c" FROM "Thing__c"').fetchone() == (10,)


@pytest.mark.parametrize(
    ("old", "value", "new", "kept"),
    [
        (custom("F__c", T.NUMBER, precision=8, scale=2), 125, custom("F__c", T.NUMBER, precision=8, scale=4), 12500),
        (custom("F__c", T.NUMBER, precision=8, scale=2), 125, custom("F__c", T.NUMBER, precision=8, scale=1), 13),
        (custom("F__c", T.NUMBER, precision=8, scale=2), -125, custom("F__c", T.TEXT, length=20), "-1.25"),
        (custom("F__c", T.NUMBER, precision=8, scale=0), 7, custom("F__c", T.TEXT, length=20), "7"),
        (custom("F__c", T.TEXT, length=20), "2.5", custom("F__c", T.CURRENCY, precision=8, scale=2), 250),
        (custom("F__c", T.TEXT, length=20), "two", custom("F__c", T.CURRENCY, precision=8, scale=2), None),
        (custom("F__c", T.TEXT, length=20), "2 or 3", custom("F__c", T.NUMBER, precision=8, scale=0), None),
        (custom("F__c", T.TEXT, length=20), "true", custom("F__c", T.CHECKBOX), 1),
        (custom("F__c", T.TEXT, length=20), "2026-01-31", custom("F__c", T.DATE), "2026-01-31"),
        (custom("F__c", T.TEXT, length=20), "soon", custom("F__c", T.DATE), None),
        (custom("F__c", T.TEXT, length=20), "Acme", custom("F__c", T.LOOKUP, reference_to=["Account"]), None),
        (custom("F__c", T.PICKLIST, picklist=["a"]), "a", custom("F__c", T.TEXT, length=20), "a"),
        (custom("F__c", T.CHECKBOX), 1, custom("F__c", T.TEXT, length=20), "true"),
        (custom("F__c", T.DATE), "2026-01-31", custom("F__c", T.DATETIME), "2026-01-31T00:00:00.000Z"),
        (custom("F__c", T.DATETIME), "2026-01-31T12:00:00.000Z", custom("F__c", T.DATE), "2026-01-31"),
        (
            custom("F__c", T.NUMBER, precision=18, scale=2),
            10**18 - 1,
            custom("F__c", T.TEXT, length=20),
            "9" * 16 + ".99",
        ),
        (
            custom("F__c", T.TEXT, length=20),
            "9" * 16 + ".99",
            custom("F__c", T.NUMBER, precision=18, scale=2),
            10**18 - 1,
        ),
    ],
)
def test_a_retyped_field_keeps_what_has_a_meaning(
    old: FieldDef, value: object, new: FieldDef, kept: object, org: Org, client: Client
) -> None:
    """ORG-4: values are carried over a change of type or scale; those without a meaning there become blank."""
    make_object(org, old)
    record = insert(client, "Thing__c", Name="x", F__c=value)
    make_object(org, new)
    assert client.execute('SELECT "Id", "Name", "F__c" FROM "Thing__c"').fetchone() == (record, "x", kept)
    client.execute('UPDATE "Thing__c" SET "Name" = \'y\'')
    assert intact(org)


def test_required_later_leaves_older_records_be(org: Org, client: Client) -> None:
    """ORG-4, ORG-10: records older than a requirement may stay blank, new ones and changes of the field may not."""
    make_object(org, custom("F__c", T.TEXT, length=20))
    insert(client, "Thing__c", Name="old")
    make_object(org, custom("F__c", T.TEXT, length=20, required=True))
    client.execute('UPDATE "Thing__c" SET "Name" = \'still old\'')
    for statement in ('UPDATE "Thing__c" SET "F__c" = \'\'', 'INSERT INTO "Thing__c" ("Name") VALUES (\'new\')'):
        with refused("REQUIRED_FIELD_MISSING:F__c"):
            client.execute(statement)


def test_shorter_fields_leave_longer_values_be(org: Org, client: Client) -> None:
    """ORG-4: a shorter length counts from now on; nothing is cut."""
    make_object(org, custom("F__c", T.TEXT, length=20))
    insert(client, "Thing__c", F__c="x" * 20)
    make_object(org, custom("F__c", T.TEXT, length=5))
    assert client.execute('SELECT length("F__c") FROM "Thing__c"').fetchone() == (20,)
    with refused("STRING_TOO_LONG"):
        insert(client, "Thing__c", F__c="x" * 6)


def test_uniqueness_that_the_data_breaks_is_refused_whole(org: Org, client: Client) -> None:
    """ORG-4: a unique field cannot be made over duplicates, and the org is then as before."""
    make_object(org, custom("F__c", T.TEXT, length=20))
    insert(client, "Thing__c", F__c="same")
    insert(client, "Thing__c", F__c="SAME")
    before = definitions(org)
    with pytest.raises(MetadataError, match="unique") as caught:
        make_object(org, custom("F__c", T.TEXT, length=20, unique=True), custom("New__c", T.TEXT, length=5))
    assert "org check" in caught.value.hint
    assert definitions(org) == before
    assert "New__c" not in Objects(org)["Thing__c"].fields
    insert(client, "Thing__c", F__c="same")


def test_a_column_that_an_own_trigger_reads_is_not_dropped_from_under_it(org: Org, client: Client) -> None:
    """ORG-4, TRG-1: the refusal leaves table and trigger as they were."""
    make_object(org, custom("F__c", T.TEXT, length=20))
    if isinstance(client, sqlite3.Connection):
        client.execute("CREATE TRIGGER own AFTER INSERT ON \"Thing__c\" WHEN NEW.F__c = 'x' BEGIN SELECT 1; END")
    else:
        client.execute("CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
        client.execute(
            'CREATE TRIGGER own AFTER INSERT ON "Thing__c" FOR EACH ROW WHEN (NEW."F__c" = \'x\') EXECUTE FUNCTION own()'
        )
    with pytest.raises(Exception, match="own"):
        make_object(org)
    insert(client, "Thing__c", F__c="x")


def test_a_label_change_changes_no_data(org: Org, client: Client) -> None:
    """ORG-2: the registry follows, the table stays; the key prefix that was given stays as well."""
    obj = make_object(org, custom("F__c", T.TEXT, length=20))
    record = insert(client, "Thing__c", F__c="x")
    deploy_objects(org, [replace(obj, label="Other", key_prefix="a0z")])
    assert Objects(org)["Thing__c"].label == "Other"
    assert Objects(org)["Thing__c"].key_prefix == "a00"
    assert insert(client, "Thing__c", F__c="y")[:6] == record[:6]


def test_key_prefixes_are_given_once(org: Org) -> None:
    """ORG-5: every custom object has a prefix of its own."""
    assert free_key_prefix(org) == "a00"
    make_object(org)
    assert free_key_prefix(org) == "a01"
    assert free_key_prefix(org, {"a01", "a02"}) == "a03"


def test_a_formula_that_an_older_program_left_alone_is_computed_from_now_on(org: Org, client: Client) -> None:
    """ORG-4: what the table really has counts, so no value of another column is taken for it."""
    length = custom("Len__c", T.FORMULA, formula="LEN(B__c)", result_type="number", scale=0)
    plain = custom("Len__c", T.FORMULA, formula="NOBODY_COMPUTES(B__c)", result_type="number", scale=0)
    a, b = custom("A__c", T.TEXT, length=20), custom("B__c", T.TEXT, length=20)
    make_object(org, a, plain, b)
    insert(client, "Thing__c", A__c="a", Len__c=7, B__c="bb")
    org.db.execute(
        "UPDATE orgsync_field SET definition = ? WHERE name = 'Len__c'", [json.dumps(length.to_dict(), sort_keys=True)]
    )
    make_object(org, a, length, b, custom("C__c", T.TEXT, length=20))
    assert client.execute('SELECT "A__c", "Len__c", "B__c", "C__c" FROM "Thing__c"').fetchall() == [
        ("a", 2, "bb", None)
    ]


CHOICES: dict[str, list[FieldDef]] = {
    "A__c": [custom("A__c", T.TEXT, length=9), custom("A__c", T.TEXT, length=9, unique=True)],
    "B__c": [custom("B__c", T.NUMBER, precision=9, scale=0), custom("B__c", T.NUMBER, precision=9, scale=2)],
    "C__c": [
        custom("C__c", T.FORMULA, formula="B__c * 2", result_type="number", scale=0),
        custom("C__c", T.FORMULA, formula="TODAY()", result_type="number", scale=0),
        custom("C__c", T.FORMULA, formula="B__c * 3", result_type="number", scale=0),
    ],
    "D__c": [custom("D__c", T.CHECKBOX), custom("D__c", T.CHECKBOX, default="true")],
    "E__c": [custom("E__c", T.TEXT, length=9, default="e"), custom("E__c", T.LONG_TEXT_AREA, length=300)],
}


@given(
    st.lists(
        st.fixed_dictionaries({}, optional={name: st.sampled_from(items) for name, items in CHOICES.items()}),
        min_size=2,
        max_size=5,
    )
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_series_of_changes_keeps_every_value(org: Org, schemas: list[dict[str, FieldDef]]) -> None:
    """ORG-4: whatever fields come, go and change between two writes, each row holds what was written to it."""
    org.db.execute('DROP TABLE IF EXISTS "Thing__c"')
    org.db.execute(
        "DELETE FROM orgsync_field WHERE object IN (SELECT number FROM orgsync_object WHERE name = 'Thing__c')"
    )
    org.db.execute("DELETE FROM orgsync_object WHERE name = 'Thing__c'")
    rows: list[dict[str, object]] = []
    before: dict[str, FieldDef] = {}
    for place, fields in enumerate(schemas):
        make_object(org, *fields.values())
        for row in rows:
            for name in CHOICES:
                if name not in fields or (name in row and name not in before):
                    row.pop(name, None)
            if fields.get("B__c") and before.get("B__c") and "B__c" in row:
                change = (fields["B__c"].scale or 0) - (before["B__c"].scale or 0)
                row["B__c"] = int(row["B__c"] * 10**change)  # type: ignore[operator]
        written: dict[str, object] = {"Name": f"n{place}"}
        for name, value in (("A__c", f"a{place}"), ("B__c", 100), ("D__c", place % 2), ("E__c", f"e{place}")):
            if name in fields:
                written[name] = value
        insert(org.db, "Thing__c", **written)
        rows.append(written)
        before = fields
        for row, stored in zip(rows, records(org, "Thing__c"), strict=True):
            assert {name: stored[name] for name in row} == row
            if "C__c" in fields and "B__c" in fields and "TODAY" not in str(fields["C__c"].formula):
                times = 2 if "2" in str(fields["C__c"].formula) else 3
                scale = fields["B__c"].scale or 0
                expected = None if stored["B__c"] is None else stored["B__c"] * times // 10**scale
                assert stored["C__c"] == expected
    assert intact(org)


def intact(org: Org) -> bool:
    """Whether the store finds no fault with its own pages; a server looks after its own."""
    if org.db.dialect is not SQLITE:
        return True
    return bool(org.db.execute("PRAGMA integrity_check").fetchone() == ("ok",))


def definitions(org: Org) -> list[tuple[Any, ...]]:
    """Everything that the store has by definition: tables, columns, indexes, triggers."""
    if org.db.dialect is SQLITE:
        return org.db.execute("SELECT * FROM sqlite_master").fetchall()
    return org.db.execute(
        "SELECT c.relname::text, a.attname::text, a.atttypid, a.attnum FROM pg_attribute AS a JOIN pg_class AS c ON"
        " c.oid = a.attrelid UNION ALL SELECT tgname::text, '', tgfoid, 0 FROM pg_trigger"
        " UNION ALL SELECT conname::text, pg_get_constraintdef(oid), 0, 0 FROM pg_constraint ORDER BY 1, 2, 3, 4"
    ).fetchall()


def records(org: Org, table: str) -> list[dict[str, Any]]:
    cursor = org.db.execute(f'SELECT * FROM "{table}" ORDER BY orgsync_row')
    names = [item[0] for item in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
