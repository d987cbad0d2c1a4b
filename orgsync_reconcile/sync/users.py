"""Copying users from one org of a connection to the other, all of them or those that changed (USR-1…7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.events import QueueAction
from orgsync_reconcile.stores.sql import events, history, links
from orgsync_reconcile.stores.sql.connections import get_connection
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.people import Person, read_people
from orgsync_reconcile.sync.user_copies import Tally, copy_users
from orgsync_reconcile.sync.user_failures import log_nameless
from orgsync_reconcile.sync.user_way import Way, way_between

#: Users per transaction: short enough for other writers of the target.
_CHUNK = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class UserReport:
    """What a user sync did, by username in the source. `failed` holds (username, why)."""

    copied: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    #: Active users without a standard licence (USR-1).
    left_out: tuple[str, ...] = ()
    #: Users of the secondary without the suffix (USR-2).
    nameless: tuple[str, ...] = ()
    #: The source's own switch is off: nothing was sent (USR-3).
    switched_off: bool = False


def sync_all_users(source: Org, target: Org, connection: str, side: Side, clock: Clock) -> UserReport:
    """Copies every user of the source that user sync covers, at accept or on demand; one failure stops nobody (USR-7).

    `side` is the source's. Users without a standard licence stay out unless they are linked already.
    """
    return _standing(way_between(source, target, connection, side, clock))


def sync_users(
    source: Org, target: Org, connection: str, side: Side, usernames: Sequence[str], clock: Clock
) -> UserReport:
    """Copies the users of the source with these usernames, as `sync_all_users` does."""
    return _standing(way_between(source, target, connection, side, clock), usernames)


def _standing(way: Way, usernames: Sequence[str] | None = None) -> UserReport:
    """The sync of many users stands in the source's queue until it is done; the next drain finishes a killed one."""
    if not way.from_.users:
        return UserReport(switched_off=True)
    number = way.from_.number
    with way.source.transaction():
        if not events.own_work(way.source, number, QueueAction.BULK_SYNC_USERS):
            events.add_event(
                way.source,
                number,
                QueueAction.BULK_SYNC_USERS,
                object_name="User",
                detail={} if usernames is None else {"users": len(usernames)},
                actor=events.admin_name(way.source),
                clock=way.clock,
            )
        begun = events.own_work(way.source, number, QueueAction.BULK_SYNC_USERS)
    report = _sync(way, usernames=usernames)
    _note(way, way.target, report, way.source.name)
    with way.source.transaction():
        for event in begun:
            events.finish_own(way.source, event.number)
        _note(way, way.source, report, "")
    return report


def _note(way: Way, org: Org, report: UserReport, origin: str) -> None:
    """A sync of many users is a row in the history of both orgs, where it did anything."""
    counts = {"copied": report.copied, "linked": report.linked, "updated": report.updated, "failed": report.failed}
    detail = ", ".join(f"{len(found)} {word}" for word, found in counts.items() if found)
    if detail:
        history.record_event(
            org,
            way.from_.name,
            QueueAction.BULK_SYNC_USERS,
            detail,
            actor=events.admin_name(way.source),
            clock=way.clock,
            origin=origin,
        )


def finish_users(source: Org, target: Org, connection: str, side: Side, clock: Clock) -> None:
    """Finishes a sync of many users that was cut off, from the side that sends (QUE-2)."""
    if events.own_work(source, get_connection(source, connection).number, QueueAction.BULK_SYNC_USERS):
        sync_all_users(source, target, connection, side, clock)


def upsert_users(
    source: Org, target: Org, connection: str, side: Side, user_ids: Sequence[str], *, clock: Clock
) -> UserReport:
    """Sends users whose record or assignments changed, by Id in the source (USR-3, USR-4).

    Users that user sync does not cover are left alone, and all of them where the source's own switch is off.
    """
    return _sync(way_between(source, target, connection, side, clock), ids=user_ids)


def _sync(way: Way, *, ids: Sequence[str] | None = None, usernames: Sequence[str] | None = None) -> UserReport:
    if not way.from_.users:
        return UserReport(switched_off=True)
    with way.source.snapshot():
        people = read_people(way.source, way.columns, ids=ids, usernames=usernames)
    with way.target.snapshot():
        linked = links.partners_of(way.target, way.to.number, "User")
    kin = way.kinship()
    wanted: list[Person] = []
    nameless: list[Person] = []
    left_out: list[str] = []
    for person in people:
        elsewhere = person.id in kin.apart or (person.id in kin.same and person.id not in linked)
        if not (elsewhere or way.name_there(person)):
            if person.active and person.standard:
                nameless.append(person)
        elif elsewhere or person.id in linked or person.standard:
            wanted.append(person)
        elif person.active:
            left_out.append(person.username)
    total = Tally()
    for start in range(0, len(wanted), _CHUNK):
        copy_users(way, wanted[start : start + _CHUNK], total)
    log_nameless(way, nameless)
    return UserReport(
        copied=tuple(total.copied),
        linked=tuple(total.linked),
        updated=tuple(total.updated),
        failed=tuple((person.username, str(why)) for person, why in total.failed),
        left_out=tuple(left_out),
        nameless=tuple(person.username for person in nameless),
    )
