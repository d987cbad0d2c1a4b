"""Whatever clients do in both orgs, and whenever drains come: the orgs end equal (DESIGN's invariants)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schedules import Step, make_template, play, steps

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


@pytest.mark.soak
@settings(QUIET, max_examples=2000)
@given(policy=st.sampled_from(POLICIES), schedule=st.lists(steps, min_size=10, max_size=80))
def test_long_schedules_end_equal(template: Path, policy: str, schedule: list[Step]) -> None:
    """CNF-3, QUE-3, QUE-4: the same, for longer."""
    play(template, policy, schedule)
