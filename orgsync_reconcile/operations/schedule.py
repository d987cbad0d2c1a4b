"""When a loop runs next: every so often, or by a cron expression in UTC; missed times are passed over (REC-10)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from orgsync_reconcile.errors import UsageError


class Schedule(Protocol):
    """A row of moments."""

    def after(self, moment: datetime) -> datetime:
        """The first moment of the row that is later than `moment`."""
        ...

    @property
    def at_once(self) -> bool:
        """Whether the first run is due when the loop begins."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Every:
    """`seconds` apart, counted from `start`, when the first run is due."""

    seconds: float
    start: datetime

    @property
    def at_once(self) -> bool:
        """At the beginning."""
        return True

    def after(self, moment: datetime) -> datetime:
        """The next multiple of the interval, so that a run that took too long shifts none of those to come."""
        passed = max((moment - self.start).total_seconds(), 0.0)
        return self.start + timedelta(seconds=(passed // self.seconds + 1) * self.seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cron:
    """The times of a cron expression of five fields, in UTC."""

    expression: str

    @property
    def at_once(self) -> bool:
        """Only when its time has come."""
        return False

    def after(self, moment: datetime) -> datetime:
        """The next time of the expression."""
        from croniter import croniter

        found: datetime = croniter(self.expression, moment.astimezone(UTC)).get_next(datetime)
        return found


def cron(expression: str) -> Cron:
    """The schedule of a cron expression. Raises UsageError for one that has no next time or not five fields."""
    from croniter import CroniterError, croniter

    try:
        # Fields for seconds and years, and words such as @daily, are other dialects.
        if len(expression.split()) != 5 or not croniter.is_valid(expression):
            raise CroniterError
        croniter(expression, datetime(2024, 1, 1, tzinfo=UTC)).get_next(datetime)
    except (CroniterError, ValueError):
        raise UsageError(
            f"{expression!r} is no cron expression",
            hint="five fields in UTC: minute hour day month weekday, as 0 3 * * *",
        ) from None
    return Cron(expression=expression)


@dataclass(kw_only=True, slots=True)
class Ticker:
    """Goes through a schedule: how long to wait for the next run, each of its moments at most once."""

    schedule: Schedule
    #: Up to so many seconds later, by chance, so that many loops do not run at one moment.
    jitter: float = 0.0
    chance: random.Random = field(default_factory=random.Random)
    _last: datetime | None = None

    def wait(self, now: datetime) -> float:
        """Seconds until the next run. Times that passed during the last run are not made up for.

        A clock that goes backwards repeats no moment of the schedule.
        """
        if self._last is None and self.schedule.at_once:
            self._last = now
            return self.chance.uniform(0, self.jitter)
        due = self.schedule.after(max(now, self._last) if self._last is not None else now)
        self._last = due
        return max((due - now).total_seconds(), 0.0) + self.chance.uniform(0, self.jitter)
