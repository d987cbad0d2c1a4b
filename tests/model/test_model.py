"""The engine against the reference model, in orgs that are connected in every way (DESIGN's invariants 1 to 4).

A failure prints the steps that lead to it as a script.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from machine import machine
from model_orgs import SHAPES

#: How many runs of each shape `make soak` makes.
RUNS = int(os.environ.get("ORGSYNC_MODEL_RUNS", "400"))


def play(shape: str, runs: int, steps: int, *, random: bool) -> None:
    run_state_machine_as_test(
        machine(shape),
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=not random,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_the_model_holds(shape: str) -> None:
    """CNF-1, CNF-3, CON-10, LKP-1 to LKP-4, QUE-3, QUE-4, BLK-2, SUS-1: whatever is done, in any order."""
    play(shape, 4, 20, random=False)


@pytest.mark.soak
@pytest.mark.parametrize("shape", SHAPES)
def test_the_model_holds_for_long(shape: str) -> None:
    """The same, with other steps every time, and more of them; ORGSYNC_MODEL_RUNS sets how many runs."""
    play(shape, RUNS, 60, random=True)
