"""Setting the bad rows of a set apart: split it ten ways until they stand alone (QUE-4, BLK-3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

#: Splitting ten ways needs fewer tries than halving where bad rows are few.
WAYS = 10

Failure = TypeVar("Failure")


def isolate(
    low: int,
    high: int,
    attempt: Callable[[int, int], Failure | None],
    refused: Callable[[int, Failure], None],
) -> None:
    """Runs `attempt(low, high)` over the rows numbered in (low, high]; where it fails, over ever smaller parts.

    `attempt` does all or nothing and returns None, or why it failed; `refused(number, why)` is told of each single
    row that fails.
    """
    if high <= low:
        return
    failure = attempt(low, high)
    if failure is None:
        return
    if high - low == 1:
        refused(high, failure)
        return
    step = max((high - low + WAYS - 1) // WAYS, 1)
    for start in range(low, high, step):
        isolate(start, min(start + step, high), attempt, refused)
