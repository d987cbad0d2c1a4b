"""Whatever clients do in both orgs, and whenever drains come: the orgs end equal (DESIGN's invariants)."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schedules import NAMES, Step, make_template, play, steps
from sync_world import P, S, Side, World, copy_orgs

POLICIES = ("primary-wins", "secondary-wins", "latest-wins")
QUIET = settings(
    deadline=None,
    database=None,
    print_blob=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("schedules")
    make_template(folder)
    return folder


@settings(QUIET, max_examples=25)
@given(policy=st.sampled_from(POLICIES), schedule=st.lists(steps, min_size=5, max_size=20))
def test_any_schedule_ends_equal(template: Path, policy: str, schedule: list[Step]) -> None:
    """CNF-3, QUE-3, QUE-4, LKP-1, LKP-3, LKP-4, ORG-7, BLK-2: equal, nothing queued, no echo, nothing doubled."""
    play(template, policy, schedule)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_lookup_of_a_parent_that_was_gone_before_its_turn_is_no_difference(template: Path, policy: str) -> None:
    """LKP-2, LKP-3, QUE-4: the child names a record that the other org never got; there the lookup stays blank."""
    node = "Node__c"
    schedule = [
        Step("insert", P, node, record=0, column=0, value=0),
        Step("move", P, node, record=1, column=0, value=3),
        Step("delete", P, node, record=3, column=0, value=0),
    ]
    play(template, policy, schedule)


@pytest.mark.parametrize("side", [P, S])
def test_a_parent_that_was_gone_before_its_turn_comes_by_its_undelete(
    template: Path, side: Side, tmp_path: Path
) -> None:
    """LKP-2, LKP-3, QUE-4: it is sent then, and the lookup that waited for it is filled in; nothing goes back."""
    copy_orgs(template, tmp_path)
    with ExitStack() as stack:
        world = World(tmp_path, stack)
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
def test_long_schedules_end_equal(template: Path, policy: str, schedule: list[Step]) -> None:
    """CNF-3, QUE-3, QUE-4: the same, for longer."""
    play(template, policy, schedule)
