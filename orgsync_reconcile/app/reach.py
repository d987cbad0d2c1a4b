"""Opening the two orgs of a connection, of which one may be out of reach (SUS-3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from orgsync_reconcile.app.notices import tell_of_suspension
from orgsync_reconcile.app.workspace import OpenConnection, Workspace, open_orgs, pick_connection
from orgsync_reconcile.errors import OrgsyncError, StoreBusyError, UnreachableError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.desired import Desired, DesiredConnection
from orgsync_reconcile.stores.faults import explain, faults
from orgsync_reconcile.stores.sql.connections import find_connection
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.flow.continuity import find_break
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.sync import outage


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """A connection of the manifests with the orgs that can be opened; `down` says why the others cannot."""

    desired: DesiredConnection
    manifests: Desired
    orgs: Mapping[Side, Org]
    down: Mapping[Side, UnreachableError] = field(default_factory=dict)

    def admin(self, side: Side) -> str:
        """Who acts in the org at one end, by username."""
        return self.manifests.orgs[self.desired.primary if side is Side.PRIMARY else self.desired.secondary].admin

    @property
    def both(self) -> OpenConnection:
        """The connection with both orgs open. Raises UnreachableError where one is not."""
        for error in self.down.values():
            raise error
        return OpenConnection(
            desired=self.desired,
            manifests=self.manifests,
            primary=self.orgs[Side.PRIMARY],
            secondary=self.orgs[Side.SECONDARY],
            admins={side: self.admin(side) for side in Side},
        )


@contextmanager
def open_ends(workspace: Workspace, name: str | None, *, readonly: bool = False) -> Iterator[Reached]:
    """A connection with those of its orgs that can be opened, until the block ends.

    Raises UnreachableError where neither can be, or where the one that can does not know the connection; StoreError
    for an org that is there and cannot be used.
    """
    desired = workspace.desired()
    chosen = pick_connection(desired, name)
    names = {Side.PRIMARY: chosen.primary, Side.SECONDARY: chosen.secondary}
    orgs: dict[Side, Org] = {}
    down: dict[Side, UnreachableError] = {}
    with ExitStack() as stack:
        for side, org in names.items():
            try:
                orgs[side] = stack.enter_context(open_orgs(workspace, desired, [org], readonly=readonly))[org]
            except UnreachableError as error:
                down[side] = error
        if down and not any(_knows(org, chosen.name) for org in orgs.values()):
            # Nothing is connected yet: what is missing is said of both orgs at once.
            stack.enter_context(open_orgs(workspace, desired, names.values(), readonly=readonly))
            raise next(iter(down.values()))
        yield Reached(desired=chosen, manifests=desired, orgs=orgs, down=down)


def _knows(org: Org, name: str) -> bool:
    with org.translated():
        return find_connection(org, name) is not None


@contextmanager
def open_reachable(workspace: Workspace, name: str | None, *, tell: bool = True) -> Iterator[OpenConnection]:
    """A connection with both orgs open until the block ends.

    An org that cannot be reached, now or on the way, suspends the connection in the other one; once both are back it
    resumes, which `said` tells (SUS-3). With `tell`, emails about the suspension that are due go out, and what is lost
    of them stands in the error's notes. Raises UnreachableError then.
    """
    with open_ends(workspace, name) as reached:
        if reached.down:
            raise _suspend(workspace, reached, reached.down, tell=tell)
        found = reached.both
        try:
            yield replace(found, said=resume_if_back(workspace, found))
        except faults(UnreachableError) as error:
            raise _suspend(workspace, reached, _probe(workspace, reached), error, tell=tell) from error


@contextmanager
def open_pair(workspace: Workspace, name: str | None, *, tell: bool = True) -> Iterator[tuple[OpenConnection, Pair]]:
    """A connection ready to move records. Raises as `open_reachable`, and StoreError where apply has not made it yet."""
    with open_reachable(workspace, name, tell=tell) as found:
        yield found, Pair(found.primary, found.secondary, found.desired.name)


def resume_if_back(workspace: Workspace, found: OpenConnection) -> tuple[str, ...]:
    """Resumes what had suspended itself, since both orgs are open; not where one was restored from a backup meanwhile."""
    name = found.desired.name
    known = (find_connection(org, name) for org in found.orgs.values())
    if not any(item is not None and item.suspended_reason for item in known):
        return ()
    pair = Pair(found.primary, found.secondary, name)
    with pair.lease():
        if find_break(pair) is not None:
            return ()
        return outage.resume_together(found.orgs, name, clock=workspace.clock)


def _probe(workspace: Workspace, reached: Reached) -> dict[Side, UnreachableError]:
    """Which orgs of a connection cannot be reached, asked anew of their files."""
    down: dict[Side, UnreachableError] = {}
    for side, org in reached.orgs.items():
        try:
            try:
                org.require_in_place()
            except UnreachableError:
                # A session that was cut says nothing of the org.
                if not org.cut:
                    raise
            with open_orgs(workspace, reached.manifests, [org.label]):
                pass
        except UnreachableError as error:
            down[side] = error
        except StoreBusyError:
            pass
    return down


def _suspend(
    workspace: Workspace,
    reached: Reached,
    down: Mapping[Side, UnreachableError],
    error: Exception | None = None,
    *,
    tell: bool,
) -> OrgsyncError:
    """Suspends the connection in the org that can be reached, if one cannot; returns what to tell the user.

    `error` is what went wrong on the way, where something did.
    """
    if len(down) == 1:
        ((side, cause),) = down.items()
        desired = reached.desired
        other = desired.secondary if side is Side.PRIMARY else desired.primary
        # The open one has the lost file attached to it.
        with open_orgs(workspace, reached.manifests, [other]) as orgs, orgs[other].translated():
            told = outage.suspend_alone(orgs[other], desired.name, cause, clock=workspace.clock)
            if tell:
                for line in tell_of_suspension(workspace, reached.manifests, desired, {side.other: orgs[other]}):
                    told.add_note(line)
            return told
    if error is None:
        return next(iter(down.values()))
    names = ", ".join(org.label for org in reached.orgs.values())
    known = error if isinstance(error, OrgsyncError) else explain(error, names)
    if isinstance(known, UnreachableError) and not down:
        return UnreachableError(
            known.message, where=known.where, hint="both orgs can be reached again: run this again", connected=True
        )
    return known
