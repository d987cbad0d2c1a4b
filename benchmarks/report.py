"""Printing benchmark results: one Markdown table per benchmark, with ratios of one run."""

from __future__ import annotations

import resource
import statistics
import subprocess
from collections.abc import Callable, Sequence
from time import perf_counter


def timed(work: Callable[[], object]) -> float:
    """Seconds that the work took."""
    start = perf_counter()
    work()
    return perf_counter() - start


def cpu(command: Sequence[str], code: int = 0) -> float:
    """CPU seconds of a program, its start included. Raises SystemExit where it ends with another exit code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != code:
        raise SystemExit(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def median_ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """The median of limit/ours over runs that were made in turn."""
    return statistics.median(limit / ours for limit, ours in pairs)


def verdict(value: float, wanted: float, *, at_least: bool) -> str:
    """`met` or `MISSED`."""
    return "met" if (value >= wanted if at_least else value <= wanted) else "MISSED"


def rate_columns(limit: str) -> Sequence[str]:
    """The columns of `rates`, by what the limit is."""
    return ("records/s", f"{limit}, records/s", "ratio", "wanted", "")


def rates(count: int, runs: Sequence[tuple[float, float]], wanted: float | None) -> Sequence[str]:
    """The cells of what `count` records took: `runs` holds the seconds of the limit and ours, made in turn."""
    limit, ours = (sorted(run[place] for run in runs)[len(runs) // 2] for place in (0, 1))
    ratio = median_ratio(runs)
    met = (f"≥ {wanted}", verdict(ratio, wanted, at_least=True)) if wanted else ("–", "")
    return (f"{count / ours:,.0f}", f"{count / limit:,.0f}", f"{ratio:.2f}", *met)


#: The columns of `beside`.
BESIDE = ("of it on plain tables", "of it on the org's tables", "wanted", "on plain tables", "on the org's tables")


def beside(runs: Sequence[Sequence[float]], place: int, wanted: float) -> Sequence[str]:
    """The cells of what the runs' `place` took beside their first, on plain tables, and their second, on tables like the org's."""
    ratios = [median_ratio([(run[limit], run[place]) for run in runs]) for limit in (0, 1)]
    cells = [f"{ratio:.2f}" for ratio in ratios]
    if not wanted:
        return (*cells, "", "", "")
    return (*cells, f"≥ {wanted}", *(verdict(ratio, wanted, at_least=True) for ratio in ratios))


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints a Markdown table."""
    print(f"\n### {title}\n")
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print(flush=True)
