"""Filling an org with records from trees, plans and CSV (ORG-8)."""

from __future__ import annotations

import csv
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_helpers import custom, make_object

from orgsync_reconcile.errors import MetadataError, UsageError
from orgsync_reconcile.importers import read_sfdx, render
from orgsync_reconcile.metadata import to_component
from orgsync_reconcile.model.schema import FieldDef, FieldType
from orgsync_reconcile.stores.sql.check import check
from orgsync_reconcile.stores.sql.components import deploy
from orgsync_reconcile.stores.sql.loader import LoadReport, load
from orgsync_reconcile.stores.sql.org import Org

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "real"


def tree(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"records": records}))
    return path


def record(kind: str, ref: str, /, **values: Any) -> dict[str, Any]:
    return {"attributes": {"type": kind, "referenceId": ref}, **values}


def sheet(path: Path, *rows: list[str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    return path


def plan(path: Path, *entries: tuple[str, list[str]]) -> Path:
    path.write_text(json.dumps([{"sobject": name, "files": files} for name, files in entries]))
    return path


def told(report: LoadReport) -> list[str]:
    return [str(problem) for problem in report.problems]


def count(org: Org, table: str) -> int:
    return int(org.db.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])


def test_references_are_resolved_in_any_order_and_across_files(org: Org, tmp_path: Path) -> None:
    """ORG-8: children before parents, in another file, and in a circle of lookups."""
    contacts = tree(
        tmp_path / "c.json",
        record("Contact", "Ada", LastName="Ada", AccountId="@Acme", ReportsToId="@Bob"),
        record("Contact", "Bob", LastName="Bob", ReportsToId="@Ada"),
    )
    accounts = tree(
        tmp_path / "a.json",
        record("Account", "Sub", Name="Sub", ParentId="@Acme"),
        record("Account", "Acme", Name="@Acme", ParentId="@Acme"),
    )
    report = load(org, [contacts, accounts])
    assert told(report) == []
    assert report.loaded == {"Account": 2, "Contact": 2}
    rows = org.db.execute(
        'SELECT c."LastName", a."Name", r."LastName" FROM "Contact" AS c LEFT JOIN "Account" AS a ON a."Id" = c."AccountId"'
        ' JOIN "Contact" AS r ON r."Id" = c."ReportsToId" ORDER BY 1'
    ).fetchall()
    assert rows == [("Ada", "@Acme", "Bob"), ("Bob", None, "Ada")]
    assert org.db.execute(
        'SELECT a."Name", p."Name" FROM "Account" AS a JOIN "Account" AS p ON p."Id" = a."ParentId" ORDER BY 1'
    ).fetchall() == [("@Acme", "@Acme"), ("Sub", "@Acme")]


def test_nested_records_are_tied_to_their_parent(org: Org, tmp_path: Path) -> None:
    """ORG-8: children in a parent's list, several levels deep."""
    case = record("Case", "Q", Subject="help")
    contact = record("Contact", "C", LastName="C", Cases={"records": [case]})
    report = load(org, [tree(tmp_path / "a.json", record("Account", "A", Name="A", Contacts={"records": [contact]}))])
    assert report.loaded == {"Account": 1, "Case": 1, "Contact": 1}
    assert org.db.execute(
        'SELECT a."Name" FROM "Case" AS q JOIN "Contact" AS c ON c."Id" = q."ContactId"'
        ' JOIN "Account" AS a ON a."Id" = c."AccountId"'
    ).fetchone() == ("A",)


def test_every_problem_is_told_and_nothing_is_kept(org: Org, tmp_path: Path) -> None:
    """ORG-8: file, record, field and code, the nearest name, and the org as it was."""
    path = tree(
        tmp_path / "a.json",
        record("Account", "Good", Name="Good"),
        record("Account", "Long", Name="Long", Phone="1" * 41),
        record("Account", "Nameless", Phone="1"),
        record("Account", "Typo", Name="Typo", Fone="1"),
        record("Acount", "Kind", Name="Kind"),
        record("Contact", "Lost", LastName="Lost", AccountId="@Nobody"),
        record("Contact", "Orphan", LastName="Orphan", AccountId="@Long"),
        record("Contact", "Stamped", LastName="Stamped", Name="Stamped"),
    )
    report = load(org, [path])
    problems = "\n".join(told(report))
    assert report.loaded == {}
    assert count(org, "Account") == count(org, "Contact") == 0
    for words in (
        ("(Long)", "STRING_TOO_LONG", "Phone"),
        ("(Nameless)", "REQUIRED_FIELD_MISSING", "Name"),
        ("(Typo)", "INVALID_FIELD", "Fone", "did you mean Phone?"),
        ("(Kind)", "INVALID_TYPE", "did you mean Account?"),
        ("(Lost)", "AccountId", "@Nobody"),
        ("(Orphan)", "AccountId", "Long was refused"),
        ("(Stamped)", "INVALID_FIELD_FOR_INSERT_UPDATE", "Name"),
    ):
        assert any(all(word in line for word in words) for line in told(report)), (words, problems)
    assert len(report.problems) == report.failed == 7
    assert all(str(path) in line for line in told(report))


def test_a_field_that_is_not_there_is_told_once(org: Org, tmp_path: Path) -> None:
    """ORG-8: one line per field and file, with the first place and the count; all such fields at once."""
    many = tree(
        tmp_path / "a.json",
        record("Account", "Good", Name="Good"),
        *(record("Account", f"R{place}", Name="x", Nam__c="y", CleanStatus__c="z") for place in range(1200)),
        record("Account", "Last", Name="x", Nam__c="y"),
    )
    other = tree(tmp_path / "b.json", record("Account", "Other", Name="x", Nam__c="y"))
    report = load(org, [many, other], keep_going=True)
    assert (dict(report.loaded), report.failed) == ({"Account": 1}, 1202)
    first, second, third = told(report)
    assert first.startswith(f"{many}: record 2 (R0): INVALID_FIELD: Account has no field Nam__c;")
    assert first.endswith(" (1,201 records, this is the first)")
    assert second.startswith(f"{many}: record 2 (R0): INVALID_FIELD: Account has no field CleanStatus__c")
    assert second.endswith(" (1,200 records, this is the first)")
    assert third.startswith(f"{other}: record 1 (Other): INVALID_FIELD: Account has no field Nam__c")
    assert "records" not in third


def test_going_on_keeps_the_good_ones(org: Org, tmp_path: Path) -> None:
    """ORG-8: keep_going leaves out what is bad and what needs it."""
    path = tree(
        tmp_path / "a.json",
        record("Account", "Good", Name="Good"),
        record("Account", "Bad"),
        record("Contact", "Kept", LastName="Kept", AccountId="@Good"),
        record("Contact", "Out", LastName="Out", AccountId="@Bad"),
    )
    report = load(org, [path], keep_going=True)
    assert report.loaded == {"Account": 1, "Contact": 1}
    assert report.failed == len(report.problems) == 2
    assert org.db.execute('SELECT "LastName" FROM "Contact"').fetchall() == [("Kept",)]


def test_a_circle_of_required_lookups_is_told(org: Org, tmp_path: Path) -> None:
    """ORG-8: records that each need the other first cannot be made."""
    make_object(org, custom("Up__c", FieldType.MASTER_DETAIL, reference_to=["Thing__c"], required=True))
    path = tree(
        tmp_path / "t.json",
        record("Thing__c", "A", Up__c="@B"),
        record("Thing__c", "B", Up__c="@A"),
        record("Thing__c", "C", Up__c="@A"),
    )
    report = load(org, [path])
    assert report.loaded == {}
    assert all("circle" in line for line in told(report))
    assert report.failed == 3


def test_a_plan_names_files_beside_it(org: Org, tmp_path: Path) -> None:
    """ORG-8: all files of a plan, each once even when it is named again; one bad record keeps all out."""
    tree(tmp_path / "a.json", record("Account", "A", Name="A"))
    tree(tmp_path / "c.json", record("Contact", "C", LastName="C", AccountId="@A"))
    whole = plan(tmp_path / "plan.json", ("Account", ["a.json"]), ("Contact", ["c.json"]))
    assert load(org, [whole, tmp_path / "a.json"]).loaded == {"Account": 1, "Contact": 1}
    tree(tmp_path / "c.json", record("Contact", "C", AccountId="@A"))
    assert load(org, [whole]).loaded == {}
    assert count(org, "Account") == 1


def test_csv_files_load_with_blanks_as_defaults(org: Org, tmp_path: Path) -> None:
    """ORG-4, ORG-8: types by field, names in any case, blanks to defaults, record types by name, tree references."""
    deploy(org, [to_component("RecordType", "Account.Partner", {"label": "Partner", "active": "true"})])
    make_object(
        org,
        custom("Rate__c", FieldType.NUMBER, precision=6, scale=2, default="1.5"),
        custom("On__c", FieldType.CHECKBOX, default="true"),
        custom("Day__c", FieldType.DATE),
        custom("Account__c", FieldType.LOOKUP, reference_to=["Account"]),
    )
    accounts = sheet(
        tmp_path / "Account.csv",
        ["name", "RecordType.DeveloperName", "CreatedDate", "OwnerId"],
        ["Acme", "partner", "2020-01-02T03:04:05+01:00", ""],
    )
    things = sheet(
        tmp_path / "Thing__c.csv",
        ["Name", "Rate__c", "On__c", "Day__c", "Account__c"],
        ["a\nb", "2.345", "FALSE", "2026-01-31", "@T"],
        ["c", "", "", "", ""],
    )
    report = load(org, [things, accounts, tree(tmp_path / "t.json", record("Account", "T", Name="T"))])
    assert told(report) == []
    assert report.loaded == {"Account": 2, "Thing__c": 2}
    assert org.db.execute(
        'SELECT t."Name", t."Rate__c", t."On__c", t."Day__c", a."Name" FROM "Thing__c" AS t'
        ' LEFT JOIN "Account" AS a ON a."Id" = t."Account__c" ORDER BY t.orgsync_row'
    ).fetchall() == [("a\nb", 235, 0, "2026-01-31", "T"), ("c", 150, 1, None, None)]
    row = org.db.execute(
        'SELECT r."DeveloperName", a."CreatedDate", a."OwnerId" FROM "Account" AS a JOIN "RecordType" AS r'
        ' ON r."Id" = a."RecordTypeId"'
    ).fetchone()
    assert row == ("Partner", "2020-01-02T02:04:05.000Z", org.admin_id)


def test_csv_records_keep_ids_of_another_org(org: Org, tmp_path: Path) -> None:
    """ORG-5, ORG-8: so that lookups between exported files stay whole, 15 characters or 18."""
    accounts = sheet(tmp_path / "Account.csv", ["Id", "Name"], ["001Kz00000AbCdE", "Acme"])
    contacts = sheet(tmp_path / "Contact.csv", ["LastName", "AccountId"], ["Ada", "001Kz00000AbCdEIAV"])
    assert load(org, [accounts, contacts]).loaded == {"Account": 1, "Contact": 1}
    assert check(org, ["Contact"]) == ()


@pytest.mark.parametrize(
    ("rows", "line", "words"),
    [
        ([["Name", "Fone"], ["a", "1"]], 1, "no field Fone; did you mean Phone?"),
        ([["Name", "NAME"], ["a", "1"]], 1, "both fill Name"),
        ([["Name", "Phone"], ["a", "1"], ["b", "1" * 41]], 3, "STRING_TOO_LONG"),
        ([["Name", "Phone"], ["a\nx", "1"], ["", "1"]], 4, "REQUIRED_FIELD_MISSING"),
        ([["Name", "AnnualRevenue"], ["a", "lots"]], 2, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ([["Name", "RecordTypeId"], ["a", "Partner"]], 2, "no record type Partner"),
        ([["Name"], ["a", "b"]], 2, "2 cells"),
    ],
)
def test_csv_problems_name_their_line(rows: list[list[str]], line: int, words: str, org: Org, tmp_path: Path) -> None:
    """ORG-8: file and line of every bad row, and nothing is kept."""
    path = sheet(tmp_path / "Account.csv", *rows)
    report = load(org, [path])
    (problem,) = report.problems
    assert (problem.path, problem.line) == (str(path), line)
    assert words in problem.message
    assert count(org, "Account") == 0


def test_one_bad_row_in_a_chunk_stays_out_alone(org: Org, tmp_path: Path) -> None:
    """ORG-8: the set is tried again row by row; problems are listed up to a hundred, counted beyond."""
    make_object(org, custom("Key__c", FieldType.TEXT, length=20, unique=True))
    rows = [["Name", "Key__c"], *(["x", str(place % 2500)] for place in range(5000))]
    report = load(org, [sheet(tmp_path / "Thing__c.csv", *rows)], keep_going=True)
    assert report.loaded == {"Thing__c": 2500}
    assert report.failed == 2500
    assert len(report.problems) == 100
    assert "DUPLICATE_VALUE: Key__c" in told(report)[0]
    assert count(org, "Thing__c") == 2500


def test_unknown_objects_and_files(org: Org, tmp_path: Path) -> None:
    """ORG-8: a CSV of no known object, a file that is missing or neither tree nor plan."""
    assert "did you mean Account?" in told(load(org, [sheet(tmp_path / "Acount.csv", ["Name"], ["x"])]))[0]
    with pytest.raises(UsageError, match="no such file"):
        load(org, [tmp_path / "none.json"])
    (tmp_path / "odd.json").write_text("{}")
    with pytest.raises(MetadataError, match="neither"):
        load(org, [tmp_path / "odd.json"])
    assert load(org, [sheet(tmp_path / "Lead.csv", ["LastName", "Company"])]) == LoadReport()


def test_memory_stays_flat_over_the_size_of_a_file(org: Org, tmp_path: Path) -> None:
    """ORG-8: a file is never held whole."""

    def peak(rows: int) -> int:
        path = tmp_path / str(rows) / "Lead.csv"
        path.parent.mkdir()
        sheet(path, ["LastName", "Company"], *(["x" * 70, "y" * 70] for _ in range(rows)))
        tracemalloc.start()
        load(org, [path])
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(2)
    assert peak(12_000) < 1.5 * peak(4_000)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real projects are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "files", "loaded"),
    [
        (
            "easy-spaces",
            ["Market__c-Space__c-plan.json", "Plan1.json", "Reservation__c-plan.json", "Plan2.json"],
            {"Account": 12, "Contact": 12, "Lead": 11, "Market__c": 11, "Reservation__c": 2, "Space__c": 132},
        ),
        (
            "coral-cloud",
            ["data-plan-large.json"],
            {"Case": 2, "Contact": 992, "Experience__c": 54, "Guest_Review__c": 10},
        ),
        ("dreamhouse", ["sample-data-plan.json"], {"Broker__c": 8, "Contact": 5, "Property__c": 12}),
        ("ebikes", ["sample-data-plan.json"], {"Account": 3, "Product_Family__c": 4, "Product__c": 16}),
    ],
)
def test_real_data_loads_whole(name: str, files: list[str], loaded: dict[str, int], org: Org) -> None:
    """ORG-8: the sample data of real projects, with no lookup left pointing nowhere."""
    deploy(org, read_sfdx(REAL / name).components)
    report = load(org, [REAL / name / "data" / file for file in files])
    assert told(report) == []
    assert report.loaded == loaded
    assert [item for item in check(org) if item.kind != "duplicate"] == []


FIELDS: dict[str, tuple[FieldDef, st.SearchStrategy[Any]]] = {
    item.name: (item, values)
    for item, values in (
        (
            custom("Text__c", FieldType.TEXT, length=30),
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30),
        ),
        (custom("Money__c", FieldType.CURRENCY, precision=18, scale=2), st.decimals(-(10**15), 10**15, places=2)),
        (custom("Count__c", FieldType.NUMBER, precision=18, scale=0), st.integers(-(10**18) + 1, 10**18 - 1)),
        (custom("Flag__c", FieldType.CHECKBOX), st.booleans()),
        (custom("Day__c", FieldType.DATE), st.dates().filter(lambda day: day.year > 1700 and day.year < 4000)),
        (
            custom("Pick__c", FieldType.MULTI_SELECT_PICKLIST, picklist=["a", "b", "c d"], restricted=True, length=100),
            st.lists(st.sampled_from(["a", "b", "c d"]), unique=True).map(";".join),
        ),
    )
}


@given(data=st.fixed_dictionaries({name: values for name, (_, values) in FIELDS.items()}))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_loaded_is_read_back(data: dict[str, Any], org: Org, tmp_path: Path) -> None:
    """ORG-4, ORG-8: values survive file, column and file again, with every digit."""
    make_object(org, *(field for field, _ in FIELDS.values()))
    cells = {name: str(value) for name, value in data.items()}
    report = load(org, [sheet(tmp_path / "Thing__c.csv", list(cells), list(cells.values()))])
    assert told(report) == []
    names = ", ".join(f'"{name}"' for name in FIELDS)
    stored = org.db.execute(f'SELECT {names} FROM "Thing__c" ORDER BY orgsync_row DESC LIMIT 1').fetchone()
    back = {name: render(value, FIELDS[name][0]) for name, value in zip(FIELDS, stored, strict=True)}
    assert back["Text__c"] == (cells["Text__c"] if cells["Text__c"].strip() else None)
    assert float(back["Money__c"]) == float(data["Money__c"])
    assert stored[1] == int(data["Money__c"] * 100)
    assert back["Count__c"] == data["Count__c"]
    assert back["Flag__c"] is data["Flag__c"]
    assert back["Day__c"] == data["Day__c"].isoformat()
    assert back["Pick__c"] == (cells["Pick__c"] or None)
