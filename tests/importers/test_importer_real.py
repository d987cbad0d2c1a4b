"""Published projects are read whole, without problems that are not theirs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from orgsync_reconcile.catalog import is_valid_id, standard_objects
from orgsync_reconcile.importers import coerce, detect, read_csv, read_plan, read_sfdx, read_tree, resolve_references
from orgsync_reconcile.metadata import field_def, host_objects, is_standard, normalise, object_def, value_set
from orgsync_reconcile.model.component import Component
from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "real"
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the published projects are not beside the checkout")


def fields_of(components: tuple[Component, ...]) -> list[tuple[str, FieldDef]]:
    sets = {item.key.full_name: value_set(item) for item in components if item.key.type == "GlobalValueSet"}
    custom = (item for item in components if item.key.type == "CustomField")
    pairs = ((item, field_def(item, known=standard_objects(), value_sets=sets)) for item in custom)
    return [(item.key.full_name, found) for item, found in pairs if found is not None]


def objects_of(components: tuple[Component, ...]) -> Mapping[str, ObjectDef]:
    objects = dict(standard_objects())
    for item in components:
        if item.key.type == "CustomObject" and not is_standard(item):
            objects[item.key.full_name] = object_def(item, "a00")
    for full_name, found in fields_of(components):
        for host in host_objects(full_name):
            if host in objects:
                objects[host] = replace(objects[host], fields={**objects[host].fields, found.name: found})
    return objects


@pytest.mark.parametrize(
    ("name", "components", "objects", "fields", "replaced"),
    [
        ("easy-spaces", 68, 4, 34, 0),
        ("coral-cloud", 129, 6, 63, 3),
        ("dreamhouse", 58, 2, 32, 0),
        ("ebikes", 66, 5, 31, 0),
        ("npsp", 1116, 51, 765, 0),
    ],
)
def test_org_8_published_projects(name: str, components: int, objects: int, fields: int, replaced: int) -> None:
    """ORG-8: all is read. Two packages of coral-cloud hold three pages of the same name; the later one's are used."""
    found = read_sfdx(REAL / name)
    kinds = Counter(item.key.type for item in found.components)
    assert len(found.components) == components
    assert (kinds["CustomObject"], kinds["CustomField"]) == (objects, fields)
    assert found.problems == ()
    later = [item for item in found.shadowed if "later package directory" in item.message]
    assert len(later) == replaced
    assert all("FlexiPage" in item.message for item in later)


def test_org_8_nothing_but_repeated_descriptions_is_left_out() -> None:
    """ORG-8: every metadata file of the largest project became a component or stands behind one of the same name."""
    files = [
        item
        for item in (REAL / "npsp").rglob("*")
        if item.name.endswith("-meta.xml") or item.suffix in (".profile", ".permissionset")
    ]
    found = read_sfdx(REAL / "npsp")
    assert len(files) == len(found.components) + len(found.shadowed)
    assert found.namespace == "npsp"
    assert {item.path.split("/")[0] for item in found.shadowed} == {"unpackaged"}


def test_met_5_real_components_are_in_normal_form() -> None:
    for item in read_sfdx(REAL / "npsp").components:
        assert normalise(item.content, type_=item.key.type) == item.content, str(item.key)


def test_org_4_real_fields_of_nearly_every_type() -> None:
    found = fields_of(read_sfdx(REAL / "npsp").components)
    kinds = Counter(item.type for _, item in found)
    assert len(found) == 765
    assert kinds[FieldType.CHECKBOX] == 99
    assert (kinds[FieldType.FORMULA], kinds[FieldType.ROLL_UP_SUMMARY], kinds[FieldType.MASTER_DETAIL]) == (13, 3, 9)
    codes = dict(found)["DataImport__c.Payment_ACH_Code__c"]
    assert codes.picklist[:2] == ("PPD", "CCD")


@pytest.mark.parametrize(
    ("name", "records", "references"),
    [("easy-spaces", 180, 148), ("coral-cloud", 203, 22), ("dreamhouse", 25, 12), ("ebikes", 23, 16)],
)
def test_org_8_published_trees_load_with_every_reference(name: str, records: int, references: int) -> None:
    """ORG-8, ORG-4: trees are read, every `@` reference finds its record, every value fits its field."""
    objects = objects_of(read_sfdx(REAL / name).components)
    small = (item for item in sorted((REAL / name / "data").glob("*.json")) if "large" not in item.name)
    paths = [item for item in small if detect(item) == "tree"]
    found = [record for path in paths for record in read_tree(path)]
    linked, problems = resolve_references(found, objects)
    assert (len(found), sum(len(item.links) for item in linked), problems) == (records, references, ())
    for item in linked:
        columns = {name: field for field in objects[item.record.object].fields.values() for name in field.columns}
        for column, value in item.record.values.items():
            if column not in item.links:
                assert (coerce(value, columns[column]) is None) is (value in (None, ""))


def test_org_8_large_trees_and_plans() -> None:
    folder = REAL / "coral-cloud" / "data"
    assert len(read_tree(folder / "data-Contact-large.json")) == 992
    plan = read_plan(folder / "data-plan-large.json")
    assert all(path.is_file() for _, paths in plan for path in paths)
    records = [record for _, paths in plan for path in paths for record in read_tree(path)]
    assert {sobject for sobject, _ in plan} == {record.object for record in records}
    _, problems = resolve_references(records, objects_of(read_sfdx(REAL / "coral-cloud").components))
    assert problems == ()


def test_org_8_published_csv() -> None:
    counts = {
        path.stem: sum(1 for _ in read_csv(path)) for path in sorted((REAL / "easy-spaces" / "data").glob("*.csv"))
    }
    assert counts == {"Contact_Data": 12, "Lead_Data": 11, "Market_Data": 11, "Space_Data": 132}


def test_org_5_ids_of_a_real_org_have_valid_checksums() -> None:
    text = (REAL / "npsp" / "datasets" / "trailhead" / "test_data.sql").read_text(encoding="utf-8")
    ids = set(re.findall(r"'(00[13][0-9A-Za-z]{15})'", text))
    assert len(ids) > 100
    assert all(is_valid_id(item) for item in ids)
