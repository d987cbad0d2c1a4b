"""Printing benchmark results: one Markdown table per benchmark, with ratios of one run."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from time import perf_counter


def timed(work: Callable[[], object]) -> float:
    """Seconds that the work took."""
    start = perf_counter()
    work()
    return perf_counter() - start


def median_ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """The median of limit/ours over runs that were made in turn."""
    return statistics.median(limit / ours for limit, ours in pairs)


def verdict(value: float, wanted: float, *, at_least: bool) -> str:
    """`met` or `MISSED`."""
    return "met" if (value >= wanted if at_least else value <= wanted) else "MISSED"


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints a Markdown table."""
    print(f"\n### {title}\n")
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print(flush=True)
