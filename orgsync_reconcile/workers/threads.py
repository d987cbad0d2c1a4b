"""A crew of threads of this process, for parts that wait for a server most of the time."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor

from typing_extensions import override

from orgsync_reconcile.workers.crew import Crew


class ThreadCrew(Crew):
    """So many threads. What they are at when all is over, they end."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="orgsync")

    @override
    def size(self) -> int:
        return self._threads

    @override
    def executor(self) -> Executor:
        return self._pool

    @override
    def renew(self) -> None:
        self.close()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="orgsync")

    @override
    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
