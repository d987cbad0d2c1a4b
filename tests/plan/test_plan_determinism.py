"""The same facts give the same plan, byte for byte, whatever their order (REC-1)."""

from __future__ import annotations

import random
from dataclasses import fields, is_dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from plan_facts import actual, components, desired, lookup, obj, primary, publication, secondary, synced, text, user

from orgsync_reconcile.model.actual import Actual
from orgsync_reconcile.model.desired import BulkSyncPlan, Desired
from orgsync_reconcile.plan import build_plan, render_markdown, render_text, to_json

ITEMS = (
    obj("Account", text("Name"), lookup("ParentId", "Account"), lookup("Main__c", "Contact")),
    obj("Contact", text("LastName"), lookup("AccountId", "Account"), lookup("ReportsToId", "Contact")),
    obj("Case", text("Subject"), lookup("AccountId", "Account"), lookup("ContactId", "Contact")),
    obj("Task", text("Subject"), lookup("WhatId", "Account", "Case", "*"), lookup("WhoId", "Contact")),
)
PARTS = components(
    ("CustomField", "Account.Main__c", {"type": "Lookup"}),
    ("CustomField", "Account.B__c", {"type": "Text"}),
    ("Role", "A", {"parentRole": "B"}),
    ("Role", "B", {}),
    ("Profile", "P", {}),
    ("Flow", "F", {}),
)
USERS = {name: user(name) for name in ("ann@acme.example", "bob@acme.example", "cid@acme.example")}


def facts() -> tuple[Desired, Actual]:
    here = primary(items=ITEMS, **PARTS)
    there = secondary(items=ITEMS, **synced(components(("Role", "B", {"x": "1"}), ("Role", "C", {}))))
    return (
        desired(
            *[publication(item.name, 30 + index) for index, item in enumerate(ITEMS)], bulk_sync=BulkSyncPlan(auto=True)
        ),
        actual(replace(here, users={**here.users, **USERS}), there),
    )


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same facts with every mapping in another order."""
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{item.name: shuffled(getattr(value, item.name), chance) for item in fields(value)})
    if isinstance(value, dict):
        items = list(value.items())
        chance.shuffle(items)
        return {key: shuffled(item, chance) for key, item in items}
    if type(value) is tuple:
        return tuple(shuffled(item, chance) for item in value)
    return value


@settings(max_examples=25, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_order_of_facts_does_not_matter(seed: int) -> None:
    """REC-1: same inputs, same bytes, in every rendering."""
    wanted, found = facts()
    plan = build_plan(wanted, found)
    chance = random.Random(seed)
    other = build_plan(shuffled(wanted, chance), shuffled(found, chance))
    assert to_json(other) == to_json(plan)
    assert render_text(other) == render_text(plan)
    assert render_markdown(other) == render_markdown(plan)


def test_every_dependency_runs_before_its_user() -> None:
    """REC-1, CON-1: numbers are the order in which actions run."""
    plan = build_plan(*facts())
    place = {action.id: index for index, action in enumerate(plan.actions)}
    assert list(place) == [f"a{index}" for index in range(1, len(plan.actions) + 1)]
    assert all(place[need] < place[action.id] for action in plan.actions for need in action.depends_on)
    assert any(action.depends_on for action in plan.actions)
