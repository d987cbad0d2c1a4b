"""A drain that follows: it sends changes as they come, and waits where an org cannot be reached (QUE-3, SUS-3)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from orgsync_reconcile.app.alerts import expect, messenger
from orgsync_reconcile.app.notices import tell_of_maps
from orgsync_reconcile.app.reach import open_pair, resume_if_back
from orgsync_reconcile.app.records import Moved, Progress, drop_fields, resume_bulks, summed, tell_silent, why_silent
from orgsync_reconcile.app.workspace import OpenConnection, Workspace
from orgsync_reconcile.errors import StoreBusyError, StoreError, StoreFullError, UnreachableError
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.operations.stopping import Stop, Stopped
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.sync.drain import drain

#: How long a following drain rests at most when there was nothing to send, in seconds: retries come due by time alone.
REST = 1.0
#: How often it asks meanwhile whether anybody has written to an org that tells nobody, in seconds.
TICK = 0.02
#: How long it lets changes gather after a round, as a share of the round: every round stops the orgs' own writers.
GATHER = 1.0
#: The same after fewer changes than `FEW` between servers, whose writers go on meanwhile: nobody waits long for them.
GATHER_FEW = 0.25
FEW = 100
#: How often it looks whether an email about a suspension is due, in seconds; one that failed is tried again then.
LOOK = 900.0
#: How long it waits before it tries again to reach an org, in seconds: at first, and at most, doubled each time.
PATIENCE = (0.5, 5.0)


def follow_queue(
    workspace: Workspace,
    name: str | None,
    *,
    sides: Sequence[Side],
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Iterator[Moved]:
    """Sends what is queued as it comes, until the caller stops or `stop` is asked to; yields what each round moved, or what it has to say.

    While an org cannot be reached, is held by another program for long, or has no room, it says so once and tries again
    in growing pauses. While the connection is suspended, the emails that tell of it go out in time (SUS-2). Raises
    UnreachableError where the connection has never been there, and other errors that waiting does not mend.
    """
    stop = stop or Stop()
    follower = _Follower(workspace, sides, progress, stop)
    pause, said = PATIENCE[0], ""
    while not stop.asked:
        try:
            looking = follower.looking
            with open_pair(workspace, name, tell=looking) as (found, pair):
                for moved in follower.rounds(found, pair):
                    pause, said = PATIENCE[0], ""
                    if moved is not None:
                        yield moved
        except Stopped:
            return
        except (UnreachableError, StoreBusyError, StoreFullError) as error:
            if not (follower.joined or getattr(error, "connected", False)):
                raise
            if looking:
                follower.looked()
            trouble = f"{type(error).__name__} {error.where}"
            lines = _notes(error) if trouble == said else (f"{error}; waiting", *_notes(error))
            said = trouble
            if lines:
                yield Moved(connection=name or "", objects=(), seconds=0.0, warnings=tuple(lines))
        stop.rest(pause)
        pause = min(pause * 2, PATIENCE[1])


def _notes(error: StoreError) -> Sequence[str]:
    """What else there is to say beside the error."""
    return getattr(error, "__notes__", ())


class _Follower:
    """What stays the same while orgs are opened again."""

    def __init__(self, workspace: Workspace, sides: Sequence[Side], progress: Progress | None, stop: Stop) -> None:
        self.workspace = workspace
        self.sides = sides
        self.progress = progress
        self.stop = stop
        #: Whether both orgs have been open together: what is away now comes back.
        self.joined = False
        self._look = time.monotonic()

    @property
    def looking(self) -> bool:
        """Whether it is time to see whether emails about a suspension are due."""
        return time.monotonic() >= self._look

    def looked(self) -> None:
        """Somebody has seen to it."""
        self._look = time.monotonic() + LOOK

    def rounds(self, found: OpenConnection, pair: Pair) -> Iterator[Moved | None]:
        """Rounds over open orgs until the run is asked to end; None for one that has nothing to say.

        Alerts are written after each round and sent beside the next ones (LOG-3). Raises Stopped between two batches,
        and UnreachableError as soon as an org's file is no longer in its place.
        """
        self.joined = True
        said = found.said + expect(found)
        with messenger(self.workspace) as courier:
            while not self.stop.asked:
                started = time.monotonic()
                seen = _versions(found)
                for org in pair.orgs.values():
                    org.require_in_place()
                if not why_silent(found):
                    said += drop_fields(self.workspace, found)
                else:
                    said += resume_if_back(self.workspace, found)
                    if self.looking:
                        self.looked()
                        said += tell_silent(self.workspace, found)
                counts = resume_bulks(self.workspace, pair, self.sides)
                counts += drain(pair, sides=self.sides, clock=self.workspace.clock, progress=self._between_batches)
                said += tell_of_maps(self.workspace, found)
                said += courier.look(found)
                if said or any(item.moved or item.failed for item in counts):
                    yield Moved(
                        connection=found.desired.name,
                        objects=tuple(summed(counts)),
                        seconds=time.monotonic() - started,
                        warnings=said,
                    )
                    said = ()
                    few = pair.many_writers and sum(item.moved for item in counts) < FEW
                    gather = GATHER_FEW if few else GATHER
                    self.stop.rest(min(gather * (time.monotonic() - started), REST))
                else:
                    yield None
                    _await_change(found, seen, self.stop)

    def _between_batches(self, name: str, done: int, total: int) -> None:
        """A batch is done, in both orgs. Raises Stopped."""
        if self.progress is not None:
            self.progress(name, done, total)
        self.stop.between_batches(name, done, total)


def _versions(found: OpenConnection) -> list[int]:
    """A number per org that is another one as soon as there is something new in it."""
    return [found.org(side).version() for side in Side]


def _await_change(found: OpenConnection, seen: list[int], stop: Stop) -> None:
    """Rests until somebody writes to either org or the run is asked to end, for REST at most."""
    end = time.monotonic() + REST
    with ExitStack() as stack:
        files = [stack.enter_context(found.org(side).woken_by()) for side in Side]
        # An org that wakes nobody has to be asked.
        longest = TICK if None in files else REST
        while (left := end - time.monotonic()) > 0 and _versions(found) == seen:
            if stop.rest_for([file for file in files if file is not None], min(longest, left)):
                return
