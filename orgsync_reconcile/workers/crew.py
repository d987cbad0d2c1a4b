"""Who does the parts of a job, and what becomes of parts that fail: tried again, then reported."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

from orgsync_reconcile.errors import (
    LockHeldError,
    ManifestError,
    MetadataError,
    OrgsyncError,
    PermissionDeniedError,
    UsageError,
)

Part = TypeVar("Part")
Result = TypeVar("Result")

#: Seconds before each further try of a part that failed.
PAUSES = (1.0, 4.0, 15.0)
#: Errors that another try does not change.
_LASTING = (UsageError, ManifestError, MetadataError, PermissionDeniedError, LockHeldError)


@dataclass(frozen=True, kw_only=True, slots=True)
class Done(Generic[Part, Result]):
    """What became of one part: its result, or why its last try failed."""

    part: Part
    result: Result | None = None
    error: Exception | None = None

    def value(self) -> Result:
        """The result. Raises the part's error."""
        if self.error is not None:
            raise self.error
        assert self.result is not None, "a part has a result"
        return self.result


class Crew(ABC):
    """Those who do the parts elsewhere, for as long as a `with` block."""

    @abstractmethod
    def size(self) -> int:
        """How many parts are done at once, as it is at this moment."""

    @abstractmethod
    def executor(self) -> Executor:
        """What takes the parts."""

    @abstractmethod
    def renew(self) -> None:
        """Puts another executor in the place of one that broke."""

    @abstractmethod
    def close(self) -> None:
        """Sends everybody home. Parts that are under way are given up."""

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(
        self,
        work: Callable[[Part], Result],
        parts: Sequence[Part],
        *,
        at_once: int | None = None,
        pauses: Sequence[float] | None = None,
    ) -> Iterator[Done[Part, Result]]:
        """Does all parts and yields what became of each, in the order in which they end.

        `work` is a function of a module, or a partial one, and never returns None; it and the parts travel to other
        processes. A part may be done more than once: where it failed or its worker was lost, after `pauses` (by default
        `PAUSES`), and where a worker was lost that had just done it. At most `at_once` parts are under way at a time.
        """
        shift = _Shift(self, work, PAUSES if pauses is None else pauses)
        try:
            yield from shift.run(parts, at_once)
        finally:
            shift.abandon()


@dataclass(slots=True)
class _Try(Generic[Part]):
    """One part and how often it failed."""

    part: Part
    failed: int = 0
    #: Not before this moment of the monotonic clock.
    due: float = 0.0


class _Shift(Generic[Part, Result]):
    """The parts of one run: those that wait, those under way."""

    def __init__(self, crew: Crew, work: Callable[[Part], Result], pauses: Sequence[float]) -> None:
        self._crew = crew
        self._work = work
        self._pauses = pauses
        self._waiting: deque[_Try[Part]] = deque()
        self._running: dict[Future[Result], _Try[Part]] = {}

    def run(self, parts: Iterable[Part], at_once: int | None) -> Iterator[Done[Part, Result]]:
        self._waiting.extend(_Try(part) for part in parts)
        while self._waiting or self._running:
            self._start(at_once)
            if not self._running:
                time.sleep(max(min(item.due for item in self._waiting) - time.monotonic(), 0))
                continue
            ended, _ = wait(self._running, timeout=1.0 if self._waiting else None, return_when=FIRST_COMPLETED)
            for future in ended:
                done = self._judge(future, self._running.pop(future))
                if done is not None:
                    yield done

    def abandon(self) -> None:
        """Takes back what is under way."""
        for future in self._running:
            future.cancel()

    def _start(self, at_once: int | None) -> None:
        """Hands out what is due, as much as the crew can do."""
        most = self._crew.size() if at_once is None else min(at_once, self._crew.size())
        now = time.monotonic()
        for _ in range(len(self._waiting)):
            if len(self._running) >= max(most, 1):
                return
            item = self._waiting.popleft()
            if item.due > now:
                self._waiting.append(item)
                continue
            try:
                self._running[self._crew.executor().submit(self._work, item.part)] = item
            except BrokenExecutor:
                self._waiting.appendleft(item)
                self._crew.renew()
                return

    def _judge(self, future: Future[Result], item: _Try[Part]) -> Done[Part, Result] | None:
        """What became of a part; None where it is tried again."""
        try:
            return Done(part=item.part, result=future.result())
        except CancelledError:
            error: Exception = OrgsyncError("its worker was lost")
        except BrokenExecutor:
            error = OrgsyncError("its worker was lost", hint="it was killed, or had no memory left")
        except Exception as found:
            error = found
        if isinstance(error, _LASTING) or item.failed >= len(self._pauses):
            return Done(part=item.part, error=error)
        item.due = time.monotonic() + self._pauses[item.failed]
        item.failed += 1
        self._waiting.append(item)
        return None
