"""The program's clock: the system's, or the moment that ORGSYNC_NOW names for reproducible runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime

from orgsync_reconcile.errors import UsageError

#: A clock is passed in wherever time matters; tests pass their own.
Clock = Callable[[], datetime]


def fixed_moment() -> datetime | None:
    """The moment that ORGSYNC_NOW names (ISO 8601), in UTC; None where it is not set. Raises UsageError on a bad value."""
    fixed = os.environ.get("ORGSYNC_NOW")
    if not fixed:
        return None
    try:
        moment = datetime.fromisoformat(fixed)
    except ValueError:
        raise UsageError(
            f"ORGSYNC_NOW is not an ISO 8601 time: {fixed!r}", hint="for example 2026-01-31T12:00:00Z"
        ) from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def system_clock() -> datetime:
    """The present moment in UTC, or ORGSYNC_NOW where that is set. Raises UsageError on a bad value."""
    return fixed_moment() or datetime.now(UTC)


def milliseconds(moment: datetime) -> int:
    """A moment as logs and queues store it: whole milliseconds since 1970, UTC."""
    return int(moment.timestamp() * 1000)


def iso(moment: datetime) -> str:
    """A moment as orgs store it: UTC, `YYYY-MM-DDTHH:MM:SS.mmmZ`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
