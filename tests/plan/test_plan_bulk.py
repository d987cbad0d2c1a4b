"""Planner: the first copy of records (BLK-8, ORG-10, USR-5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from plan_facts import (
    S2S,
    actual,
    addresses,
    by_address,
    connected,
    connection,
    desired,
    messages,
    obj,
    primary,
    publication,
    published,
    secondary,
    subscribed,
    text,
    user,
)

from orgsync_reconcile.model.actual import ActualOrg, HygieneFinding
from orgsync_reconcile.model.connection import Direction, SyncOptions
from orgsync_reconcile.model.desired import BulkSyncPlan
from orgsync_reconcile.model.plan import Change, Op, Risk
from orgsync_reconcile.plan import build_plan

AUTO = BulkSyncPlan(auto=True)
BOTH = (publication("Account"), publication("Contact"))


def test_auto_plans_a_run_per_new_object() -> None:
    """BLK-8: parents first, counted, after users and subscriptions."""
    plan = build_plan(desired(*BOTH, bulk_sync=AUTO), actual(primary(records={"Account": 40})))
    runs = [item for item in plan.actions if item.op is Op.BULK_SYNC]
    assert [(item.address, item.change, item.risk, item.effects) for item in runs] == [
        ("acme-dr/bulk-sync/Account", Change.RUN, Risk.MOVES_DATA, {"records": 40}),
        ("acme-dr/bulk-sync/Contact", Change.RUN, Risk.MOVES_DATA, {}),
    ]
    found = by_address(plan)
    assert found["acme-dr/subscription/Account"].id in runs[0].depends_on
    assert runs[0].id in runs[1].depends_on
    assert plan.summary["run"] == 2


def test_without_auto_the_next_step_is_named() -> None:
    """BLK-8, PUB-2: nothing is copied; the command is the next step."""
    plan = build_plan(desired(*BOTH), actual())
    assert [item for item in plan.actions if item.op is Op.BULK_SYNC] == []
    (note,) = [item for item in plan.diagnostics if item.code == "I304"]
    assert "orgsync bulk-sync acme-dr" in note.hint


def test_unfinished_and_finished_bulk_syncs() -> None:
    """REC-3, REC-2: an object that is subscribed but was never copied is still to run; then no more."""
    wanted = connection(bulk_sync=AUTO, direction=Direction.ONE_WAY)
    names = ("Name", "OwnerId", "ParentId", "Phone")
    offered, accepted = {"published": published("Account", *names)}, {"subscribed": subscribed("Account", *names)}
    manifests = desired(publication("Account"), connections=[wanted])
    assert addresses(build_plan(manifests, connected(offered, accepted, wanted=wanted))) == [
        "acme-dr/bulk-sync/Account"
    ]
    done = {**offered, "bulk_synced": {"Account": 1}}
    plan = build_plan(manifests, connected(done, accepted, wanted=wanted))
    assert plan.actions == () and plan.diagnostics == ()


def test_dirty_data_before_the_first_bulk_sync() -> None:
    """ORG-10: findings on objects that are about to be copied, and only then."""
    finding = HygieneFinding(object="Account", field="Name", kind="blank_required", records=3, example="001xx")
    other = HygieneFinding(object="Lead", field="Email", kind="duplicate", records=1)
    here = primary(hygiene=(other, finding))
    plan = build_plan(desired(publication("Account")), actual(here))
    assert messages(plan, "W309") == ["Account.Name is blank in 3 records of acme, for example 001xx"]
    names = ("Name", "OwnerId", "ParentId", "Phone")
    facts = {
        "published": published("Account", *names),
        "subscribed": subscribed("Account", *names),
        "bulk_synced": {"Account": 1},
    }
    assert messages(build_plan(desired(publication("Account")), connected(facts, facts, here=here)), "W309") == []


def test_users_whom_the_secondary_lacks() -> None:
    """USR-5: records that name them get a substitute."""
    here = primary(users={"ann@acme.example": user("ann@acme.example"), **primary().users})
    off = SyncOptions(users_primary=False, users_secondary=False)
    plan = build_plan(desired(publication("Account"), options=off), actual(here, secondary()))
    assert "no counterpart of ann@acme.example:" in messages(plan, "W311")[0]
    assert messages(build_plan(desired(publication("Account")), actual(here, secondary())), "W311") == []


def test_feeds_that_do_not_flow_are_not_copied() -> None:
    """CHT-1, BLK-8: a bulk sync of feeds is planned once everything is there that they need."""
    fields = (obj("Account", text("Name")), obj("FeedItem", text("Body")), obj("FeedComment", text("CommentBody")))
    tracked = frozenset({S2S, "feed-tracking", "audit-field-creation"})

    def org(features: frozenset[str], make: Callable[..., ActualOrg]) -> ActualOrg:
        made = make(items=fields)
        return replace(made, info=replace(made.info, features=features))

    names = [publication(item.name) for item in fields]
    runs = {}
    for option in (True, False):
        options = SyncOptions(feeds_and_audit_fields=option)
        for features in (tracked, tracked - {"feed-tracking"}):
            orgs = actual(org(features, primary), org(tracked, secondary))
            plan = build_plan(desired(*names, bulk_sync=AUTO, options=options), orgs)
            runs[option, features == tracked] = len([item for item in plan.actions if item.op is Op.BULK_SYNC])
    assert runs == {(True, True): 3, (True, False): 1, (False, True): 1, (False, False): 1}
