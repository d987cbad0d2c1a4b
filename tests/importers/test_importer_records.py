"""sObject trees, plan files and CSV, and the references between records."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orgsync_reconcile.catalog import standard_objects
from orgsync_reconcile.errors import MetadataError, UsageError
from orgsync_reconcile.importers import (
    TreeRecord,
    detect,
    parent_field,
    read_csv,
    read_plan,
    read_tree,
    resolve_references,
)

OBJECTS = standard_objects()


def write(path: Path, data: Any) -> Path:
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path


def record(sobject: str, reference: str = "", **values: Any) -> dict[str, Any]:
    attributes = {"type": sobject, **({"referenceId": reference} if reference else {})}
    return {"attributes": attributes, **values}


def test_org_8_nested_records_follow_their_parent(tmp_path: Path) -> None:
    tree = {
        "records": [
            record(
                "Account",
                "A1",
                Name="One",
                Contacts={"records": [record("Contact", "C1", LastName="Ay"), record("Contact", LastName="Bee")]},
            ),
            record("Account", "A2", Name="Two", ParentId="@A1", AnnualRevenue=1.10),
        ]
    }
    found = read_tree(write(tmp_path / "Accounts.json", tree))
    assert [(item.object, item.parent, item.relationship, item.line) for item in found] == [
        ("Account", "", "", 1),
        ("Contact", "A1", "Contacts", 2),
        ("Contact", "A1", "Contacts", 3),
        ("Account", "", "", 4),
    ]
    assert found[0].values == {"Name": "One"}
    assert found[3].values["AnnualRevenue"] == Decimal("1.1")
    linked, problems = resolve_references(found, OBJECTS)
    assert problems == ()
    assert [dict(item.links) for item in linked] == [{}, {"AccountId": 0}, {"AccountId": 0}, {"ParentId": 0}]


def test_org_8_references_may_point_forward_and_into_other_files(tmp_path: Path) -> None:
    contacts = read_tree(write(tmp_path / "c.json", {"records": [record("Contact", "C", AccountId="@A")]}))
    accounts = read_tree(write(tmp_path / "a.json", {"records": [record("Account", "A", Name="One")]}))
    linked, problems = resolve_references([*contacts, *accounts], OBJECTS)
    assert problems == ()
    assert linked[0].links == {"AccountId": 1}


def test_org_8_dangling_reference_names_file_record_and_field(tmp_path: Path) -> None:
    path = write(tmp_path / "c.json", {"records": [record("Contact", "C1", AccountId="@Gone", FirstName="@home")]})
    linked, problems = resolve_references(read_tree(path), OBJECTS)
    assert [str(item) for item in problems] == [
        f"{path}: record 1 (C1): AccountId refers to @Gone, which no loaded record has; load that file as well"
    ]
    assert linked[0].links == {}


def test_org_8_two_records_of_one_reference_are_a_problem(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", {"records": [record("Account", "A"), record("Account", "A")]})
    _, problems = resolve_references(read_tree(path), OBJECTS)
    assert len(problems) == 1
    assert "already that of" in problems[0].message


def test_org_8_the_parent_field_of_nested_records() -> None:
    assert parent_field(OBJECTS["Contact"], "Account", "Contacts") == OBJECTS["Contact"].fields["AccountId"]
    assert parent_field(OBJECTS["Task"], "Contact", "Tasks") == OBJECTS["Task"].fields["WhoId"]
    assert parent_field(OBJECTS["Attachment"], "Thing__c", "Attachments") == OBJECTS["Attachment"].fields["ParentId"]
    assert parent_field(OBJECTS["Product2"], "Account", "Products") is None


def test_org_8_an_unclear_parent_field_is_a_problem(tmp_path: Path) -> None:
    tree = {"records": [record("Account", "A", Things={"records": [record("Product2", "P", Name="P")]})]}
    _, problems = resolve_references(read_tree(write(tmp_path / "a.json", tree)), OBJECTS)
    assert len(problems) == 1
    assert "Things" in problems[0].message and "@A" in problems[0].message


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"records": [}', r"a\.json:1:14: no JSON"),
        ('{"records": {}}', "no sObject tree"),
        ('{"records": [{"Name": "x"}]}', "record 1 does not say its object"),
        ('{"records": ["x"]}', "record 1 does not say its object"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_org_8_broken_trees_are_explained(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(MetadataError, match=problem):
        read_tree(write(tmp_path / "a.json", text))


def test_org_8_plan_files_name_files_beside_them(tmp_path: Path) -> None:
    write(tmp_path / "a.json", {"records": []})
    plan = write(tmp_path / "plan.json", [{"sobject": "Account", "saveRefs": True, "files": ["a.json"]}])
    assert detect(plan) == "plan"
    assert detect(tmp_path / "a.json") == "tree"
    assert read_plan(plan) == [("Account", [tmp_path / "a.json"])]


def test_org_8_every_problem_of_a_plan_at_once(tmp_path: Path) -> None:
    plan = write(tmp_path / "plan.json", [{"sobject": "Account"}, {"sobject": "Contact", "files": ["gone.json"]}])
    with pytest.raises(MetadataError, match=r"entry 1 needs .*; entry 2: no such file: .*gone\.json"):
        read_plan(plan)


def test_org_8_unknown_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match="neither an sObject tree nor a plan"):
        detect(write(tmp_path / "x.json", {"rows": []}))
    with pytest.raises(UsageError, match="no such file"):
        detect(tmp_path / "gone.csv")


def test_org_8_csv_with_byte_order_mark_and_quoted_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "Account.csv"
    path.write_bytes('\ufeffName,Description\r\n"A, Inc.","two\r\nlines"\r\n\r\nB,\r\n'.encode())
    assert detect(path) == "csv"
    found = list(read_csv(path))
    assert [(item.object, item.line, dict(item.values)) for item in found] == [
        ("Account", 2, {"Name": "A, Inc.", "Description": "two\r\nlines"}),
        ("Account", 5, {"Name": "B", "Description": ""}),
    ]
    assert found[1].where == f"{path}:5"
    assert next(read_csv(path, "Lead")).object == "Lead"


def test_org_8_csv_cells_of_any_size(tmp_path: Path) -> None:
    body = "x" * 300_000
    found = list(read_csv(write(tmp_path / "Attachment.csv", f"Name,Body\na,{body}\n")))
    assert found[0].values["Body"] == body


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"Name,Phone\nA\n", r"Account\.csv:2: 1 cells under 2 column names"),
        (b"Name,Name\nA,B\n", r"Account\.csv:1: columns named twice: Name"),
        (b"Name,\nA,B\n", r"Account\.csv:1: a column has no name"),
        (b"", r"Account\.csv:1: a column has no name"),
        (b'Name\n"A\n', r"Account\.csv:2: no CSV"),
        (b"Name\n\xff\n", "not in UTF-8"),
    ],
)
def test_org_8_broken_csv_names_the_line(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "Account.csv"
    path.write_bytes(content)
    with pytest.raises(MetadataError, match=problem):
        list(read_csv(path))


def test_org_8_csv_problems_name_the_line(tmp_path: Path) -> None:
    rows = list(read_csv(write(tmp_path / "Contact.csv", "LastName,AccountId\nA,@Gone\n")))
    _, problems = resolve_references(rows, OBJECTS)
    assert str(problems[0]).startswith(f"{rows[0].file}:2: Contact: AccountId refers to @Gone")


def test_org_8_records_of_unknown_objects_are_left_to_the_loader() -> None:
    stray = TreeRecord(object="Nothing__c", values={"X__c": "@A"}, reference="N", file="n.json", line=1)
    linked, problems = resolve_references([stray], OBJECTS)
    assert (linked[0].links, problems) == ({}, ())
