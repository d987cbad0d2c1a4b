"""A step that other sessions came in between is taken again, a few times (QUE-3)."""

from __future__ import annotations

import pytest

from orgsync_reconcile.errors import DisturbedError, StoreBusyError
from orgsync_reconcile.sync.again import TRIES, again


def test_until_it_comes_through() -> None:
    """QUE-3: the result is that of the try that was not disturbed."""
    left = [DisturbedError("a deadlock")] * 2

    def step() -> str:
        if left:
            raise left.pop()
        return "done"

    assert again(step) == "done"


@pytest.mark.parametrize(("error", "tries"), [(DisturbedError("a deadlock"), TRIES), (StoreBusyError("locked"), 1)])
def test_it_gives_up(error: StoreBusyError, tries: int) -> None:
    """QUE-3: not for ever, and not where somebody holds the store for long."""
    tried: list[int] = []

    def step() -> None:
        tried.append(1)
        raise error

    with pytest.raises(type(error)):
        again(step)
    assert len(tried) == tries
