"""Some users of a run: written into the target, user and link in one transaction, then told the source (USR-4, USR-7).

A run that ends in between leaves a user under the right name, whom the next run links.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from orgsync_reconcile.errors import OrgsyncError, RecordError
from orgsync_reconcile.failpoints import FailPoint, reach
from orgsync_reconcile.stores.faults import faults, refusal, refusals
from orgsync_reconcile.stores.sql import failures, links
from orgsync_reconcile.stores.sql.people import Person, Setup, read_people, read_setup
from orgsync_reconcile.stores.sql.savepoint import savepoint
from orgsync_reconcile.sync.user_failures import log_failures
from orgsync_reconcile.sync.user_way import Way
from orgsync_reconcile.sync.user_writes import Refused, UserWriter


@dataclass(kw_only=True, slots=True)
class Tally:
    """A report in the making, and what the source must learn."""

    copied: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    failed: list[tuple[Person, Refused]] = field(default_factory=list)
    #: (user in the source, user in the target) of links made or confirmed.
    pairs: list[tuple[Person, str]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Sums up two parts of one run."""
        self.copied += other.copied
        self.linked += other.linked
        self.updated += other.updated
        self.failed += other.failed
        self.pairs += other.pairs


def copy_users(way: Way, people: Sequence[Person], total: Tally) -> None:
    """Copies these users, and adds to `total` what became of each: one transaction in the target, then one in the source."""
    tally = Tally()
    with way.target.transaction(), links.engine_write(way.target, way.to.number, "User"):
        writer = _writer(way, people)
        for person in people:
            try:
                with savepoint(way.target):
                    outcome, local = writer.write(person, way.name_there(person))
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


def _writer(way: Way, people: Sequence[Person]) -> UserWriter:
    setup: Setup = read_setup(way.target)
    kin = way.kinship()
    linked = links.partners_of(way.target, way.to.number, "User")
    names = [way.name_there(person) for person in people]
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


def _fill_people(way: Way, tally: Tally) -> None:
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


def _tell_source(way: Way, tally: Tally) -> None:
    """The mirror of the links, and the failures in the source's own log (USR-4)."""
    number = way.from_.number
    with way.source.transaction():
        mirrored = links.partners_of(way.source, number, "User")
        for person, local in tally.pairs:
            if mirrored.get(local) != person.id:
                links.add_link(way.source, number, "User", person.id, local, made_here=False, since_ms=way.now_ms)
            failures.clear_failed(way.source, number, "user", person.username)
        log_failures(way, tally.failed)
