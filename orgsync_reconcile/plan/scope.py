"""One connection with everything that its planners look at: desired state and both orgs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from orgsync_reconcile.model.actual import Actual, ActualConnection, ActualOrg
from orgsync_reconcile.model.applied import ConnectionState
from orgsync_reconcile.model.connection import ConnectionStatus, Direction, Side
from orgsync_reconcile.model.desired import Desired, DesiredConnection, DesiredMetadata, DesiredPublication
from orgsync_reconcile.plan.three_way import last_applied, live_state

#: How far a connection has come; the less advanced of its two orgs decides what is left to do (REC-3).
_PROGRESS = (
    ConnectionStatus.SENT,
    ConnectionStatus.BULK_SYNC_METADATA,
    ConnectionStatus.USERS_INITIAL_SYNC,
    ConnectionStatus.ACCEPTED,
)


class Mode(Enum):
    """Who asks for a plan, and so what becomes of drift (REC-6)."""

    #: A person, who sees what is corrected: everything is.
    ATTENDED = auto()
    #: Nobody: what the manifest's policy calls `report` is left as it is.
    UNATTENDED = auto()
    #: Nobody, and nothing new: only what the policy lets be corrected, and fields that fell out of step by themselves.
    CORRECTIONS = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """A connection that is wanted and whose two orgs were read."""

    desired: DesiredConnection
    publications: tuple[DesiredPublication, ...]
    metadata: DesiredMetadata | None
    primary: ActualOrg
    secondary: ActualOrg
    #: What each org knows of the connection; None before it exists and after it was deactivated.
    primary_side: ActualConnection | None
    secondary_side: ActualConnection | None
    #: What was applied last; None where nothing ever was.
    applied: ConnectionState | None
    #: Who asks, and what is left out for it.
    mode: Mode

    @property
    def name(self) -> str:
        """The connection's name."""
        return self.desired.name

    @property
    def reported(self) -> frozenset[str]:
        """Kinds of drift ("metadata", "settings") that this plan reports and does not correct."""
        unattended = self.mode is not Mode.ATTENDED
        return frozenset(kind for kind in self.desired.drift if unattended and self.policy(kind) == "report")

    def policy(self, kind: str) -> str:
        """What an unattended run does with drift of a kind, "metadata" or "settings": correct or report."""
        return self.desired.drift.get(kind, "report")

    @property
    def users_on(self) -> bool:
        """Whether users are copied in at least one direction (CON-6)."""
        return self.desired.options.users_primary or self.desired.options.users_secondary

    @property
    def progress(self) -> ConnectionStatus | None:
        """The status of the less advanced org; None before the invitation; a suspended connection counts as active."""
        if self.primary_side is None:
            return None
        if self.secondary_side is None:
            return ConnectionStatus.SENT
        return min((_advance(self.primary_side), _advance(self.secondary_side)), key=_PROGRESS.index)

    @property
    def new(self) -> bool:
        """Whether the connection has not become active yet."""
        return self.progress is not ConnectionStatus.ACCEPTED

    def direction_of(self, publication: DesiredPublication) -> Direction:
        """A publication's own direction, or its connection's (PUB-7)."""
        return publication.direction or self.desired.direction

    def org_name(self, side: Side) -> str:
        """The manifest name of the org at one end."""
        return self.desired.primary if side is Side.PRIMARY else self.desired.secondary

    def org(self, side: Side) -> ActualOrg:
        """The org at one end."""
        return self.primary if side is Side.PRIMARY else self.secondary

    def side(self, side: Side) -> ActualConnection | None:
        """What the org at one end knows of the connection."""
        return self.primary_side if side is Side.PRIMARY else self.secondary_side

    def linked(self, name: str) -> int:
        """How many records of one object are linked."""
        return self.primary_side.linked.get(name, 0) if self.primary_side else 0

    def disconnected(self, name: str) -> int:
        """How many records of one object were linked before; also of a connection that was deactivated (PUB-10)."""
        known = self.primary.connections.get(self.name)
        return known.disconnected.get(name, 0) if known else 0


def _advance(side: ActualConnection) -> ConnectionStatus:
    return side.status if side.status in _PROGRESS else ConnectionStatus.ACCEPTED


def _live(org: ActualOrg, name: str) -> ActualConnection | None:
    """The org's connection unless it was deactivated: then nothing of it stands (CON-9)."""
    known = org.connections.get(name)
    return None if known is None or known.status is ConnectionStatus.INACTIVE else known


def _applied(primary: ActualOrg, secondary: ActualOrg, name: str) -> ConnectionState | None:
    """What was applied last, as the primary remembers it, also of a connection that was deactivated by hand."""
    known = primary.connections.get(name)
    return last_applied(known.applied, live_state(known, secondary.connections.get(name))) if known else None


def scope_of(name: str, desired: Desired, actual: Actual, *, mode: Mode) -> Scope | None:
    """The scope of the connection `name`, or None where one of its orgs was not read.

    The manifest's drift policy is for unattended runs; a person who applies a plan has seen what it corrects (REC-6).
    """
    connection = desired.connections[name]
    primary = actual.orgs.get(connection.primary)
    secondary = actual.orgs.get(connection.secondary)
    if primary is None or secondary is None:
        return None
    return Scope(
        desired=connection,
        publications=desired.publications_of(name),
        metadata=desired.metadata.get(name),
        primary=primary,
        secondary=secondary,
        primary_side=_live(primary, name),
        secondary_side=_live(secondary, name),
        applied=_applied(primary, secondary, name),
        mode=mode,
    )
