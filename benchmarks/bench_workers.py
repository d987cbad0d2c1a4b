"""What several workers gain on PostgreSQL: drain, bulk sync and verify by 1, 2 and 4 of them, and what is busy meanwhile.

Busy is processor time by the clock: 1.00 is one core that does nothing else. The servers' is that of all their processes.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import native
import orgs
import report
import served

from orgsync_reconcile.stores.postgres.local_server import LocalServer, local_server

_TICKS = os.sysconf("SC_CLK_TCK")
HEADER = ("workers", "seconds", "records/s", "to the first", "source busy", "target busy", "workers busy")


def _stat(process: int) -> tuple[int, float]:
    """(parent, seconds of processor time of a process and of its children that have ended). Raises OSError."""
    words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(words[1]), sum(map(int, words[11:15])) / _TICKS


def spent(*roots: int) -> float:
    """Seconds of processor time of these processes, and of all that they started."""
    found: dict[int, tuple[int, float]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = _stat(int(entry.name))
            except OSError:
                continue  # It has just ended.
    family = set(roots)
    while more := {process for process, (parent, _) in found.items() if parent in family} - family:
        family |= more
    return sum(found[process][1] for process in family if process in found)


def _ended() -> float:
    """Seconds of processor time of this process's children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Curve:
    """The rows of one job, by the number of workers."""

    def __init__(self, servers: Sequence[LocalServer], records: int) -> None:
        self._servers = [server.process for server in servers]
        self._records = records
        self.rows: list[tuple[object, ...]] = []
        self._first = 0.0

    @contextmanager
    def measured(self, name: str, programs: Sequence[int] = ()) -> Iterator[None]:
        """Adds the row of what the block does; `programs` are the workers, where the block itself does not end them."""
        workers: Callable[[], float] = (lambda: spent(*programs)) if programs else _ended
        before = [*(spent(server) for server in self._servers), workers()]
        started = time.perf_counter()
        yield
        seconds = time.perf_counter() - started
        after = [*(spent(server) for server in self._servers), workers()]
        self._first = self._first or seconds
        busy = [f"{(late - early) / seconds:.2f}" for early, late in zip(before, after, strict=True)]
        speed = f"{self._records / seconds:,.0f}"
        self.rows.append((name, f"{seconds:.2f}", speed, f"{self._first / seconds:.2f}", *busy))


def drained(curve: Curve, servers: Sequence[LocalServer], counts: Sequence[int], accounts: int) -> None:
    """A backlog of one update per record, sent by so many following drains."""
    source, target = servers
    with served.in_step(source, target, accounts) as (_, here, there), served.folder_of(source, target) as folder:
        for run, count in enumerate(counts):
            phone = f"d{run}"
            with served.followers(folder, count) as programs, native.session(target) as client:
                with served.asleep(programs), native.session(source) as writer:
                    native.write_singles(
                        writer,
                        accounts,
                        lambda n, phone=phone: (
                            f"UPDATE {served.ACCOUNT} SET \"Phone\" = '{phone}' WHERE \"Id\" = '{here[n]}'"
                        ),
                    )
                with curve.measured(str(count), [program.pid for program in programs]):
                    native.wait_for(partial(served.has_all, client, served.ACCOUNT, there, phone), pause=0.05)


def commanded(
    curves: Mapping[str, Curve], servers: Sequence[LocalServer], counts: Sequence[int], accounts: int
) -> None:
    """The commands that share their work themselves, each in the process alone first, then by so many workers."""
    source, target = servers
    with served.joined(source, target, accounts):
        pass
    for count in (0, *counts):
        with served.copied(source, target, "run"), served.folder_of(source, target, "run") as folder:
            for name, curve in curves.items():
                workers = ["--workers", str(count)] if count else []
                with curve.measured(str(count or "none")):
                    done = subprocess.run(
                        served.command(folder, name, orgs.CONNECTION, *workers),
                        check=False,
                        capture_output=True,
                        text=True,
                    )
                if done.returncode:
                    raise SystemExit(f"{name} ended with {done.returncode}: {done.stderr.strip()[-500:]}")


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=100_000)
    parser.add_argument("--accounts", type=int, default=400_000, help="of the bulk sync, and to be verified")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    options = parser.parse_args()
    with local_server(settings=native.DURABLE) as source, local_server(settings=native.DURABLE) as target:
        servers = (source, target)
        curve = Curve(servers, options.changes)
        drained(curve, servers, options.workers, options.changes)
    cores = os.cpu_count()
    report.table(
        f"Draining {options.changes:,} one-row transactions by several workers, {cores} cores", HEADER, curve.rows
    )
    with local_server(settings=native.DURABLE) as source, local_server(settings=native.DURABLE) as target:
        servers = (source, target)
        curves = {name: Curve(servers, options.accounts) for name in ("bulk-sync", "verify")}
        commanded(curves, servers, options.workers, options.accounts)
    for name, curve in curves.items():
        report.table(
            f"`orgsync {name}` of {options.accounts:,} Accounts by several workers, {cores} cores", HEADER, curve.rows
        )


if __name__ == "__main__":
    main()
