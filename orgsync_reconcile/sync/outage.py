"""An org that cannot be reached: the other end suspends itself, and both go on when it is back (SUS-3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.errors import UnreachableError
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.stores.sql import notified
from orgsync_reconcile.stores.sql.connections import find_connection
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.sync import lifecycle


def suspend_alone(org: Org, name: str, error: UnreachableError, *, clock: Clock) -> UnreachableError:
    """Suspends the connection in `org`, whose partner cannot be reached for the reason in `error`.

    Returns the error for whoever wanted to use the connection: what is wrong, and what happens by itself. Where the org
    has no live connection of that name, nothing is changed and `error` is returned as it is.
    """
    known = find_connection(org, name)
    if known is None or known.status is ConnectionStatus.INACTIVE:
        return error
    lifecycle.suspend_automatically(org, name, reason=f"{error.where} cannot be reached: {error.message}", clock=clock)
    known = find_connection(org, name)
    if known is not None and known.suspended_reason:
        hint = f"{name} has suspended itself in {org.label} and resumes by itself once the org is back"
    else:
        hint = "bring the org back and run this again"
    return UnreachableError(f"the org cannot be reached: {error.message}", where=error.where, hint=hint, connected=True)


def resume_together(orgs: Mapping[Side, Org], name: str, *, clock: Clock) -> tuple[str, ...]:
    """Resumes the ends that suspended themselves, now that both orgs can be reached; one line for each."""
    lines = []
    for org in orgs.values():
        before = notified.suspension(org, name)
        if lifecycle.resume_automatically(org, name, clock=clock):
            since = f" after {_rounded(before.since, clock())}" if before else ""
            lines.append(f"both orgs can be reached again: {name} has resumed by itself in {org.label}{since}")
    return tuple(lines)


def _rounded(since: datetime, now: datetime) -> str:
    """How long that was, in the largest unit that says something."""
    seconds = max((now - since).total_seconds(), 0)
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return counted(round(seconds / size), unit)
    return f"{seconds:.0f} s"
