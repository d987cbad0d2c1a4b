"""A dask cluster for tests: a scheduler and workers as processes of their own, on loopback, ended with the test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Cluster:
    """A running scheduler. `workers` are processes that a test may kill."""

    address: str
    folder: Path
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def work(self, count: int, **environment: str) -> None:
        """Sees to it that so many workers live, each with one thread; they answer a little later."""
        self.workers = [item for item in self.workers if item.poll() is None]
        while len(self.workers) < count:
            options = ["--nthreads", "1", "--no-nanny", "--local-directory", str(self.folder)]
            self.workers.append(
                _start(self.folder, "worker", self.address, "--host", "127.0.0.1", *options, **environment)
            )


def _start(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "dask", *arguments, "--no-dashboard"]
    with (folder / "dask.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env={**os.environ, **environment})


@contextmanager
def dask_cluster(folder: Path) -> Iterator[Cluster]:
    """A scheduler without workers, until the block ends."""
    file = folder / "scheduler.json"
    scheduler = _start(folder, "scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
    cluster = Cluster(address="", folder=folder)
    try:
        end = time.monotonic() + 30
        while not cluster.address:
            assert scheduler.poll() is None and time.monotonic() < end, (folder / "dask.log").read_text()
            time.sleep(0.05)
            try:
                cluster.address = json.loads(file.read_text())["address"]
            except (OSError, ValueError):
                continue
        yield cluster
    finally:
        for process in (*cluster.workers, scheduler):
            process.kill()
            process.wait()
