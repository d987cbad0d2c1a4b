"""Planner: whether two orgs fit together and the acting users may act (CON, TRG, CHT, PUB-1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from plan_facts import (
    ACCOUNT,
    actual,
    components,
    connected,
    connection,
    desired,
    messages,
    obj,
    primary,
    publication,
    secondary,
    text,
    user,
    with_info,
)

from orgsync_reconcile.model.connection import Direction, Side, SyncOptions
from orgsync_reconcile.model.plan import Op
from orgsync_reconcile.plan import build_plan


@pytest.mark.parametrize(
    ("facts", "code"),
    [({"org_type": "sandbox"}, "E301"), ({"edition": "developer"}, "E302"), ({"org_id": "00D-acme"}, "E303")],
)
def test_orgs_must_match(facts: dict[str, Any], code: str) -> None:
    """CON-8: type and edition must match, and the two orgs must be two."""
    plan = build_plan(desired(), actual(second=with_info(secondary(), **facts)))
    assert len(messages(plan, code)) == 1
    assert not plan.applyable


def test_limits_and_settings_that_differ_are_listed() -> None:
    """CON-8: limits and settings are compared; differences are one warning each, with all names."""
    here = with_info(primary(), limits={"fields": 500, "objects": 200, "same": 1}, settings={"locale": "en"})
    there = with_info(secondary(), limits={"fields": 100, "same": 1}, settings={"locale": "de"})
    plan = build_plan(desired(), actual(here, there))
    assert messages(plan, "W301") == [
        "acme and acme-secondary differ in limits: fields (500, 100), objects (200, none)"
    ]
    assert messages(plan, "W302") == ["acme and acme-secondary differ in settings: locale (en, de)"]
    assert plan.applyable


def test_duplicate_management_in_the_secondary() -> None:
    """CON-8: the warning names the error that it leads to."""
    there = with_info(secondary(), features=frozenset({"salesforce-to-salesforce", "duplicate-management"}))
    assert "DUPLICATES_DETECTED" in messages(build_plan(desired(), actual(second=there)), "W303")[0]


def test_audit_fields_need_the_feature_in_both_orgs() -> None:
    """CON-6: the error says what to enable, per org."""
    here = with_info(primary(), features=frozenset({"salesforce-to-salesforce", "audit-field-creation"}))
    plan = build_plan(desired(options=SyncOptions(feeds_and_audit_fields=True)), actual(here))
    assert messages(plan, "E304") == [
        "feeds and audit fields cannot sync: audit-field creation is off in acme-secondary"
    ]
    assert not plan.applyable


def test_admin_must_exist_and_be_active() -> None:
    """CON-4: without an acting user nothing can be done."""
    gone = replace(secondary(), users={})
    assert "does not exist" in messages(build_plan(desired(), actual(second=gone)), "E305")[0]
    asleep = replace(secondary(), users={"admin@acme.example.dr": user("admin@acme.example.dr", active=False)})
    assert "is inactive" in messages(build_plan(desired(), actual(second=asleep)), "E305")[0]


def test_permissions_are_those_that_the_actions_need() -> None:
    """CON-4, CON-11: Manage Connections to connect, contact permissions for a contact, Customize for fields."""
    nobody = {"admin@acme.example": user("admin@acme.example")}
    plan = build_plan(desired(), actual(primary(contacts=(), users=nobody)))
    assert messages(plan, "E306") == [
        "admin@acme.example lacks CreateContact, ManageConnections, ReadContact in acme, which the plan needs"
    ]
    weak = {"admin@acme.example.dr": user("admin@acme.example.dr", permissions=frozenset({"ManageConnections"}))}
    here = primary(**components(("CustomField", "Account.X__c", {"type": "Text"})))
    plan = build_plan(desired(), actual(here, secondary(users=weak)))
    assert messages(plan, "E306") == [
        "admin@acme.example.dr lacks CustomizeApplication in acme-secondary, which the plan needs"
    ]


def test_shared_options_are_for_the_primary_to_change() -> None:
    """CON-6, CON-11: the secondary's copy follows without leave of its admin; a hand in the copy takes it to mend."""
    nobody = {"admin@acme.example.dr": user("admin@acme.example.dr")}
    off = connected(wanted=connection(options=SyncOptions(metadata=False)), there=secondary(users=nobody))
    by_git = build_plan(desired(), off)
    assert [action.org for action in by_git.actions if action.op is Op.UPDATE_CONNECTION] == ["acme"]
    assert messages(by_git, "E306") == []
    by_hand = build_plan(desired(), connected(None, {"metadata": False}, there=secondary(users=nobody)))
    assert messages(by_hand, "E306") == [
        "admin@acme.example.dr lacks ManageConnections in acme-secondary, which the plan needs"
    ]
    switched = connected(None, {"users": False}, there=secondary(users=nobody))
    assert messages(build_plan(desired(), switched), "E306") == messages(by_hand, "E306")


def test_permissions_do_not_matter_where_nothing_is_done() -> None:
    """CON-11: a plan without actions needs no permission."""
    nobody = {"admin@acme.example": user("admin@acme.example")}
    plan = build_plan(desired(), connected(here=primary(users=nobody)))
    assert messages(plan, "E306") == []


def test_other_partner_and_other_role() -> None:
    """CON-3: a connection that leads elsewhere or the other way round is refused."""
    plan = build_plan(desired(), connected({"partner_org_id": "00D-else"}))
    assert "leads from acme to org 00D-else" in messages(plan, "E310")[0]
    turned = build_plan(desired(), connected({"side": Side.SECONDARY}))
    assert len(messages(turned, "E309")) == 1


def test_triggers_on_published_objects() -> None:
    """TRG-1: triggers of the primary are listed; those in both orgs on a two-way object could loop."""
    here = primary(triggers={"Account": ("Stamp", "Audit"), "Lead": ("Other",)})
    there = secondary(triggers={"Account": ("Stamp",)})
    plan = build_plan(desired(publication("Account")), actual(here, there))
    assert "Account (Audit, Stamp)" in messages(plan, "W306")[0]
    assert "Lead" not in messages(plan, "W306")[0]
    assert len(messages(plan, "W307")) == 1
    one_way = build_plan(desired(publication("Account"), direction=Direction.ONE_WAY), actual(here, there))
    assert messages(one_way, "W307") == []


def test_person_accounts_belong_together() -> None:
    """PUB-1: with person accounts, Account without Contact is a warning."""
    here = with_info(primary(), features=frozenset({"salesforce-to-salesforce", "person-accounts"}))
    assert len(messages(build_plan(desired(publication("Account")), actual(here)), "W308")) == 1
    both = desired(publication("Account"), publication("Contact"))
    assert messages(build_plan(both, actual(here)), "W308") == []


def test_feeds_need_everything() -> None:
    """CHT-1: option, both objects, and feed tracking in both orgs."""
    feed = obj("FeedItem", text("Body"))
    plan = build_plan(
        desired(publication("FeedItem")), actual(primary(items=(ACCOUNT, feed)), secondary(items=(ACCOUNT, feed)))
    )
    warning = messages(plan, "W310")[0]
    for part in (
        "sync.feeds_and_audit_fields: true",
        "a publication of FeedComment",
        "feed tracking in acme-secondary",
    ):
        assert part in warning


def test_org_that_was_not_read() -> None:
    """REC-1: a connection whose org was not asked for is left out and said so."""
    facts = actual()
    plan = build_plan(desired(), replace(facts, orgs={"acme": facts.orgs["acme"]}))
    assert plan.actions == () and plan.applyable
    assert len(messages(plan, "I301")) == 1
