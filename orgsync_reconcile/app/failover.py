"""Failover: how far behind, what would be lost, and the switch; with one org away where that makes sense (RTE-1, RTE-2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from orgsync_reconcile.app.notices import room_of
from orgsync_reconcile.app.planning import Choice, plan_for
from orgsync_reconcile.app.records import send_queue
from orgsync_reconcile.app.workspace import Workspace, open_orgs, pick_connection
from orgsync_reconcile.errors import GuardRefusedError, OrgsyncError, StoreError, UsageError
from orgsync_reconcile.model.connection import Direction, Side
from orgsync_reconcile.model.desired import Desired, DesiredConnection
from orgsync_reconcile.operations import failover
from orgsync_reconcile.operations.drill import Drill, run_drill
from orgsync_reconcile.operations.failover import Desk, Reach, Switch
from orgsync_reconcile.operations.failover_settings import FailoverSettings, failover_settings
from orgsync_reconcile.operations.readiness import Status, read_status
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.sync.lag import left_behind


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A connection whose orgs are open as far as they can be."""

    manifests: Desired
    desired: DesiredConnection
    reach: Reach


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a switch did, for whoever asked for it. `warnings` are about orgs that could not be told."""

    switch: Switch
    settings: FailoverSettings
    reach_names: dict[Side, str]
    told: dict[str, bool]
    warnings: tuple[str, ...]


@contextmanager
def open_reachable(workspace: Workspace, name: str | None, *, readonly: bool = False) -> Iterator[Found]:
    """A connection of the manifests with the orgs that can be opened; why the other one cannot be is said in its place."""
    desired = workspace.desired()
    chosen = pick_connection(desired, name)
    with open_ends(workspace, desired, chosen, readonly=readonly) as reach:
        yield Found(manifests=desired, desired=chosen, reach=reach)


@contextmanager
def open_ends(
    workspace: Workspace, desired: Desired, chosen: DesiredConnection, *, readonly: bool = False
) -> Iterator[Reach]:
    """The same for manifests that were read before."""
    names = {Side.PRIMARY: chosen.primary, Side.SECONDARY: chosen.secondary}
    orgs: dict[Side, Org | None] = {}
    why: dict[Side, str] = {}
    with ExitStack() as stack:
        for side, org in names.items():
            try:
                orgs[side] = stack.enter_context(open_orgs(workspace, desired, (org,), readonly=readonly))[org]
            except StoreError as error:
                orgs[side] = None
                why[side] = f"{error.where}: {error.message}" if error.where else error.message
        admins = {side: desired.orgs[org].admin for side, org in names.items()}
        yield Reach(orgs=orgs, names=names, admins=admins, why=why)


def show_failover(workspace: Workspace, name: str | None) -> Status:
    """How far each org is behind now, and where users are sent (RTE-2)."""
    with open_reachable(workspace, name, readonly=True) as found:
        return read_status(found.reach, found.desired.name, workspace.clock())


def drill_failover(workspace: Workspace, name: str | None, *, limit: int) -> Drill:
    """What would be lost if the primary went away now (RTE-2). Changes nothing. Raises StoreError where an org is away."""
    with open_reachable(workspace, name, readonly=True) as found:
        orgs = found.reach.orgs
        primary, secondary = orgs[Side.PRIMARY], orgs[Side.SECONDARY]
        if primary is None or secondary is None:
            raise StoreError(
                "; ".join(found.reach.why.values()),
                hint=f"a drill compares both orgs; with one away, see orgsync failover status {found.desired.name}",
            )
        mine = {found.desired.primary: primary, found.desired.secondary: secondary}
        only = _only(found.manifests, found.desired)
        with primary.snapshot(), secondary.snapshot():
            plan = plan_for(only, mine, Choice(), workspace.clock)
            return run_drill(
                primary,
                secondary,
                found.desired,
                _settings(found),
                plan,
                now=workspace.clock(),
                limit=limit,
            )


def _only(desired: Desired, connection: DesiredConnection) -> Desired:
    """The manifests as if they had this connection alone."""
    names = (connection.primary, connection.secondary)
    return replace(
        desired,
        orgs={name: org for name, org in desired.orgs.items() if name in names},
        connections={connection.name: connection},
        publications={key: item for key, item in desired.publications.items() if key[0] == connection.name},
        metadata={name: item for name, item in desired.metadata.items() if name == connection.name},
    )


def _settings(found: Found) -> FailoverSettings:
    return failover_settings(found.manifests, found.desired.name)


def announce(workspace: Workspace, name: str | None, begin: datetime, end: datetime) -> Outcome:
    """Keeps a window and tells users of it. Raises UsageError for one that ends before it begins, or is over."""
    if end <= begin:
        raise UsageError("the window ends before it begins", hint="give --to a later moment than --from")
    if end <= workspace.clock():
        raise UsageError(f"the window is over since {end:%Y-%m-%d %H:%M} UTC", hint="announce one that is to come")
    return _switched(workspace, name, lambda desk: failover.announce(desk, begin, end))


def start(workspace: Workspace, name: str | None, *, mail: bool) -> Outcome:
    """Sends users to the secondary, also while the primary cannot be reached. Raises as `operations.failover.start`."""
    with open_reachable(workspace, name, readonly=True) as found:
        # Users would be sent to where nothing answers.
        if found.reach.orgs[Side.SECONDARY] is None:
            raise StoreError(found.reach.why[Side.SECONDARY], hint="users cannot be sent to an org that is away")
    return _switched(workspace, name, lambda desk: failover.start(desk, mail=mail))


def stop(workspace: Workspace, name: str | None, *, mail: bool, force: bool) -> Outcome:
    """Sends what is queued in the secondary, then users back to the primary.

    Raises GuardRefusedError where changes that users made in the secondary have not arrived, StoreError where an org
    is away, unless `force`.
    """
    with open_reachable(workspace, name, readonly=True) as found:
        routing = failover.current(found.reach, found.desired.name)
        if found.reach.why and not force:
            raise StoreError(
                "; ".join(found.reach.why.values()),
                hint="bring it back first, or send users back all the same with --force",
            )
        two_way = found.desired.direction is Direction.TWO_WAY
        away = bool(found.reach.why)
        names = found.reach.names
    left = 0
    if routing.chosen and not away:
        warnings: tuple[str, ...] = ()
        try:
            warnings = send_queue(workspace, name, sides=(Side.SECONDARY, Side.PRIMARY)).warnings
        except OrgsyncError:
            if not force:
                raise
        with open_reachable(workspace, name, readonly=True) as found:
            left = left_behind(found.reach.orgs, found.desired.name, routing.since)
        if left and not force:
            raise GuardRefusedError(
                f"{left} {'change' if left == 1 else 'changes'} made in {names[Side.SECONDARY]}"
                f" {'has' if left == 1 else 'have'} not arrived in"
                f" {names[Side.PRIMARY]}" + "".join(f" ({item})" for item in warnings[:1]),
                hint=f"see orgsync queue list {routing.connection}; send users back all the same with --force",
            )
    outcome = _switched(workspace, name, lambda desk: failover.stop(desk, mail=mail, left=left))
    if two_way or not outcome.switch.done:
        return outcome
    stays = f"{routing.connection} is one-way: what users changed in {names[Side.SECONDARY]} stays there"
    return replace(outcome, warnings=(*outcome.warnings, stays))


def _switched(workspace: Workspace, name: str | None, act: Callable[[Desk], Switch]) -> Outcome:
    with open_reachable(workspace, name) as found:
        settings = _settings(found)
        desk = Desk(
            settings=settings,
            reach=found.reach,
            room=room_of(workspace, found.manifests),
            base=workspace.directory,
            two_way=found.desired.direction is Direction.TWO_WAY,
            clock=workspace.clock,
        )
        switch = act(desk)
        return Outcome(
            switch=switch,
            settings=settings,
            reach_names=dict(found.reach.names),
            told={found.reach.names[side]: found.reach.orgs[side] is not None for side in Side},
            warnings=tuple(f"{text}; it was not told" for text in found.reach.why.values()),
        )
