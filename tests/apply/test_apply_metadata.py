"""Components brought to the secondary by plan and apply."""

from __future__ import annotations

import pytest
from apply_world import CONNECTION, custom_field

from orgsync_reconcile.apply import Status
from orgsync_reconcile.errors import GuardRefusedError, PartialError
from orgsync_reconcile.metadata import to_component
from orgsync_reconcile.model.component import ComponentKey
from orgsync_reconcile.stores.sql import components, history
from orgsync_reconcile.stores.sql.component_table import read_component, summaries
from orgsync_reconcile.stores.sql.schema import Objects


def profile(tab: str):
    return to_component(
        "Profile",
        "Sales",
        {"custom": "true", "userLicense": "Salesforce", "tabVisibilities": [{"tab": tab, "visibility": "DefaultOn"}]},
    )


def test_objects_and_fields_arrive_in_order(pair):
    """MET-8, MET-9: object, fields and layout in one apply, however the names sort; the secondary has real columns."""
    pair.deploy(
        to_component("CustomObject", "Visit__c", {"label": "Visit", "deploymentStatus": "Deployed"}),
        to_component(
            "CustomField", "Visit__c.Site__c", {"fullName": "Site__c", "type": "Lookup", "referenceTo": "Site__c"}
        ),
        to_component("CustomObject", "Site__c", {"label": "Site", "deploymentStatus": "Deployed"}),
    )
    pair.converge()
    assert "Site__c" in Objects(pair.secondary)["Visit__c"].fields
    pair.secondary.db.execute('INSERT INTO "Visit__c" ("Site__c") VALUES (NULL)')


def test_one_failure_is_logged_at_once_and_the_others_go_on(pair):
    """MET-8, REC-3: history and sync log name it, exit 5; it is not planned again until it is saved, then it goes."""
    pair.converge()
    pair.secondary.db.execute('CREATE TABLE "Site__c" (x)')
    site = to_component("CustomObject", "Site__c", {"label": "Site", "deploymentStatus": "Deployed"})
    pair.deploy(site, custom_field("Region__c"))
    report = pair.apply()
    assert isinstance(report.failure, PartialError) and report.failure.exit_code == 5
    assert [item.action.address for item in report.of(Status.FAILED)] == ["acme-dr/metadata/CustomObject:Site__c"]
    assert "Region__c" in Objects(pair.secondary)["Account"].fields
    failed = [item for item in history.read_history(pair.primary) if item.event == history.METADATA_FAILED]
    assert len(failed) == 1 and "Site__c" in failed[0].detail
    (entry,) = history.read_log(pair.primary, "acme-dr")
    assert (entry.object, entry.record, entry.status) == ("CustomObject", "Site__c", "Failed")
    assert pair.plan().actions == ()
    assert any("Site__c" in task.address for task in pair.plan().manual)
    pair.secondary.db.execute('DROP TABLE "Site__c"')
    pair.deploy(to_component("CustomObject", "Site__c", {"label": "Place", "deploymentStatus": "Deployed"}))
    pair.converge()
    assert "Site__c" in Objects(pair.secondary)
    assert not any("Site__c" in task.address for task in pair.plan().manual)


def test_parts_of_a_failed_object_are_held_back_and_follow_it(pair):
    """MET-8, MET-9, REC-3: a field whose object fails is not at fault: it is not started, and comes with the object."""
    pair.converge()
    pair.secondary.db.execute('CREATE TABLE "Site__c" (x)')
    field = to_component("CustomField", "Site__c.City__c", {"fullName": "City__c", "type": "Text", "length": "40"})
    pair.deploy(to_component("CustomObject", "Site__c", {"label": "Site", "deploymentStatus": "Deployed"}), field)
    report = pair.apply()
    assert [str(item.action.address) for item in report.of(Status.FAILED)] == ["acme-dr/metadata/CustomObject:Site__c"]
    held = report.of(Status.NOT_STARTED)
    assert [item.action.address for item in held] == ["acme-dr/metadata/CustomField:Site__c.City__c"]
    assert held[0].message == "it needs acme-dr/metadata/CustomObject:Site__c"
    pair.secondary.db.execute('DROP TABLE "Site__c"')
    pair.deploy(to_component("CustomObject", "Site__c", {"label": "Place", "deploymentStatus": "Deployed"}))
    pair.converge()
    assert "City__c" in Objects(pair.secondary)["Site__c"].fields


def test_drift_in_the_secondary_is_corrected(pair):
    """MET-5, REC-6: a component changed in the secondary is drift, and overwritten by apply."""
    pair.deploy(custom_field("Region__c"))
    pair.converge()
    components.deploy(pair.secondary, [custom_field("Region__c", label="Zone")])
    plan = pair.plan()
    assert [item.address for item in plan.drift] == ["acme-dr/metadata/CustomField:Account.Region__c"]
    assert [action.reason for action in plan.actions] == ["drift"]
    pair.converge(allow={"overwrite": None})
    content = read_component(pair.secondary, ComponentKey("CustomField", "Account.Region__c")).content
    assert content["label"] == "Region__c"


def test_tabs_and_applications_stay_the_secondary_s_own(pair):
    """MET-2: what the sync leaves alone is kept through a deployment, and is no difference."""
    components.deploy(pair.secondary, [profile("Theirs")])
    pair.deploy(profile("Ours"), to_component("Profile", "Desk", {"custom": "true", "userLicense": "Salesforce"}))
    pair.converge()
    kept = read_component(pair.secondary, ComponentKey("Profile", "Sales")).content
    assert "Theirs" in str(kept["tabVisibilities"])


def test_equal_components_count_as_synced_from_the_start(pair):
    """MET-4, MET-5: what is equal at accept is remembered, so that its deletion in the primary is a task, not news."""
    same = custom_field("Region__c")
    pair.deploy(same)
    components.deploy(pair.secondary, [same])
    pair.converge()
    assert summaries(pair.secondary)[same.key].synced_hash == summaries(pair.secondary)[same.key].hash
    components.delete(pair.primary, same.key)
    (task,) = [item for item in pair.plan().manual if "Region__c" in item.address]
    assert task.code == "M301"


def test_deletion_is_carried_out_when_asked_for_and_allowed(pair):
    """MET-4, REC-5: `delete: true` plans it as destructive; it needs its allowance, then the column is gone."""
    field = custom_field("Region__c")
    pair.deploy(field)
    pair.write("connection.yaml", CONNECTION + "sync: {metadata: {delete: true}}\n")
    pair.converge()
    components.delete(pair.primary, field.key)
    with pytest.raises(GuardRefusedError, match="delete"):
        pair.apply()
    pair.converge(allow={"delete": None})
    assert "Region__c" not in Objects(pair.secondary)["Account"].fields


def test_renamed_permission_set_keeps_its_users(pair):
    """MET-7: a permission set is renamed as such, so the assignment of a user of the secondary stays."""
    old = to_component("PermissionSet", "Readers", {"label": "Readers", "hasActivationRequired": "false"})
    pair.deploy(old)
    pair.converge()
    pair.secondary.db.execute(
        'INSERT INTO "PermissionSetAssignment" ("AssigneeId", "PermissionSetId")'
        ' SELECT u."Id", s."Id" FROM "User" AS u, "PermissionSet" AS s WHERE s."Name" = \'Readers\''
    )
    components.rename(pair.primary, old.key, ComponentKey("PermissionSet", "Viewers"), old.content)
    pair.converge()
    assert pair.one(pair.secondary, 'SELECT count(*) FROM "PermissionSet" WHERE "Name" = \'Readers\'') == 0
    assert (
        pair.one(
            pair.secondary,
            'SELECT count(*) FROM "PermissionSetAssignment" AS a JOIN "PermissionSet" AS s ON s."Id" = a."PermissionSetId"'
            ' WHERE s."Name" = \'Viewers\' AND a."IsDeleted" = 0',
        )
        == 1
    )


def test_page_gets_the_secondary_s_report_ids(pair):
    """MET-3: with an identical report in the secondary, the page is deployed with that report's Id."""
    report = to_component("Report", "Sales/Pipeline", {"name": "Pipeline", "format": "Tabular"})
    pair.deploy(report)
    components.deploy(pair.secondary, [report])
    here, there = (summaries(org)[report.key].id for org in (pair.primary, pair.secondary))
    page = to_component("ApexPage", "Board", {"label": "Board", "source": f"<a href='/{here}'>x</a>"})
    pair.deploy(page)
    pair.converge()
    assert here != there
    assert read_component(pair.secondary, page.key).content["source"] == f"<a href='/{there}'>x</a>"
