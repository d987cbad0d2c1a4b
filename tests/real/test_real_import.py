"""Published projects go into an org whole: every component is kept, every field is a column or is told of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from real_npsp import NPSP
from real_world import ABSENT, REAL, RECORDS, World

from orgsync_reconcile.importers import read_sfdx

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=ABSENT)

OBJECT = """<?xml version="1.0" encoding="UTF-8"?>
<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata">
  <deploymentStatus>Deployed</deploymentStatus><label>Payment</label><pluralLabel>Payments</pluralLabel>
  <nameField><displayFormat>P-{0000}</displayFormat><label>Number</label><type>AutoNumber</type></nameField>
  <sharingModel>ReadWrite</sharingModel>
</CustomObject>
"""


@pytest.mark.parametrize("project", [*sorted(RECORDS), "npsp"])
def test_org_8_every_component_is_kept_and_every_field_has_a_column(new_world: World, project: str) -> None:
    """ORG-8, ORG-2: nothing is dropped; fields of objects that the org lacks are counted in the import's document."""
    world = new_world
    document = world.json("org", "import", world.store("acme"), str(REAL / project))
    found = read_sfdx(REAL / project).components
    kept = set(world.read("acme", "SELECT type, full_name FROM orgsync_component"))
    assert {(item.key.type, item.key.full_name) for item in found} <= kept
    assert sum(document["deployed"].values()) == len(found)
    fields = [item.key.full_name for item in found if item.key.type == "CustomField"]
    columns = {
        f"{name}.{field}"
        for name, field in world.read(
            "acme",
            "SELECT o.name, f.name FROM orgsync_field AS f JOIN orgsync_object AS o ON o.number = f.object"
            " WHERE f.definition IS NOT NULL",
        )
    }
    # Fields of Activity are fields of tasks; customised standard fields of objects that orgs do not hold are none.
    without = [
        name
        for name in fields
        if name.replace("Activity.", "Task.") not in columns and name.partition(".")[0] not in document["without_table"]
    ]
    assert without == []
    assert sum(document["without_table"].values()) == (91 if project == "npsp" else 0)


def test_org_8_fields_of_a_package_object_become_columns_when_it_comes(new_world: World, tmp_path: Path) -> None:
    """ORG-8: a project that extends a package's object is told so, and is complete once the package is there."""
    world = new_world
    url = world.store("acme")
    told = world.run("org", "import", url, str(NPSP)).stderr
    assert "kept without a table: 29 fields of npe01__OppPayment__c" in told
    folder = tmp_path / "package" / "objects" / "npe01__OppPayment__c"
    folder.mkdir(parents=True)
    (folder / "npe01__OppPayment__c.object-meta.xml").write_text(OBJECT, encoding="utf-8")
    world.run("org", "import", url, "package")
    described = world.json("org", "describe", url, "npe01__OppPayment__c")
    names = {item["name"] for item in described["fields"]}
    stored = [
        name.partition(".")[2]
        for (name,) in world.read(
            "acme",
            "SELECT full_name FROM orgsync_component WHERE type = 'CustomField' AND full_name LIKE 'npe01!_!_OppPayment!_!_c.%'"
            " ESCAPE '!'",
        )
    ]
    assert len(stored) == 29
    assert {name for name in stored if name.endswith("__c")} <= names
    assert json.loads(world.run("--format", "json", "org", "check", url).stdout)["findings"] == []
