"""Moving records: drain, bulk sync, and the proof that both orgs agree (QUE-*, BLK-*, VER-1)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from orgsync_reconcile.app.alerts import expect, tell_all
from orgsync_reconcile.app.notices import tell_of_maps, tell_of_suspension
from orgsync_reconcile.app.reach import open_pair
from orgsync_reconcile.app.remote import compare_there, copy_there, open_crew, place_of
from orgsync_reconcile.app.workspace import OpenConnection, Workspace
from orgsync_reconcile.apply.context import holder_name
from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.model.connection import ConnectionStatus, Direction, Side
from orgsync_reconcile.model.records import ObjectCounts, add_counts
from orgsync_reconcile.operations.readiness import verified_subject
from orgsync_reconcile.stores.sql.connections import get_connection
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.notified import last_told, move_told
from orgsync_reconcile.stores.sql.permissions import MANAGE_CONNECTIONS, require
from orgsync_reconcile.sync import bulk, verify
from orgsync_reconcile.sync.bulk_parts import BulkCrew
from orgsync_reconcile.sync.drain import drain
from orgsync_reconcile.sync.metadata import drop_mismatched
from orgsync_reconcile.sync.verify import VerifyReport

#: Called with (object or "", done, in all).
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """What a drain or a bulk sync did, and how long it took."""

    connection: str
    objects: tuple[ObjectCounts, ...]
    seconds: float
    warnings: tuple[str, ...] = ()

    @property
    def records(self) -> int:
        """How many records arrived."""
        return sum(item.moved for item in self.objects)

    @property
    def incomplete(self) -> bool:
        """Whether a record failed, or is held for its next try."""
        return any(item.failed or item.held for item in self.objects)


def send_queue(
    workspace: Workspace,
    name: str | None,
    *,
    sides: Sequence[Side],
    max_records: int | None = None,
    progress: Progress | None = None,
) -> Moved:
    """Sends what is queued, which a suspended connection does not (SUS-1).

    Fields that were deleted, retyped or resized since they were subscribed drop out first (PUB-8). Both are said in
    `warnings`.
    """
    with open_pair(workspace, name) as (found, pair):
        started = time.monotonic()
        silent = why_silent(found)
        missed = expect(found)
        said = tell_silent(workspace, found) if silent else drop_fields(workspace, found)
        counts = resume_bulks(workspace, pair, sides)
        counts += drain(pair, sides=sides, clock=workspace.clock, max_records=max_records, progress=progress)
        counts = summed(counts)
        said = (*said, *tell_of_maps(workspace, found))
        seconds = time.monotonic() - started
        told = tell_all(workspace, found)
        return Moved(
            connection=found.desired.name,
            objects=tuple(counts),
            seconds=seconds,
            warnings=(*found.said, *silent, *said, *missed, *told.lines),
        )


def drop_fields(workspace: Workspace, found: OpenConnection) -> tuple[str, ...]:
    """Fields that no longer fit unsubscribe themselves; the email for the administrators is queued (PUB-8)."""
    dropped = drop_mismatched(found.primary, found.secondary, found.desired.name, clock=workspace.clock)
    return tuple(
        f"{name}.{field} is no longer subscribed: {reason}; see orgsync plan" for name, field, reason in dropped
    )


def resume_bulks(workspace: Workspace, pair: Pair, sides: Sequence[Side]) -> list[ObjectCounts]:
    """Goes on with bulk syncs whose process is gone (BLK-4)."""
    return [item for side in sides for item in bulk.resume_bulk(pair, source=side, clock=workspace.clock)]


def summed(counts: Sequence[ObjectCounts]) -> list[ObjectCounts]:
    """One row per object."""
    totals: dict[str, ObjectCounts] = {}
    for item in counts:
        add_counts(totals, item)
    return [totals[name] for name in sorted(totals)]


def tell_silent(workspace: Workspace, found: OpenConnection) -> tuple[str, ...]:
    """Sends the emails about the connection's suspension that are due (SUS-2); a line per email that was not sent."""
    return tell_of_suspension(workspace, found.manifests, found.desired, found.orgs)


def why_silent(found: OpenConnection) -> tuple[str, ...]:
    """Why nothing is sent, a line for each org where the connection is not active; empty where it is sent."""
    name = found.desired.name
    states = {side: get_connection(found.org(side), name).status for side in Side}
    return tuple(
        f"{name} is {state.shown} in {found.org(side).label}, so nothing was sent;"
        + (f" resume it with orgsync resume {name}" if state is ConnectionStatus.SUSPENDED else " run orgsync apply")
        for side, state in states.items()
        if state is not ConnectionStatus.ACCEPTED
    )


def copy_records(
    workspace: Workspace,
    name: str | None,
    *,
    source: Side = Side.PRIMARY,
    objects: Sequence[str] = (),
    since: datetime | timedelta | None = None,
    limit: int | None = None,
    lock_timeout: float = 0.0,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> Moved:
    """Copies records that are already there, in one direction (BLK-1).

    `since` is a moment, or an age; by default the connection's `bulk_sync.max_age`. Raises UsageError for an earlier
    moment than the manifest allows, and for the way back of a one-way connection; PermissionDeniedError where who acts
    in either org may not manage connections (CON-11); LockHeldError while another one runs in this direction (BLK-4),
    for which it waits up to `lock_timeout` seconds.

    With so many `workers`, or on a `cluster`, ranges of an object are copied by them (`limit` is for one process). Raises
    PartialError where ranges failed, and as `open_crew` does.
    """
    with open_crew(workers, cluster) as crew, open_pair(workspace, name) as (found, pair):
        for side in Side:
            require(found.org(side), found.admins[side], MANAGE_CONNECTIONS)
        if source is Side.SECONDARY and found.desired.direction is Direction.ONE_WAY:
            raise UsageError(
                f"{found.desired.name} is one-way: nothing goes from the secondary to the primary",
                hint="leave out --from, or make the connection two-way",
            )
        cutoff = _cutoff(found, since, workspace.clock())
        missed = expect(found)
        started = time.monotonic()
        place = place_of(workspace, found.desired.name)
        counts = bulk.bulk_sync(
            pair,
            source=source,
            objects=objects,
            cutoff=cutoff,
            limit=limit,
            clock=workspace.clock,
            progress=progress,
            holder=holder_name(),
            lock_timeout=lock_timeout,
            crew=None if crew is None else BulkCrew(crew, partial(copy_there, place)),
        )
        seconds = time.monotonic() - started
        told = tell_all(workspace, found)
        return Moved(
            connection=found.desired.name,
            objects=tuple(counts),
            seconds=seconds,
            warnings=(*found.said, *missed, *told.lines),
        )


def _cutoff(found: OpenConnection, since: datetime | timedelta | None, now: datetime) -> datetime | None:
    """Records that were not touched since then stay; None where all go. Raises UsageError where it is not allowed."""
    age = found.desired.bulk_sync.max_age
    earliest = None if age is None else now - timedelta(seconds=age)
    cutoff = earliest if since is None else now - since if isinstance(since, timedelta) else since
    # A day's grace: "365d" typed a moment later is still the year that the manifest allows.
    if earliest is not None and cutoff is not None and cutoff < earliest - timedelta(days=1):
        raise UsageError(
            f"the cutoff {cutoff:%Y-%m-%d} is earlier than {found.desired.name} allows ({earliest:%Y-%m-%d})",
            where=str(found.desired.origin_of("bulk_sync.max_age")),
            hint="set bulk_sync.max_age in the manifest, or choose a later cutoff",
        )
    return cutoff


def compare(
    workspace: Workspace,
    name: str | None,
    *,
    objects: Sequence[str] = (),
    listed: int = 100,
    repair: bool = False,
    hashes: bool = False,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> VerifyReport:
    """Compares every linked record of both orgs; `repair` queues what mends the differences, `hashes` goes without a join.

    With so many `workers`, or on a `cluster`, the comparison runs in parts, and `progress` is told of it. Raises
    UsageError for an object that does not flow, for both `repair` and `hashes`, and as `open_crew` does.
    """
    if repair and hashes:
        raise UsageError("--repair goes by the join", hint="leave out --hashes")
    with open_crew(workers, cluster) as crew, open_pair(workspace, name) as (found, pair):
        clock = workspace.clock
        if crew is not None:
            work = partial(compare_there, place_of(workspace, found.desired.name))
            report = verify.verify_in_parts(
                pair,
                partial(crew.run, work),
                clock=clock,
                objects=objects,
                listed=listed,
                repair=repair,
                hashes=hashes,
                progress=progress,
            )
        elif hashes:
            report = verify.verify_by_hashes(pair, clock=clock, objects=objects, listed=listed)
        else:
            report = verify.verify(pair, clock=clock, objects=objects, listed=listed, repair=repair)
        unknown = sorted(set(objects) - {item.object for item in report.objects})
        if unknown:
            raise UsageError(
                f"{', '.join(unknown)} does not flow over {found.desired.name}",
                hint=f"see orgsync status {found.desired.name}",
            )
        if report.equal and not objects:
            _note_agreement(workspace, found)
        return report


def _note_agreement(workspace: Workspace, found: OpenConnection) -> None:
    """Both orgs keep when they were last seen to agree, for whoever asks while one of them is away (RTE-2)."""
    subject = verified_subject(found.desired.name)
    for side in Side:
        org = found.org(side)
        move_told(org, subject, last_told(org, subject), workspace.clock())
