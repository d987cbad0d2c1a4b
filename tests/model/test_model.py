"""The engine against the reference model, in orgs that are connected in every way (DESIGN's invariants 1 to 4).

A failure prints the steps that lead to it as a script.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from machine import Orgs, machine
from model_orgs import SHAPES
from org_stores import Templates

#: How many runs of each shape `make soak` makes.
RUNS = int(os.environ.get("ORGSYNC_MODEL_RUNS", "400"))


def play(orgs: type[Orgs], runs: int, steps: int, *, random: bool) -> None:
    run_state_machine_as_test(
        orgs,
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


@pytest.fixture
def orgs_of(pairing: str, templates: Templates) -> Callable[[str], type[Orgs]]:
    """The machine of a shape, on the stores of the test's pairing."""
    return lambda shape: machine(shape, pairing, templates)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_model_holds_in_files(shape: str, orgs_of: Callable[[str], type[Orgs]]) -> None:
    """CNF-1, CNF-3, CON-10, LKP-1 to LKP-4, QUE-3, QUE-4, BLK-2, SUS-1: whatever is done, in any order."""
    play(orgs_of(shape), 3, 25, random=False)


@pytest.mark.pairings("sqlite-postgres", "postgres-sqlite", "postgres-postgres")
def test_the_model_holds_on_servers(orgs_of: Callable[[str], type[Orgs]]) -> None:
    """The same where one of two orgs lies on a server, or both."""
    play(orgs_of("pair"), 3, 25, random=False)


@pytest.mark.pairings("sqlite-postgres", "postgres-postgres")
def test_the_model_holds_in_a_chain_with_servers(orgs_of: Callable[[str], type[Orgs]]) -> None:
    """CON-10: the same where what arrives goes on."""
    play(orgs_of("chain"), 2, 20, random=False)


@pytest.mark.parametrize("drained", [True, False])
@pytest.mark.parametrize(("deleting", "restoring"), [(0, 1), (1, 0)])
def test_an_undelete_elsewhere_does_not_outlast_a_hard_delete(
    deleting: int, restoring: int, drained: bool, orgs_of: Callable[[str], type[Orgs]]
) -> None:
    """QUE-4, CNF-3: random steps seldom get there, so these steps are fixed."""
    orgs = orgs_of("chain")()
    orgs.connect(seed=0)
    orgs.insert(0, "Leaf__c", 0, 0)
    orgs.drain_all()
    orgs.delete(deleting, "Leaf__c", 0)
    orgs.drain_all()
    orgs.delete_for_good(deleting, "Leaf__c", 0)
    if drained:
        orgs.drain_all()
    orgs.undelete(restoring, "Leaf__c", 0)
    orgs.teardown()


@pytest.mark.parametrize("drained", [True, False])
def test_records_swap_their_keys(drained: bool, orgs_of: Callable[[str], type[Orgs]]) -> None:
    """QUE-4: random steps seldom get there either. Two records of an org swap unique values, and a third one takes one."""
    orgs = orgs_of("chain")()
    orgs.connect(seed=0)
    orgs.give_key(0, "Leaf__c", 0, 0, 0)
    orgs.give_key(0, "Leaf__c", 1, 1, 0)
    if drained:
        orgs.drain_all()
    orgs.give_key(0, "Leaf__c", 0, 1, 1)
    orgs.drain_all()
    orgs.give_key(0, "Leaf__c", 2, 0, 0)
    assert orgs.net.all("a", 'SELECT "Name", "Key__c" FROM "Leaf__c" WHERE "Key__c" IS NOT NULL ORDER BY 1') == [
        ("a-Leaf__c", "a-1"),
        ("c-Leaf__c", "a-0"),
    ]
    orgs.teardown()


@pytest.mark.soak
@pytest.mark.pairings
@pytest.mark.parametrize("shape", SHAPES)
def test_the_model_holds_for_long(shape: str, pairing: str, orgs_of: Callable[[str], type[Orgs]]) -> None:
    """The same, with other steps every time, and more of them; ORGSYNC_MODEL_RUNS sets how many runs."""
    begun = time.monotonic()
    play(orgs_of(shape), RUNS, 60, random=True)
    print(
        f"{shape}, {pairing}: {RUNS} runs of 60 steps, seconds: {time.monotonic() - begun:.0f}; all orgs are as the model says"
    )
