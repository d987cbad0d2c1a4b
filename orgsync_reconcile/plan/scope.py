"""One connection with everything that its planners look at: desired state and both orgs."""

from __future__ import annotations

from dataclasses import dataclass

from orgsync_reconcile.model.actual import Actual, ActualConnection, ActualOrg
from orgsync_reconcile.model.connection import ConnectionStatus, Direction, Side
from orgsync_reconcile.model.desired import Desired, DesiredConnection, DesiredMetadata, DesiredPublication

#: How far a connection has come; the less advanced of its two orgs decides what is left to do (REC-3).
_PROGRESS = (
    ConnectionStatus.SENT,
    ConnectionStatus.BULK_SYNC_METADATA,
    ConnectionStatus.USERS_INITIAL_SYNC,
    ConnectionStatus.ACCEPTED,
)


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
    #: Kinds of drift ("metadata", "settings") that are reported and not corrected.
    reported: frozenset[str]

    @property
    def name(self) -> str:
        """The connection's name."""
        return self.desired.name

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


def scope_of(name: str, desired: Desired, actual: Actual, *, unattended: bool) -> Scope | None:
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
        reported=frozenset(kind for kind, policy in connection.drift.items() if unattended and policy == "report"),
    )
