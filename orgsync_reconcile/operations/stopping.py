"""Ending long runs cleanly: a signal asks, the run answers at its next boundary between two pieces of work."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from types import FrameType

from orgsync_reconcile.errors import ExitCode


class Stopped(BaseException):
    """The run was asked to end and stands at a boundary. No error, so that nothing takes it for one on the way."""


class Stop:
    """Whether the run was asked to end, and by which signal."""

    def __init__(self) -> None:
        # Signal handlers run within whatever the main thread does, resting too: they may use nothing that holds a lock
        # of its own meanwhile, as an Event does. A SimpleQueue is made for them.
        self._calls: SimpleQueue[int] = SimpleQueue()
        self._signal: int | None = None
        #: What wakes a rest that waits for files.
        self._bell: int | None = None

    @property
    def asked(self) -> bool:
        """Whether somebody wants the run to end."""
        return self._signal is not None

    @property
    def exit_code(self) -> ExitCode:
        """What the program ends with: an interrupt at the keyboard says so, a request to terminate is no failure."""
        return ExitCode.INTERRUPTED if self._signal == signal.SIGINT else ExitCode.OK

    def ask(self, number: int = signal.SIGTERM) -> None:
        """Asks the run to end at its next boundary."""
        self._signal = number
        self._calls.put(number)
        if self._bell is not None:
            os.write(self._bell, b"!")

    def between_batches(self, name: str, done: int, total: int) -> None:  # noqa: ARG002
        """Raises Stopped where the run was asked to end and there is more to do. For a drain's progress."""
        if self.asked and done < total:
            raise Stopped

    def rest(self, seconds: float) -> bool:
        """Waits for so long, or until the run is asked to end; returns whether it was."""
        if not self.asked:
            with suppress(Empty):
                self._calls.get(timeout=max(seconds, 0.0))
        return self.asked

    def rest_for(self, files: Sequence[int], seconds: float) -> bool:
        """Waits as `rest`, and no longer than until one of the files can be read."""
        if not files:
            return self.rest(seconds)
        heard, self._bell = os.pipe()
        rung = self._bell
        try:
            if not self.asked:
                select.select([heard, *files], [], [], max(seconds, 0.0))
        finally:
            self._bell = None
            os.close(rung)
            os.close(heard)
        return self.asked


@contextmanager
def on_signals() -> Iterator[Stop]:
    """SIGTERM and SIGINT ask the run to end while the block lasts; a second SIGINT interrupts at once.

    Outside the main thread signals cannot be caught: then nobody asks.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.ask(number)

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
