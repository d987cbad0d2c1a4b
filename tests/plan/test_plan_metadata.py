"""Planner: components that follow the primary, drift, and what people must do (MET)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from plan_facts import (
    actual,
    addresses,
    at,
    by_address,
    components,
    connected,
    connection,
    desired,
    lookup,
    messages,
    obj,
    primary,
    secondary,
    synced,
    text,
)

from orgsync_reconcile.model.actual import Actual
from orgsync_reconcile.model.component import ComponentKey
from orgsync_reconcile.model.connection import SyncOptions
from orgsync_reconcile.model.desired import DesiredConnection, DesiredMetadata
from orgsync_reconcile.model.plan import Change, Op, Reason, Risk
from orgsync_reconcile.plan import Mode, build_plan

CLASS = ("ApexClass", "Billing", {"source": "class Billing {}"})


def orgs(ours: dict[str, Any], theirs: Mapping[str, Any] | None = None, **more: Any) -> Actual:
    """A live connection between orgs with these components."""
    return connected(here=primary(**ours), there=secondary(**(theirs or {})), **more)


def tasks(facts: Actual, **more: Any) -> list[tuple[str, str]]:
    return [(item.code, item.address) for item in build_plan(desired(**more), facts).manual]


def test_new_and_changed_components_are_deployed() -> None:
    """MET-1: inserts and updates go to the secondary, updates with what changed."""
    ours = components(CLASS, ("Role", "Sales", {"name": "Sales", "description": "new"}))
    theirs = components(("Role", "Sales", {"name": "Sales", "description": "old"}))
    plan = build_plan(desired(), orgs(ours, synced(theirs)))
    found = by_address(plan)
    created, changed = found["acme-dr/metadata/ApexClass:Billing"], found["acme-dr/metadata/Role:Sales"]
    assert (created.op, created.change, created.org) == (Op.DEPLOY_COMPONENT, Change.CREATE, "acme-secondary")
    assert changed.change is Change.UPDATE and changed.reason is Reason.CHANGED
    assert (changed.before or {})["content"] == {"description": "old"}
    assert (changed.after or {})["content"] == {"description": "new"}
    assert plan.drift == ()


def test_equal_components_are_not_planned() -> None:
    """REC-2: the same hash is no difference."""
    parts = components(CLASS)
    assert build_plan(desired(), orgs(parts, synced(parts))).actions == ()


def test_components_go_in_dependency_order() -> None:
    """MET-9: object, field, layout, profile; members wait for their object, lookups for their parent, roles too."""
    parts = components(
        ("Profile", "Sales", {}),
        ("Layout", "A__c-Main", {}),
        ("CustomField", "A__c.B__c", {"type": "Lookup"}),
        ("CustomObject", "A__c", {}),
        ("CustomObject", "B__c", {}),
        ("Role", "Alpha", {"parentRole": "Zulu"}),
        ("Role", "Zulu", {}),
    )
    here = {"items": (obj("A__c", lookup("B__c", "B__c")), obj("B__c", text("Name"))), **parts}
    plan = build_plan(desired(), orgs(here))
    assert [item.partition("/metadata/")[2] for item in addresses(plan)] == [
        "CustomObject:A__c",
        "CustomObject:B__c",
        "CustomField:A__c.B__c",
        "Layout:A__c-Main",
        "Role:Zulu",
        "Role:Alpha",
        "Profile:Sales",
    ]
    assert plan.actions[2].depends_on == ("a1", "a2")
    assert plan.actions[3].depends_on == ("a1",)


def test_manifest_selects_components() -> None:
    """MET-1: include by type or pattern, exclude wins."""
    parts = components(
        ("ApexClass", "Billing", {}),
        ("ApexClass", "Legacy", {}),
        ("Layout", "Account-Main", {}),
        ("Layout", "Account-Legacy One", {}),
        ("Role", "Sales", {}),
    )
    wanted = DesiredMetadata(
        connection="acme-dr",
        include=("ApexClass:Bil*", "Layout"),
        exclude=("Layout:Account-Legacy*",),
        origin=at(60),
    )
    plan = build_plan(desired(metadata=wanted), orgs(parts))
    assert addresses(plan) == ["acme-dr/metadata/ApexClass:Billing", "acme-dr/metadata/Layout:Account-Main"]
    assert plan.actions[0].source == at(60)


def drifted(wanted: DesiredConnection | None = None) -> Actual:
    ours = components(("Role", "Sales", {"name": "Sales"}))
    theirs = components(("Role", "Sales", {"name": "By hand"}))
    before = next(iter(ours["components"].values())).hash
    theirs["components"] = {key: item._replace(synced_hash=before) for key, item in theirs["components"].items()}
    return orgs(ours, theirs, wanted=wanted)


def test_drift_is_shown_and_corrected() -> None:
    """MET-5, REC-6: a change by hand in the secondary is drift, with a diff, and overwritten."""
    plan = build_plan(desired(), drifted())
    assert [(item.reason, item.change) for item in plan.actions] == [(Reason.DRIFT, Change.UPDATE)]
    (drift,) = plan.drift
    assert (drift.address, drift.org, drift.kind) == ("acme-dr/metadata/Role:Sales", "acme-secondary", "component")
    assert '- "name": "Sales"' in drift.diff and '+ "name": "By hand"' in drift.diff


def test_drift_can_be_reported_only() -> None:
    """MET-5, REC-6: in an unattended run `drift: {metadata: report}` leaves the secondary as it is."""
    wanted = connection(drift={"metadata": "report"})
    facts = drifted(wanted)
    plan = build_plan(desired(connections=[wanted]), facts, mode=Mode.UNATTENDED)
    assert plan.actions == () and len(plan.drift) == 1
    assert len(build_plan(desired(connections=[wanted]), facts).actions) == 1
    assert len(build_plan(desired(), drifted(), mode=Mode.UNATTENDED).actions) == 1


def test_change_on_both_sides_is_news_and_drift() -> None:
    """MET-5: what the primary's news would overwrite is shown as well."""
    ours = components(("Role", "Sales", {"name": "News"}))
    theirs = components(("Role", "Sales", {"name": "By hand"}))
    theirs["components"] = {key: item._replace(synced_hash="old") for key, item in theirs["components"].items()}
    plan = build_plan(desired(), orgs(ours, theirs))
    assert [item.reason for item in plan.actions] == [Reason.CHANGED]
    assert len(plan.drift) == 1


def test_deleted_in_the_secondary_is_created_again() -> None:
    """MET-5: what is missing in the secondary is planned as a create."""
    assert [item.change for item in build_plan(desired(), orgs(components(CLASS))).actions] == [Change.CREATE]


def test_added_in_the_secondary_is_listed_only() -> None:
    """MET-5: never sent back."""
    plan = build_plan(desired(), orgs({}, components(CLASS)))
    assert plan.actions == ()
    assert [(item.code, item.org) for item in plan.manual] == [("M302", "acme-secondary")]


def test_deletions_do_not_sync_unless_wanted() -> None:
    """MET-4: a manual task by default, a destructive action with `metadata: {delete: true}`."""
    facts = orgs({}, synced(components(CLASS)))
    assert tasks(facts) == [("M301", "acme-dr/metadata/ApexClass:Billing")]
    wanted = connection(metadata_delete=True)
    plan = build_plan(desired(connections=[wanted]), orgs({}, synced(components(CLASS)), wanted=wanted))
    assert [(item.op, item.risk) for item in plan.actions] == [(Op.DELETE_COMPONENT, Risk.DESTRUCTIVE)]
    assert plan.manual == ()


def test_own_parts_of_layouts_and_profiles_are_no_difference() -> None:
    """MET-2: tabs and applications of profiles, feed and mobile settings of layouts stay each org's own."""
    ours = components(
        ("Profile", "Sales", {"custom": "true", "tabVisibilities": [{"tab": "A"}]}),
        ("Layout", "Account-Main", {"feedLayout": {"a": "1"}}),
    )
    theirs = components(
        ("Profile", "Sales", {"custom": "true", "applicationVisibilities": [{"application": "B"}]}),
        ("Layout", "Account-Main", {}),
    )
    plan = build_plan(desired(), orgs(ours, theirs))
    assert plan.actions == () and plan.drift == () and plan.manual == ()


def test_unsupported_types_are_manual_tasks() -> None:
    """MET-6: with what to do, unless the manifest excludes them."""
    parts = components(("Flow", "Route_Case", {}), ("Dashboard", "Sales", {}))
    plan = build_plan(desired(), orgs(parts))
    assert plan.actions == ()
    assert [(item.code, item.address) for item in plan.manual] == [
        ("M303", "acme-dr/metadata/Dashboard:Sales"),
        ("M303", "acme-dr/metadata/Flow:Route_Case"),
    ]
    assert all(item.task for item in plan.manual)
    wanted = DesiredMetadata(connection="acme-dr", exclude=("Flow", "Dashboard:S*"), origin=at(60))
    assert tasks(orgs(parts), metadata=wanted) == []


@pytest.mark.parametrize("component_type", ["Profile", "PermissionSet", "Role"])
def test_renamed_in_place(component_type: str) -> None:
    """MET-7: roles, profiles and permission sets are renamed as such."""
    ours = components((component_type, "New", {"label": "x"}))
    plan = build_plan(desired(), orgs(ours, synced(components((component_type, "Old", {"label": "x"})))))
    (action,) = plan.actions
    assert action.address == f"acme-dr/metadata/{component_type}:New"
    assert action.change is Change.UPDATE and action.before == {"full_name": "Old"}
    assert plan.manual == ()


def test_renamed_field_is_warned_about() -> None:
    """MET-7: a field with the same content under a new name on the same object; cloning is the advice."""
    ours = components(("CustomField", "Account.New__c", {"type": "Text"}))
    theirs = components(("CustomField", "Account.Old__c", {"type": "Text"}))
    plan = build_plan(desired(), orgs(ours, synced(theirs)))
    assert "Account.Old__c looks renamed to Account.New__c" in messages(plan, "W330")[0]
    assert [item.change for item in plan.actions] == [Change.CREATE]
    elsewhere = components(("CustomField", "Contact.Old__c", {"type": "Text"}))
    assert messages(build_plan(desired(), orgs(ours, synced(elsewhere))), "W330") == []


def test_managed_packages_never_sync() -> None:
    """MET-11: one task per missing package; a package that is there needs nothing."""
    ours = components(("CustomObject", "npsp__A__c", {}), ("CustomObject", "npsp__B__c", {}), namespace="npsp")
    assert tasks(orgs(ours)) == [("M305", "acme-dr/metadata/InstalledPackage:npsp")]
    theirs = components(("CustomObject", "npsp__A__c", {"other": "version"}), namespace="npsp")
    plan = build_plan(desired(), orgs(ours, theirs))
    assert plan.manual == () and plan.actions == ()


def test_switched_off_every_difference_is_a_task() -> None:
    """MET-12: nothing is deployed."""
    off = connection(options=SyncOptions(metadata=False))
    ours = components(CLASS, ("Role", "Sales", {"a": "1"}))
    theirs = components(("Role", "Sales", {"a": "2"}), ("Role", "Extra", {}))
    plan = build_plan(desired(connections=[off]), orgs(ours, theirs, wanted=off))
    assert plan.actions == ()
    assert [(item.code, item.address.rpartition("/")[2]) for item in plan.manual] == [
        ("M304", "ApexClass:Billing"),
        ("M304", "Role:Extra"),
        ("M304", "Role:Sales"),
    ]


REPORT_HERE, REPORT_THERE = "00O000000000AAAAAA", "00O000000000BBBBBB"


def page(report: str) -> tuple[str, str, dict[str, str]]:
    return ("ApexPage", "Pipeline", {"source": f"<a href='/{report}'/>"})


def with_report(
    report_id: str, content: Mapping[str, Any], *more: tuple[str, str, Mapping[str, Any]]
) -> dict[str, Any]:
    facts = components(("Report", "Sales/Pipeline", content), *more)
    key = ComponentKey("Report", "Sales/Pipeline")
    facts["components"][key] = facts["components"][key]._replace(id=report_id)
    return facts


def test_page_that_names_a_report() -> None:
    """MET-3: a manual task until an identical report is there; then the reference is rewritten; then it is equal."""
    ours = with_report(REPORT_HERE, {"name": "P"}, page(REPORT_HERE))
    assert ("M306", "acme-dr/metadata/ApexPage:Pipeline") in tasks(orgs(ours))
    other = with_report(REPORT_THERE, {"name": "another"})
    plan = build_plan(desired(), orgs(ours, other))
    assert [item.code for item in plan.manual] == ["M306", "M303"] and plan.actions == ()
    twin = with_report(REPORT_THERE, {"name": "P"})
    plan = build_plan(desired(), orgs(ours, twin))
    assert addresses(plan) == ["acme-dr/metadata/ApexPage:Pipeline"]
    assert (plan.actions[0].after or {})["reports"] == {REPORT_HERE: REPORT_THERE}
    done = with_report(REPORT_THERE, {"name": "P"}, page(REPORT_THERE))
    plan = build_plan(desired(), orgs(ours, synced(done)))
    assert plan.actions == () and plan.drift == () and plan.manual == ()


def test_failed_component_waits_for_a_new_version() -> None:
    """MET-8, REC-2: what failed is listed and not planned again until its content changes."""
    ours = components(CLASS)
    ((key, summary),) = ours["components"].items()
    facts = orgs(ours, first={"failed_components": {key: (summary.hash, "line 3: unexpected token")}})
    plan = build_plan(desired(), facts)
    assert plan.actions == ()
    assert [(item.code, item.why) for item in plan.manual] == [
        ("M307", "the deployment failed: line 3: unexpected token")
    ]
    saved = orgs(ours, first={"failed_components": {key: ("older", "line 3")}})
    assert addresses(build_plan(desired(), saved)) == ["acme-dr/metadata/ApexClass:Billing"]


def test_first_metadata_sync_comes_before_users_and_publications() -> None:
    """MET-8: metadata runs at accept."""
    plan = build_plan(desired(), actual(primary(**components(CLASS))))
    order = [item.op for item in plan.actions]
    assert order.index(Op.ACCEPT) < order.index(Op.DEPLOY_COMPONENT) < order.index(Op.ADVANCE_CONNECTION)
    assert order.index(Op.ADVANCE_CONNECTION) < order.index(Op.SYNC_USER)
