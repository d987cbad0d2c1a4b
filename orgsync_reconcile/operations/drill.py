"""A drill: what would be lost if the primary went away now, and what people would have to do (RTE-2). Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orgsync_reconcile.catalog import publishable_object
from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.model.desired import DesiredConnection
from orgsync_reconcile.model.plan import Op, Plan
from orgsync_reconcile.model.wording import counted
from orgsync_reconcile.operations.failover_settings import FailoverSettings, Integration
from orgsync_reconcile.stores.sql.connections import Connection, find_connection
from orgsync_reconcile.stores.sql.logins import users_without_password
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.publication_reader import read_published
from orgsync_reconcile.stores.sql.queue import read_queue
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.stores.sql.unlinked import count_records, count_unlinked, list_unlinked
from orgsync_reconcile.sync.lag import DirectionLag, read_lag

#: The word of the queue for a record that the other org does not have yet.
_INSERT = "Generic Insert"

_PUBLISHING = frozenset({Op.PUBLISH_OBJECT, Op.SUBSCRIBE_OBJECT, Op.PUBLISH_FIELD, Op.SUBSCRIBE_FIELD})


@dataclass(frozen=True, kw_only=True, slots=True)
class LostObject:
    """What of one object the secondary would lack. `oldest`: age of the oldest unsent change in seconds."""

    object: str
    never_copied: int
    changed: int
    retrying: int
    failed: int
    oldest: float | None

    @property
    def total(self) -> int:
        """Records concerned."""
        return self.never_copied + self.changed + self.retrying + self.failed


@dataclass(frozen=True, kw_only=True, slots=True)
class LostRecord:
    """One of the records, and why it would be lost."""

    object: str
    record: str
    why: str
    since: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drill:
    """The findings. `blockers` are losses of data or access; `tasks` is what people do by hand at a switch."""

    connection: str
    objects: tuple[LostObject, ...]
    records: tuple[LostRecord, ...]
    #: Usernames in the secondary that have no password there; the first of them.
    locked_out: tuple[str, ...]
    locked_out_count: int
    users: int
    unpublished: tuple[str, ...]
    #: (object, records) that could be published and are not.
    left_out: tuple[tuple[str, int], ...]
    manual: tuple[str, ...]
    integrations: tuple[Integration, ...]
    blockers: tuple[str, ...]
    tasks: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.blockers

    @property
    def lost(self) -> int:
        """Records that would be lost or stale."""
        return sum(item.total for item in self.objects)


def run_drill(
    primary: Org,
    secondary: Org,
    connection: DesiredConnection,
    settings: FailoverSettings,
    plan: Plan,
    *,
    now: datetime,
    limit: int,
) -> Drill:
    """Looks at both orgs and the plan; at most `limit` records and users are listed, the counts are complete."""
    name = connection.name
    mine, theirs = find_connection(primary, name), find_connection(secondary, name)
    lag = read_lag(Side.PRIMARY, primary, secondary, name, now)
    objects: tuple[LostObject, ...] = ()
    records: tuple[LostRecord, ...] = ()
    locked_out: tuple[str, ...] = ()
    users = 0
    published: frozenset[str] = frozenset()
    if mine is not None and theirs is not None and lag is not None:
        published = frozenset(read_published(primary, name))
        fresh = _fresh(primary, mine, secondary, theirs)
        objects = _lost(primary, mine, published, lag, fresh)
        records = _listed(primary, mine, secondary, theirs, objects, fresh, limit)
        users, locked_out = users_without_password(secondary, theirs.number)
    unpublished = tuple(
        sorted({item.address for item in plan.actions if item.op in _PUBLISHING and item.org == connection.primary})
    )
    manual = tuple(f"{item.task} ({item.address})" for item in plan.manual)
    blockers = [
        *_state(mine, theirs, connection),
        *_losses(objects, settings),
        *([f"{counted(len(unpublished), 'publication')} of the manifests not applied"] if unpublished else []),
        *(
            [f"{len(locked_out):,} of {counted(users, 'user')} could not log in: they have no password there"]
            if locked_out
            else []
        ),
    ]
    return Drill(
        connection=name,
        objects=objects,
        records=records,
        locked_out=locked_out[:limit],
        locked_out_count=len(locked_out),
        users=users,
        unpublished=unpublished,
        left_out=_left_out(primary, published),
        manual=manual,
        integrations=settings.integrations,
        blockers=tuple(blockers),
        tasks=(
            *(f"repoint {item.name}" for item in settings.integrations),
            *([f"{counted(len(manual), 'manual task')} of the plan"] if manual else []),
        ),
    )


def _state(mine: Connection | None, theirs: Connection | None, connection: DesiredConnection) -> list[str]:
    """Why nothing flows, if nothing does."""
    if mine is None or theirs is None:
        return ["the connection is not applied"]
    ends = ((connection.primary, mine), (connection.secondary, theirs))
    return [
        f"the connection is {end.status.shown} in {org}"
        for org, end in ends
        if end.status is not ConnectionStatus.ACCEPTED
    ]


def _fresh(primary: Org, mine: Connection, secondary: Org, theirs: Connection) -> dict[str, set[str]]:
    """Object -> new records on their way: no link leads from them either, and they are counted as changed."""
    found: dict[str, set[str]] = {}
    for item in read_queue(primary, mine.number, secondary, theirs.number):
        if item.action == _INSERT and not item.next_retry:
            found.setdefault(item.object, set()).add(item.record)
    return found


def _lost(
    primary: Org, mine: Connection, published: frozenset[str], lag: DirectionLag, fresh: dict[str, set[str]]
) -> tuple[LostObject, ...]:
    behind = {item.object: item for item in lag.objects}
    found = []
    for name in sorted(published | set(behind)):
        unlinked = count_unlinked(primary, mine.number, name) if name in published else 0
        item = behind.get(name)
        lost = LostObject(
            object=name,
            never_copied=max(unlinked - len(fresh.get(name, ())), 0),
            changed=item.pending if item else 0,
            retrying=item.retrying if item else 0,
            failed=item.failed if item else 0,
            oldest=item.oldest if item else None,
        )
        if lost.total:
            found.append(lost)
    return tuple(found)


def _listed(
    primary: Org,
    mine: Connection,
    secondary: Org,
    theirs: Connection,
    objects: tuple[LostObject, ...],
    fresh: dict[str, set[str]],
    limit: int,
) -> tuple[LostRecord, ...]:
    """What is queued first, then what was never copied; failed records are in the sync log."""
    found = [
        LostRecord(
            object=item.object,
            record=item.record,
            why=f"refused so far: {item.error}" if item.next_retry else f"not sent yet: {item.action}",
            since=item.queued_at,
        )
        for item in read_queue(primary, mine.number, secondary, theirs.number, limit=limit)
    ]
    for name, record, code in primary.db.execute(
        "SELECT o.name, h.record, h.error_code FROM orgsync_held AS h JOIN orgsync_object AS o ON o.number = h.object"
        " WHERE h.connection = ? AND h.next_retry IS NULL ORDER BY h.queued_at, h.record LIMIT ?",
        [mine.number, limit],
    ):
        found.append(LostRecord(object=name, record=record, why=f"failed for good: {code}"))
    for item in objects:
        if len(found) >= limit or not item.never_copied:
            continue
        new = fresh.get(item.object, set())
        candidates = list_unlinked(primary, mine.number, item.object, limit + len(new))
        found.extend(
            LostRecord(object=item.object, record=record, why="never copied")
            for record in candidates
            if record not in new
        )
    return tuple(found[:limit])


def _losses(objects: tuple[LostObject, ...], settings: FailoverSettings) -> list[str]:
    """Changes that are just on their way are no reason to wait; all else is."""
    never = sum(item.never_copied for item in objects)
    refused = sum(item.retrying + item.failed for item in objects)
    late = [item for item in objects if item.oldest is not None and item.oldest > settings.behind]
    found = []
    if never:
        found.append(f"{counted(never, 'record')} never copied")
    if refused:
        found.append(f"{counted(refused, 'record')} refused by the secondary")
    if late:
        seconds = max(item.oldest or 0.0 for item in late)
        number = sum(item.changed for item in late)
        if number:
            found.append(f"{counted(number, 'change')} not sent, the oldest for {seconds:,.0f} seconds")
    return found


def _left_out(primary: Org, published: frozenset[str]) -> tuple[tuple[str, int], ...]:
    """Objects with records that could be published and are not: the secondary will not have them, by choice or not."""
    objects = Objects(primary)
    counts = (
        (name, count_records(primary, name))
        for name in sorted(objects)
        if name not in published and publishable_object(objects[name]) is None
    )
    return tuple((name, number) for name, number in counts if number)
