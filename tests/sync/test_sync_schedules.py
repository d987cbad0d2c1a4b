"""Whatever clients do in both orgs, and whenever drains come: the orgs end equal (DESIGN's invariants)."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from org_stores import FILES_ONLY, Templates
from schedules import NAMES, Step, fresh, play, steps
from sync_world import P, S, Side

POLICIES = ("primary-wins", "secondary-wins", "latest-wins")
QUIET = settings(
    deadline=None,
    database=None,
    print_blob=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


@settings(QUIET, max_examples=25)
@given(policy=st.sampled_from(POLICIES), schedule=st.lists(steps, min_size=5, max_size=20))
def test_any_schedule_ends_equal(templates: Templates, policy: str, schedule: list[Step]) -> None:
    """CNF-3, QUE-3, QUE-4, LKP-1, LKP-3, LKP-4, ORG-7, BLK-2: equal, nothing queued, no echo, nothing doubled."""
    play(templates, FILES_ONLY, policy, schedule)


@pytest.mark.pairings("postgres-postgres", "sqlite-postgres", "postgres-sqlite")
@settings(QUIET, max_examples=2, phases=[Phase.generate])
@given(policy=st.sampled_from(POLICIES), schedule=st.lists(steps, min_size=10, max_size=15))
def test_any_schedule_ends_equal_in_every_store(
    templates: Templates, pairing: str, policy: str, schedule: list[Step]
) -> None:
    """CNF-1, CNF-3, QUE-3, QUE-4: the same, where orgs do not lie in files alone."""
    play(templates, pairing, policy, schedule)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_lookup_of_a_parent_that_was_gone_before_its_turn_is_no_difference(
    templates: Templates, pairing: str, policy: str
) -> None:
    """LKP-2, LKP-3, QUE-4: the child names a record that the other org never got; there the lookup stays blank."""
    node = "Node__c"
    schedule = [
        Step("insert", P, node, record=0, column=0, value=0),
        Step("move", P, node, record=1, column=0, value=3),
        Step("delete", P, node, record=3, column=0, value=0),
    ]
    play(templates, pairing, policy, schedule)


@pytest.mark.parametrize("side", [P, S])
def test_a_parent_that_was_gone_before_its_turn_comes_by_its_undelete(
    templates: Templates, pairing: str, side: Side
) -> None:
    """LKP-2, LKP-3, QUE-4: it is sent then, and the lookup that waited for it is filled in; nothing goes back."""
    with fresh(templates, pairing) as world:
        world.connect(*NAMES)
        child = world.insert(side, "Node__c", Name="child")
        world.settle()
        parent = world.insert(side, "Node__c", Name="parent")
        world.update(side, "Node__c", child, Parent__c=parent)
        world.delete(side, "Node__c", parent)
        world.settle()
        there = str(world.other(side, child))
        assert world.other(side, parent) is None
        assert world.get(side.other, "Node__c", there, "Parent__c") is None
        assert world.get(side, "Node__c", child, "Parent__c") == parent
        world.assert_equal()

        world.undelete(side, "Node__c", parent)
        world.settle()

        assert world.other(side, parent) is not None
        assert world.get(side.other, "Node__c", there, "Parent__c") == world.other(side, parent)
        assert world.get(side, "Node__c", child, "Parent__c") == parent
        world.assert_equal()


@pytest.mark.soak
@settings(QUIET, max_examples=2000)
@given(policy=st.sampled_from(POLICIES), schedule=st.lists(steps, min_size=10, max_size=80))
def test_long_schedules_end_equal(templates: Templates, policy: str, schedule: list[Step]) -> None:
    """CNF-3, QUE-3, QUE-4: the same, for longer."""
    play(templates, FILES_ONLY, policy, schedule)


@pytest.mark.soak
@pytest.mark.pairings("postgres-postgres", "sqlite-postgres", "postgres-sqlite")
@settings(QUIET, max_examples=100, phases=[Phase.generate])
@given(policy=st.sampled_from(POLICIES), schedule=st.lists(steps, min_size=10, max_size=80))
def test_long_schedules_end_equal_in_every_store(
    templates: Templates, pairing: str, policy: str, schedule: list[Step]
) -> None:
    """CNF-3, QUE-3, QUE-4: the same, where orgs do not lie in files alone."""
    play(templates, pairing, policy, schedule)
