"""Where users are sent and how far each org is behind, at this moment (RTE-2)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.routing import Routing
from orgsync_reconcile.operations.failover import Reach, current
from orgsync_reconcile.stores.sql.notified import last_told
from orgsync_reconcile.sync.lag import DirectionLag, read_lag


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """The routing, the lag of each direction (None where its org is away), and when both orgs were last seen to agree."""

    connection: str
    routing: Routing
    names: Mapping[Side, str]
    lags: Mapping[Side, DirectionLag | None]
    away: Mapping[Side, str]
    verified: datetime | None


def read_status(reach: Reach, connection: str, now: datetime) -> Status:
    """All of it, each org as it is at one moment. Raises StoreError where no org can be reached."""
    with ExitStack() as moments:
        for _, org in reach.reachable():
            moments.enter_context(org.snapshot())
        lags: dict[Side, DirectionLag | None] = dict.fromkeys(Side)
        for side, org in reach.reachable():
            lags[side] = read_lag(side, org, reach.orgs[side.other], connection, now)
        seen = [last_told(org, verified_subject(connection)) for _, org in reach.reachable()]
        return Status(
            connection=connection,
            routing=current(reach, connection),
            names=reach.names,
            lags=lags,
            away=reach.why,
            verified=max((item for item in seen if item is not None), default=None),
        )


def verified_subject(connection: str) -> str:
    """Under what name an org keeps when a comparison last found no difference."""
    return f"verified/{connection}"
