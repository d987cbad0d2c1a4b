"""The plan file: shape, round trip, fingerprint, staleness (REC-1, REC-2)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from plan_facts import (
    actual,
    components,
    connected,
    connection,
    desired,
    include,
    primary,
    publication,
    published,
    secondary,
    subscribed,
    with_info,
)

from orgsync_reconcile.errors import OrgsyncError
from orgsync_reconcile.model.connection import ConflictPolicy
from orgsync_reconcile.model.desired import BulkSyncPlan, ManifestFile
from orgsync_reconcile.model.plan import Plan
from orgsync_reconcile.plan import build_plan, from_json, moved, to_document, to_json


def rich() -> Plan:
    """A plan with something of every sort in it."""
    here = with_info(primary(**components(("Role", "Sales", {"a": "1"}), ("Flow", "F", {}))), limits={"x": 1})
    theirs = components(("Role", "Sales", {"a": "2"}))
    theirs["components"] = {key: item._replace(synced_hash="old") for key, item in theirs["components"].items()}
    names = {"published": published("Contact", "LastName"), "linked": {"Contact": 4}}
    facts = connected(names, {"subscribed": subscribed("Contact", "LastName")}, here=here, there=secondary(**theirs))
    return build_plan(desired(publication("Account"), conflicts=ConflictPolicy.LATEST_WINS), facts)


def test_round_trip() -> None:
    """REC-2: what is saved is what is read back, byte for byte."""
    plan = rich()
    assert plan.drift and plan.manual and plan.guards and plan.diagnostics and plan.actions
    assert from_json(to_json(plan), "plan.json") == plan
    assert to_json(from_json(to_json(plan), "plan.json")) == to_json(plan)


def test_feature_actions_belong_to_no_connection() -> None:
    """CON-1: read back, a feature is its org's."""
    plan = build_plan(desired(), actual(with_info(primary(), features=frozenset())))
    assert from_json(to_json(plan), "plan.json") == plan
    assert plan.actions[0].connection == ""


def test_plan_of_a_part_remembers_its_choice() -> None:
    """REC-2: targets and excludes are saved, so that apply plans the same part again; a whole plan has neither."""
    part = build_plan(desired(publication("Account")), actual(), targets=["b", "a"], excludes=["c"])
    assert from_json(to_json(part), "plan.json") == part
    assert (part.targets, part.excludes) == (("a", "b"), ("c",))
    assert to_document(part)["inputs"]["targets"] == ["a", "b"]
    assert set(to_document(rich())["inputs"]) == {"manifests", "env"}


def test_document_has_the_shape_of_the_contract() -> None:
    """REC-1: keys, their order, and no time anywhere."""
    document = to_document(rich())
    assert list(document) == [
        "format_version",
        "kind",
        "plan_id",
        "applyable",
        "inputs",
        "observed",
        "actions",
        "drift",
        "manual",
        "guards",
        "diagnostics",
        "summary",
    ]
    assert document["format_version"] == "1.0" and document["kind"] == "plan"
    assert document["inputs"] == {"manifests": [{"path": "manifests/acme.yaml", "sha256": "ab" * 32}], "env": None}
    assert document["observed"]["acme"] == {"org_id": "00D-acme", "revision": "r1"}
    assert list(document["actions"][0]) == [
        "id",
        "address",
        "op",
        "org",
        "change",
        "risk",
        "reason",
        "before",
        "after",
        "source",
        "depends_on",
        "effects",
    ]
    assert document["plan_id"].startswith("sha256:")
    assert document["summary"] == dict(rich().summary)


def test_control_characters_are_escaped() -> None:
    """REC-11: printing a plan file moves no cursor, also not by the newer control characters."""
    name = "Evil\x9b2J\u202e\x1b[31m"
    plan = build_plan(desired(), connected(there=secondary(**components(("Role", name, {})))))
    text = to_json(plan)
    assert not {"\x9b", "\u202e", "\x1b"} & set(text)
    assert from_json(text, "plan.json") == plan


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a plan"),
        ('{"kind": "status"}', "not a plan"),
        ('{"kind": "plan", "format_version": "2.0"}', "format 2.0"),
        ('{"kind": "plan", "format_version": "1.0"}', "plan_id"),
    ],
)
def test_files_that_are_no_plan(text: str, part: str) -> None:
    """REC-2: foreign and newer files are refused in one line with a place and a hint."""
    with pytest.raises(OrgsyncError) as caught:
        from_json(text, "plan.json")
    assert part in caught.value.message and caught.value.where == "plan.json" and caught.value.hint


def edited(change: dict[str, Any]) -> str:
    document = to_document(rich())
    document["actions"][0].update(change)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"org": "elsewhere"}, "was changed after it was saved"),
        ({"colour": "red"}, "colour"),
        ({"id": "a9"}, "out of order"),
        ({"depends_on": ["a1"]}, "out of order"),
        ({"op": "drop-everything"}, "op"),
    ],
)
def test_edited_files(change: dict[str, Any], part: str) -> None:
    """REC-2: a plan that was edited by hand is refused."""
    with pytest.raises(OrgsyncError, match=part):
        from_json(edited(change), "plan.json")


def test_record_counts_and_revisions_are_no_part_of_the_id() -> None:
    """REC-2: record counts stand outside, org identities and manifests do not."""
    manifests = desired(publication("Account"), bulk_sync=BulkSyncPlan(auto=True))
    few, many = primary(records={"Account": 1}), primary(records={"Account": 9000})
    plan = build_plan(manifests, actual(few))
    assert build_plan(manifests, actual(many)).plan_id == plan.plan_id
    assert build_plan(manifests, actual(with_info(few, revision="r2"))).plan_id == plan.plan_id
    assert build_plan(manifests, actual(with_info(few, org_id="00D-copy"))).plan_id != plan.plan_id
    other = replace(manifests, files=(ManifestFile(path="manifests/acme.yaml", sha256="cd" * 32),))
    assert build_plan(other, actual(few)).plan_id != plan.plan_id
    assert build_plan(replace(manifests, environment="eu"), actual(few)).plan_id != plan.plan_id


def test_moved_names_what_differs() -> None:
    """REC-2: a stale plan is told apart action by action."""
    saved = build_plan(desired(publication("Account", fields=include("Name"))), connected())
    fresh = build_plan(
        desired(publication("Account", fields=include("Phone")), publication("Contact"), owner="b@acme.example"),
        connected(),
    )
    assert moved(saved, saved) == []
    lines = moved(saved, fresh)
    assert "acme-dr/publication/Account: publish-object differs in after" in lines
    assert "acme-dr/publication/Contact: publish-object is new" in lines
    assert "acme-dr/publication/Contact: publish-object is no longer needed" in moved(fresh, saved)


def test_moved_names_orgs_manifests_and_environment() -> None:
    """REC-2: a plan is bound to its orgs, manifests and environment even where no action differs."""
    saved = build_plan(desired(), connected(wanted=connection()))
    other = replace(
        saved,
        observed={**saved.observed, "acme": ("00D-else", "r1")},
        environment="eu",
        manifests=(("manifests/acme.yaml", "00"),),
    )
    assert moved(saved, other) == [
        "org acme is another org than when the plan was saved",
        "the environment was none, now eu",
        "manifests/acme.yaml: the manifest changed",
    ]
