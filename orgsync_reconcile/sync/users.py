"""Copying users from one org of a connection to the other, all of them or one at a time (USR-1…7).

The target is written first, user and link in one transaction, then the link's mirror in the source. A run that ends in
between leaves a user under the right name, whom the next run links.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from orgsync_reconcile.clock import Clock
from orgsync_reconcile.errors import OrgsyncError, RecordError
from orgsync_reconcile.failpoints import FailPoint, reach
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.events import QueueAction
from orgsync_reconcile.plan.users import SUFFIX, counterpart
from orgsync_reconcile.stores.faults import faults, refusal, refusals
from orgsync_reconcile.stores.sql import events, history, links
from orgsync_reconcile.stores.sql.connections import Connection, get_connection
from orgsync_reconcile.stores.sql.history import USER_UPSERT, log_failure
from orgsync_reconcile.stores.sql.kinship import Kinship, kinship
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.people import (
    Person,
    PersonColumns,
    Setup,
    common_columns,
    read_people,
    read_setup,
)
from orgsync_reconcile.stores.sql.people_reader import read_users
from orgsync_reconcile.stores.sql.savepoint import savepoint
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.sync.user_writes import Refused, UserWriter

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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Way:
    """One direction of a connection. `side` is the source's."""

    source: Org
    target: Org
    from_: Connection
    to: Connection
    side: Side
    clock: Clock
    columns: PersonColumns

    def kinship(self) -> Kinship:
        """Who is whom, over all connections of both orgs, at this moment."""
        return kinship(self.source, self.target, (self.from_.number, self.to.number))

    @property
    def now_ms(self) -> int:
        return int(self.clock().timestamp() * 1000)


def _way(source: Org, target: Org, connection: str, side: Side, clock: Clock) -> _Way:
    return _Way(
        source=source,
        target=target,
        from_=get_connection(source, connection),
        to=get_connection(target, connection),
        side=side,
        clock=clock,
        columns=common_columns(Objects(source)["User"], Objects(target)["User"]),
    )


@dataclass(kw_only=True, slots=True)
class _Tally:
    """A report in the making, and what the source must learn."""

    copied: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    failed: list[tuple[Person, Refused]] = field(default_factory=list)
    #: (user in the source, user in the target) of links made or confirmed.
    pairs: list[tuple[Person, str]] = field(default_factory=list)

    def add(self, other: _Tally) -> None:
        """Sums up two parts of one run."""
        self.copied += other.copied
        self.linked += other.linked
        self.updated += other.updated
        self.failed += other.failed
        self.pairs += other.pairs


def sync_all_users(source: Org, target: Org, connection: str, side: Side, clock: Clock) -> UserReport:
    """Copies every user of the source that user sync covers, at accept or on demand; one failure stops nobody (USR-7).

    `side` is the source's. Users without a standard licence stay out unless they are linked already.
    """
    return _standing(_way(source, target, connection, side, clock))


def sync_users(
    source: Org, target: Org, connection: str, side: Side, usernames: Sequence[str], clock: Clock
) -> UserReport:
    """Copies the users of the source with these usernames, as `sync_all_users` does."""
    return _standing(_way(source, target, connection, side, clock), usernames)


def _standing(way: _Way, usernames: Sequence[str] | None = None) -> UserReport:
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


def _note(way: _Way, org: Org, report: UserReport, origin: str) -> None:
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
    return _sync(_way(source, target, connection, side, clock), ids=user_ids)


def upsert_user(source: Org, target: Org, connection: str, side: Side, user_id: str, *, clock: Clock) -> str | None:
    """Sends one user as `upsert_users` does; returns why that failed, or None."""
    report = upsert_users(source, target, connection, side, [user_id], clock=clock)
    return report.failed[0][1] if report.failed else None


def _sync(way: _Way, *, ids: Sequence[str] | None = None, usernames: Sequence[str] | None = None) -> UserReport:
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
        if not (elsewhere or _name_there(way, person)):
            if person.active and person.standard:
                nameless.append(person)
        elif elsewhere or person.id in linked or person.standard:
            wanted.append(person)
        elif person.active:
            left_out.append(person.username)
    total = _Tally()
    for start in range(0, len(wanted), _CHUNK):
        _copy(way, wanted[start : start + _CHUNK], total)
    _log_nameless(way, nameless)
    return UserReport(
        copied=tuple(total.copied),
        linked=tuple(total.linked),
        updated=tuple(total.updated),
        failed=tuple((person.username, str(why)) for person, why in total.failed),
        left_out=tuple(left_out),
        nameless=tuple(person.username for person in nameless),
    )


def _name_there(way: _Way, person: Person) -> str:
    """The person's username in the target; empty where there can be none by it (USR-2)."""
    return counterpart(person.username, way.side) or ""


def _copy(way: _Way, people: Sequence[Person], total: _Tally) -> None:
    """One transaction in the target, then one in the source."""
    tally = _Tally()
    with way.target.transaction(), links.engine_write(way.target, way.to.number, "User"):
        writer = _writer(way, people)
        for person in people:
            try:
                with savepoint(way.target):
                    outcome, local = writer.write(person, _name_there(way, person))
                    if outcome in ("copied", "linked"):
                        links.add_link(
                            way.target,
                            way.to.number,
                            "User",
                            local,
                            person.id,
                            made_here=True,
                            since_ms=way.now_ms,
                            root=writer.kin.root.get(person.id),
                        )
            except faults(OrgsyncError) as error:
                tally.failed.append((person, _refused(error)))
                continue
            writer.links[person.id] = local
            tally.pairs.append((person, local))
            if outcome != "same":
                {"copied": tally.copied, "linked": tally.linked, "updated": tally.updated}[outcome].append(
                    person.username
                )
        _fill_people(way, tally)
        reach(FailPoint.USERS_BEFORE_TARGET_COMMIT)
    reach(FailPoint.USERS_AFTER_TARGET_COMMIT)
    _tell_source(way, tally)
    reach(FailPoint.USERS_AFTER_SOURCE_MIRROR)
    total.add(tally)


def _writer(way: _Way, people: Sequence[Person]) -> UserWriter:
    setup: Setup = read_setup(way.target)
    kin = way.kinship()
    linked = links.partners_of(way.target, way.to.number, "User")
    names = [_name_there(way, person) for person in people]
    present = {
        item.id: item
        for item in (
            *read_people(way.target, way.columns, usernames=names),
            *read_people(way.target, way.columns, ids=[linked[p.id] for p in people if p.id in linked]),
            *read_people(way.target, way.columns, ids=[kin.same[p.id] for p in people if p.id in kin.same]),
        )
    }
    return UserWriter(
        org=way.target,
        other=way.source,
        connection=way.to,
        partner=way.from_,
        side=way.side,
        columns=way.columns,
        setup=setup,
        links=linked,
        kin=kin,
        present=present,
        by_name={item.username.lower(): item for item in present.values()},
    )


def _refused(error: OrgsyncError | Exception) -> Refused:
    if isinstance(error, Refused):
        return error
    if isinstance(error, RecordError):
        return Refused(error.message, code=error.code)
    if isinstance(error, refusals()):
        code, column, message = refusal(error)
        return Refused(message, code=code, field=column)
    raise error


def _tell_source(way: _Way, tally: _Tally) -> None:
    """The mirror of the links, and the failures in the source's own log (USR-4)."""
    number = way.from_.number
    with way.source.transaction():
        mirrored = links.partners_of(way.source, number, "User")
        for person, local in tally.pairs:
            if mirrored.get(local) != person.id:
                links.add_link(way.source, number, "User", person.id, local, made_here=False, since_ms=way.now_ms)
            links.clear_failed(way.source, number, "user", person.username)
        if tally.failed:
            hashes = _hashes(way.source)
            for person, why in tally.failed:
                _log(way, person, hashes.get(person.username, ""), why)


def _hashes(org: Org) -> dict[str, str]:
    """Username -> the fingerprint by which a plan knows whether a user was saved since a failure (USR-4)."""
    return {name: user.hash for name, user in read_users(org, Objects(org)["User"]).items()}


def _log(way: _Way, person: Person, fingerprint: str, why: Refused) -> None:
    """One Failed entry per failure; the same failure of the same content is not logged twice."""
    number = way.from_.number
    if links.failed_before(way.source, number, "user", person.username) == (fingerprint, str(why)):
        return
    log_failure(
        way.source,
        way.from_.id,
        entity="User",
        record=person.id,
        event=USER_UPSERT,
        error_code=why.code,
        description=str(why),
        field=why.field,
        field_type=why.field_type,
    )
    links.set_failed(way.source, number, "user", person.username, fingerprint, str(why))


def _log_nameless(way: _Way, people: Sequence[Person]) -> None:
    """Users of the secondary who cannot be sent for their name: an entry in the secondary's log (USR-2)."""
    if not people:
        return
    why = Refused(
        f"the username does not end with {SUFFIX}; users made here are copied only under such a name",
        code="INVALID_USERNAME",
        field="Username",
        field_type="text",
    )
    with way.source.transaction():
        hashes = _hashes(way.source)
        for person in people:
            _log(way, person, hashes.get(person.username, ""), why)


def _fill_people(way: _Way, tally: _Tally) -> None:
    """Managers that came after their reports: filled in where the target has nothing yet (LKP-2 for users).

    In the transaction of the managers: once they stand there, nobody would look for their reports again.
    """
    linked = links.partners_of(way.target, way.to.number, "User")
    names = {*tally.copied, *tally.linked}
    new = {person.id for person, _ in tally.pairs if person.username in names}
    if not new or not way.columns.people:
        return
    updates: list[tuple[str, str, str]] = []
    for column in way.columns.people:
        for user, other in way.source.db.execute(
            f'SELECT "Id", "{column}" FROM main."User" WHERE "{column}" IS NOT NULL'
        ):
            if other in new and user in linked:
                updates.append((column, linked[other], linked[user]))
    for column, value, user in updates:
        way.target.db.execute(
            f'UPDATE main."User" SET "{column}" = ? WHERE "Id" = ? AND "{column}" IS NULL', [value, user]
        )


def link_present_users(primary: Org, secondary: Org, connection: str, clock: Clock) -> int:
    """Links users who are in both orgs under matching names, whatever the switches say; returns how many are new.

    An admin may add the secondary's users by hand: records that name them must still find them (USR-1, LKP-6).
    """
    way = _way(primary, secondary, connection, Side.PRIMARY, clock)
    with primary.snapshot():
        people = {person.username.lower(): person for person in read_people(primary, way.columns)}
    with secondary.snapshot():
        theirs = read_people(secondary, way.columns)
        taken = links.partners_of(secondary, way.to.number, "User")
    kin = way.kinship()
    pairs = [
        (ours, their)
        for their in theirs
        if (name := counterpart(their.username, Side.SECONDARY)) is not None
        and (ours := people.get(name.lower())) is not None
        and ours.id not in taken
        and their.id not in taken.values()
    ]
    for org, number, made_here in ((secondary, way.to.number, True), (primary, way.from_.number, False)):
        with org.transaction():
            for ours, their in pairs:
                local, partner = (their.id, ours.id) if made_here else (ours.id, their.id)
                root = kin.root.get(ours.id) if made_here else None
                links.add_link(org, number, "User", local, partner, made_here=made_here, since_ms=way.now_ms, root=root)
        if made_here:
            reach(FailPoint.USERS_AFTER_FIRST_LINKS)
    return len(pairs)
