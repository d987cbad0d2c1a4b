"""A program's clock that jumps ahead and back: retries are neither lost nor put off for ever (QUE-5)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from failsafe_world import FailsafeWorld
from org_stores import refuse
from sync_world import CONNECTION, P, S

from orgsync_reconcile.clock import iso


@pytest.mark.parametrize("days", [4000, 40, 1, -1, -40, -4000], ids="{:+d} days".format)
def test_a_refusal_under_a_wrong_clock_comes_due_under_the_right_one(world: FailsafeWorld, days: int) -> None:
    """QUE-5, LOG-1: refused while the clock was wrong; it is right again, the target is mended, and two days later it is there."""
    world.connect("Account")
    mend = refuse(world.clients[S], "Account")
    record = world.insert(P, "Account", Name="x")
    wrong, right = iso(world.now + timedelta(days=days)), iso(world.now)
    assert world.program("drain", CONNECTION, ORGSYNC_NOW=wrong).exit_code == 5
    assert [item.record for item in world.queue(P)] == [record]
    mend()
    for command in ("queue", "list"), ("status",):
        assert world.program(*command, CONNECTION, ORGSYNC_NOW=right).exit_code == 0
    assert world.program("drain", CONNECTION, ORGSYNC_NOW=iso(world.now + timedelta(days=2))).exit_code == 0
    assert world.other(P, record) is not None
    assert world.log_words(P)[-1] == ("Resolved", "", record)
    world.assert_equal()
