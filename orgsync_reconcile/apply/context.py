"""What executors work with: the orgs by manifest name, the manifests, the clock."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.desired import Desired, DesiredConnection
from orgsync_reconcile.model.plan import Action, Plan
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.sync.lifecycle import Ends


def holder_name() -> str:
    """Who runs this, for the lock and for people who wait for it."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "somebody"
    return f"{user}@{socket.gethostname()}"


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplyContext:
    """One apply. `orgs` are open for writing, by manifest name; `replan` makes the plan anew under the lock (REC-2)."""

    orgs: Mapping[str, Org]
    desired: Desired
    clock: Clock
    replan: Callable[[], Plan]
    holder: str = field(default_factory=holder_name)
    #: Seconds to wait for a lock that somebody else holds (REC-4).
    lock_timeout: float = 0.0

    def org(self, name: str) -> Org:
        """An org by manifest name. Raises UsageError where it was not opened."""
        if name not in self.orgs:
            raise UsageError(f"the plan writes the org {name}, which the manifests do not name", hint="plan again")
        return self.orgs[name]

    def actor(self, name: str) -> str:
        """Who acts in an org, by username. Raises UsageError where the manifests no longer name the org."""
        if name not in self.desired.orgs:
            raise UsageError(f"the plan writes the org {name}, which the manifests do not name", hint="plan again")
        return self.desired.orgs[name].admin

    def connection(self, action: Action) -> DesiredConnection:
        """The connection that an action belongs to. Raises UsageError where the manifests no longer name it."""
        if action.connection not in self.desired.connections:
            raise UsageError(f"the manifests name no connection {action.connection}", hint="plan again")
        return self.desired.connections[action.connection]

    def ends(self, action: Action) -> Ends:
        """Both orgs of an action's connection, and who acts in them."""
        wanted = self.connection(action)
        return Ends(
            primary=self.org(wanted.primary),
            secondary=self.org(wanted.secondary),
            primary_admin=self.actor(wanted.primary),
            secondary_admin=self.actor(wanted.secondary),
        )

    def side(self, action: Action) -> Side:
        """The end of the connection that an action writes."""
        return Side.PRIMARY if action.org == self.connection(action).primary else Side.SECONDARY

    def home(self, action: Action) -> Org:
        """The org with the lock and the journal: the connection's primary, or the org that is written."""
        wanted = self.desired.connections.get(action.connection)
        return self.org(wanted.primary if wanted else action.org)
