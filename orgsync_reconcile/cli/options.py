"""Arguments and values that several commands take."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from orgsync_reconcile.cli.completing import connections
from orgsync_reconcile.model.connection import Side

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}

#: May be left out where the manifests have one connection.
connection_argument = click.argument("connection", required=False, shell_complete=connections)
#: One end of a connection.
SIDE = click.Choice([side.value for side in Side])


def crew_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Who does the work of a command that can be done in parts."""
    workers = click.option(
        "--workers", type=click.IntRange(1, 256), metavar="N", help="Work in N processes of this machine."
    )
    cluster = click.option(
        "--cluster", metavar="URL", help="Work on a dask cluster, by its scheduler's address: tcp://HOST:8786."
    )
    return workers(cluster(command))


def moment(text: str) -> datetime | timedelta:
    """A moment in UTC from a date or time, or an age such as 90d. Raises BadParameter."""
    age = re.fullmatch(r"(\d{1,6})([smhdw])", text)
    if age:
        return timedelta(seconds=int(age[1]) * _UNITS[age[2]])
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is neither a date such as 2026-01-31 nor an age such as 90d") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def duration(text: str) -> float:
    """Seconds of a duration such as 15m (s, m, h, d, w). Raises BadParameter."""
    found = re.fullmatch(r"(\d{1,6})([smhdw])", text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not seconds:
        raise click.BadParameter(f"{text!r} is no duration such as 30s, 15m or 24h")
    return float(seconds)


def allowance(text: str) -> tuple[str, float | None]:
    """(guard, the most that is allowed; None for any amount) from GUARD or GUARD=N. Raises BadParameter."""
    from orgsync_reconcile.model.desired import guard_limit
    from orgsync_reconcile.plan import GUARDS

    name, equals, number = text.partition("=")
    if name not in GUARDS:
        raise click.BadParameter(f"there is no guard {name!r}; the guards are {', '.join(GUARDS)}")
    if not equals:
        return name, None
    most = guard_limit(number)
    if most is None:
        raise click.BadParameter(f"{number!r} is neither a share such as 0.5 or 50% nor a count such as 200")
    return name, most


def chosen_sides(side: str | None) -> Sequence[Side]:
    """One side, or both."""
    return (Side(side),) if side else tuple(Side)
