"""A crew of processes on this machine, which end with the one that started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import Executor, ProcessPoolExecutor

from typing_extensions import override

from orgsync_reconcile.workers.crew import Crew


class LocalCrew(Crew):
    """So many processes beside this one. One that dies takes the others with it, and all begin anew."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._pool = self._start()

    def _start(self) -> ProcessPoolExecutor:
        # Fresh processes: a copy of this one would share its open stores.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._processes, mp_context=context, initializer=_begin)

    @override
    def size(self) -> int:
        return self._processes

    @override
    def executor(self) -> Executor:
        return self._pool

    @override
    def renew(self) -> None:
        self._pool.shutdown(wait=False)
        self._pool = self._start()

    @override
    def close(self) -> None:
        # Whatever is under way may be given up at any moment: a transaction is whole or not there.
        ours = list((self._pool._processes or {}).values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in ours:
            process.terminate()
        for process in ours:
            process.join()


def _begin() -> None:
    """What a new process does first."""
    # Whoever presses Ctrl-C means the whole; the first process ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends this process when the one that started it is gone, however that came about."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
