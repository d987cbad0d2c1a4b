"""Killed at random moments, again and again, while both orgs are written to: they end equal (QUE-3, BLK-4)."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from pathlib import Path

import pytest
from busy_orgs import assert_whole, ended, kill, start, writing
from joined_world import STORES, assert_equal, here, sql

#: How many runs are killed; set ORGSYNC_SOAK_KILLS for another number.
KILLS = int(os.environ.get("ORGSYNC_SOAK_KILLS", "500"))
#: How many are killed between two checks that both orgs are equal.
ROUND = 50
RUNS = (
    ("drain", "--follow"),
    ("drain", "--follow"),
    ("drain",),
    ("drain", "--from", "secondary"),
    ("bulk-sync",),
)


def one_round(folder: Path, label: str, kills: int, pick: random.Random) -> tuple[int, int]:
    """Kills so many runs, two of them at a time, while clients write; returns (records written, runs that ended)."""
    done = unharmed = 0
    with writing(folder, label, pause=0.02) as written:
        while done < kills:
            pair = [start(folder, *pick.choice(RUNS)) for _ in range(2)]
            for run in pair:
                if kill(run, pick.uniform(0.2, 1.5)):
                    done += 1
                else:
                    unharmed += 1
    return written.made * 2 + written.changed + written.deleted, unharmed


def delivered(folder: Path) -> int:
    """Records that came from the other org, in both."""
    return sum(
        sql(folder, store, "SELECT count(*) FROM orgsync_link WHERE made_here = 1 AND status = 1")[0][0]
        for store in STORES
    )


def soak(folder: Path, kills: int, every: int, seed: int) -> str:
    """Rounds of kills, each ending with both orgs equal; what was done, in one line."""
    pick = random.Random(seed)
    began = time.monotonic()
    killed = written = unharmed = 0
    while killed < kills:
        part = min(every, kills - killed)
        made, ended_well = one_round(folder, f"round {killed}", part, pick)
        killed, written, unharmed = killed + part, written + made, unharmed + ended_well
        ended(start(folder, "bulk-sync"), seconds=300)
        ended(start(folder, "drain"), seconds=300)
        assert_equal(folder)
        assert_whole(folder)
    assert json.loads(here(folder, "--format", "json", "drain"))["objects"] == []
    seconds = time.monotonic() - began
    return (
        f"kills: {killed}, runs that ended by themselves: {unharmed}, writes by clients: {written},"
        f" records delivered: {delivered(folder)}, seconds: {seconds:.0f}; both orgs are equal"
    )


def test_a_few_random_kills(stages: dict[str, Path], tmp_path: Path) -> None:
    """QUE-3, BLK-4, CNF-3: the soak test in short."""
    soak(shutil.copytree(stages["queued"], tmp_path / "work"), 4, 4, 7)


@pytest.mark.soak
def test_hundreds_of_random_kills(stages: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """QUE-3, BLK-4, CNF-3: nothing is lost and nothing doubled, whatever is killed, whenever."""
    line = soak(shutil.copytree(stages["queued"], tmp_path / "work"), KILLS, ROUND, 1)
    with capsys.disabled():
        print(f"\n{line}")
