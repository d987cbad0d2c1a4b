"""What a drain costs that has nothing to send, among 1,000, 100,000 and 1,000,000 linked records: it must not grow."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import orgs
import report

from orgsync_reconcile.clock import system_clock
from orgsync_reconcile.sync.drain import drain


def idle(folder: Path, records: int, times: int) -> float:
    """CPU milliseconds of one drain of both directions with empty queues, the median of `times`."""
    orgs.connected(folder)
    orgs.link_accounts(folder, records)
    pair = orgs.pair(folder)
    drain(pair, clock=system_clock)
    spent = []
    for _ in range(times):
        start = time.process_time()
        moved = drain(pair, clock=system_clock)
        spent.append((time.process_time() - start) * 1000)
        if moved:
            raise SystemExit(f"the queues were not empty: {moved}")
    for org in pair.orgs.values():
        org.close()
    return statistics.median(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--times", type=int, default=50)
    options = parser.parse_args()
    rows = []
    least = 0.0
    for records in options.records:
        with tempfile.TemporaryDirectory() as name:
            spent = idle(Path(name) / "orgs", records, options.times)
        least = least or spent
        ratio = spent / least
        rows.append(
            (f"{records:,}", f"{spent:.2f}", f"{ratio:.2f}", "≤ 1.25", report.verdict(ratio, 1.25, at_least=False))
        )
    report.table(
        "A drain with nothing to send, both directions",
        ("linked records", "CPU ms", f"against {options.records[0]:,}", "wanted", ""),
        rows,
    )


if __name__ == "__main__":
    main()
