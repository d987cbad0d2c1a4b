"""The parts of a job as other processes do them: each opens both orgs by itself, from the manifests.

What travels are names, folders and ranges, never a secret: those are looked up where the work is done (REC-11).
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orgsync_reconcile.app.workspace import Workspace, open_connection
from orgsync_reconcile.clock import fixed_moment, system_clock
from orgsync_reconcile.errors import OrgsyncError, UsageError
from orgsync_reconcile.model.records import ObjectCounts
from orgsync_reconcile.stores.faults import explain, faults
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.sync.bulk_parts import BulkPart, copy_part
from orgsync_reconcile.sync.verify_parts import Compared, VerifyPart, compare_part
from orgsync_reconcile.workers.crew import Crew


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a process finds the manifests and, in them, the connection. `moment` is the clock where it stands still."""

    directory: Path
    manifests: Path
    environment: str | None
    connection: str
    moment: datetime | None

    @property
    def workspace(self) -> Workspace:
        """The workspace of the process that asks."""
        moment = self.moment
        return Workspace(
            directory=self.directory,
            manifests=self.manifests,
            environment=self.environment,
            clock=system_clock if moment is None else lambda: moment,
        )


def place_of(workspace: Workspace, connection: str) -> Place:
    """How other processes get to this workspace."""
    return Place(
        directory=workspace.directory.resolve(),
        manifests=workspace.manifests,
        environment=workspace.environment,
        connection=connection,
        moment=fixed_moment(),
    )


@contextmanager
def open_crew(workers: int | None, cluster: str | None) -> Iterator[Crew | None]:
    """So many processes of this machine, or the workers of the cluster at an address; None where neither is asked for.

    Raises UsageError for both at once, and as `ClusterCrew` does.
    """
    if workers and cluster:
        raise UsageError("--workers and --cluster are two ways", hint="choose one")
    if cluster:
        from orgsync_reconcile.workers.cluster import ClusterCrew

        with ClusterCrew(cluster) as crew:
            yield crew
    elif workers:
        from orgsync_reconcile.workers.processes import LocalCrew

        with LocalCrew(workers) as crew:
            yield crew
    else:
        yield None


def compare_there(place: Place, part: VerifyPart) -> Compared:
    """One part of a verification. Raises OrgsyncError."""
    with _opened(place) as pair:
        return compare_part(pair, part, place.workspace.clock)


def copy_there(place: Place, part: BulkPart) -> ObjectCounts:
    """One part of a bulk sync. Raises OrgsyncError."""
    with _opened(place) as pair:
        return copy_part(pair, part, place.workspace.clock)


@contextmanager
def _opened(place: Place) -> Iterator[Pair]:
    """The connection with both orgs open in this process; errors say where that was, and can travel."""
    try:
        with open_connection(place.workspace, place.connection) as found:
            try:
                yield Pair(found.primary, found.secondary, place.connection)
            except faults() as error:
                raise explain(error, f"{found.primary.label}, {found.secondary.label}") from error
    except OrgsyncError as error:
        error.add_note(f"that was a worker on {socket.gethostname()}, in {place.directory}")
        raise
