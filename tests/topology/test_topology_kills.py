"""Drains of several connections killed at named and at random moments while clients write in every org (QUE-3, CON-10)."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from itertools import count

import pytest
from net_world import Net
from org_stores import assert_intact
from test_topology_at_once import WRITER, start, start_drain

from orgsync_reconcile.failpoints import VARIABLE, FailPoint

#: How many drains are killed; set ORGSYNC_SOAK_KILLS for another number.
KILLS = int(os.environ.get("ORGSYNC_SOAK_KILLS", "500"))
#: How many are killed between two checks that all orgs are equal.
ROUND = 50
POINTS = tuple(point.value for point in FailPoint if point.value.startswith("drain:"))
RANDOM = "a random moment"


def one_kill(net: Net, way: str, pick: random.Random, monkeypatch: pytest.MonkeyPatch) -> str:
    """Starts a drain that dies at a fail point or is killed at a random moment; where it died, or nothing."""
    point = pick.choice((*POINTS, RANDOM))
    with monkeypatch.context() as patch:
        if point != RANDOM:
            patch.setenv(VARIABLE, f"{point}:{pick.randint(1, 3)}")
        run = start_drain(net, way)
    try:
        run.wait(timeout=pick.uniform(0.3, 1.0) if point == RANDOM else 2)
    except subprocess.TimeoutExpired:
        if point == RANDOM:
            run.kill()
    _, errors = run.communicate("", timeout=60)
    assert run.returncode in (0, -signal.SIGKILL), errors
    return point if run.returncode else ""


def soak(net: Net, kills: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Rounds of kills, each ending with all orgs equal; how often a drain died where."""
    pick = random.Random(seed)
    died: Counter[str] = Counter()
    turns = count()
    while died.total() < kills:
        goal = min(died.total() + ROUND, kills)
        while died.total() < goal:
            turn = next(turns)
            writers = [start(WRITER, net.addresses[org], f"{org}{turn}.", 30) for org in net.orgs]
            found = one_kill(net, pick.choice(list(net.pairs)), pick, monkeypatch)
            if found:
                died[found] += 1
            for writer in writers:
                _, errors = writer.communicate("", timeout=60)
                assert writer.returncode == 0, errors
        net.settle()
        net.assert_same()
        for org in net.orgs:
            doubled = 'SELECT "Name" FROM "Thing__c" GROUP BY 1 HAVING count(*) > 1'
            assert net.all(org, doubled) == []
            assert_intact(net.clients[org])
    return died


def test_a_few_kills_in_a_ring(net: Callable[[str], Net], monkeypatch: pytest.MonkeyPatch) -> None:
    """QUE-3, CON-10, CNF-3: the soak test in short."""
    soak(net("abc").connect("ab", "bc", "ca"), 3, 5, monkeypatch)


@pytest.mark.soak
@pytest.mark.parametrize("ways", [("ab", "bc"), ("ab", "bc", "ca")], ids=["chain", "ring"])
def test_hundreds_of_kills_among_three_orgs(
    net: Callable[[str], Net],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ways: tuple[str, ...],
) -> None:
    """QUE-3, CON-10, CNF-3: nothing is lost and nothing doubled, whatever is killed, whenever."""
    died = soak(net("abc").connect(*ways), KILLS, 2, monkeypatch)
    with capsys.disabled():
        print(f"\nkills: {died.total()} in {', '.join(ways)}; all orgs are equal")
        for point, times in died.most_common():
            print(f"  {times:5} at {point}")
