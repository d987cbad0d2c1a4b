"""Diagnosing a user: the switch, the licence, the name, and what the other org must have for them (DIA-1, USR-*)."""

from __future__ import annotations

from collections.abc import Iterator

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.plan.users import SUFFIX, counterpart
from orgsync_reconcile.stores.sql import diagnosis as reading
from orgsync_reconcile.stores.sql import failures, links
from orgsync_reconcile.stores.sql.people import Person, Setup, common_columns, read_people, read_setup
from orgsync_reconcile.stores.sql.queue import read_queue
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.sync.diagnosis import Finding, Severity, Subject


def diagnose_user(subject: Subject) -> Iterator[Finding]:
    """Everything that keeps this user from being there and the same; that they are, where nothing does."""
    again = f"orgsync users sync {subject.name}"
    if not subject.from_.users:
        yield Finding(
            severity=Severity.ERROR,
            code="users-off",
            what=f"{subject.source.label} does not sync its users over {subject.name}",
            why="its switch is off",
            advice=f"set sync.users.{subject.side} to true in the manifest",
            command=f"orgsync apply && {again}",
        )
    columns = common_columns(Objects(subject.source)["User"], Objects(subject.target or subject.source)["User"])
    person = read_people(subject.source, columns, ids=[subject.record])[0]
    name = counterpart(person.username, subject.side)
    link = reading.link_status(subject.source, subject.from_.number, subject.record)
    linked = link is not None and link.status == links.ACTIVE
    if not linked:
        yield from _not_covered(subject, person, name)
    queued = list(_queued(subject))
    yield from queued
    yield from _failed(subject, person)
    if subject.target is None or not (linked or person.standard):
        return
    setup = read_setup(subject.target)
    there = read_people(
        subject.target,
        columns,
        ids=[link.partner] if link and linked else None,
        usernames=None if linked else [name or ""],
    )
    other = there[0] if there else None
    lacking = list(_lacking(subject, person, other, setup))
    yield from lacking
    if other is None:
        if name is not None and not lacking and not queued:
            yield Finding(
                severity=Severity.ERROR,
                code="not-copied",
                what=f"{person.username} is not in {subject.partner_label} as {name}",
                why="they have not been sent yet",
                command=again,
            )
    elif not linked:
        yield Finding(
            severity=Severity.ERROR,
            code="not-linked",
            what=f"{other.username} is in {subject.partner_label} and is not linked with {person.username}",
            why="records that name this user find a stand-in there",
            command=again,
        )
    elif not queued and not lacking and link is not None:
        yield _compared(subject, person, other, link)


def _not_covered(subject: Subject, person: Person, name: str | None) -> Iterator[Finding]:
    if not person.standard:
        yield Finding(
            severity=Severity.ERROR,
            code="licence-not-standard",
            what=f"{person.username} has the licence {person.license or '(none)'}",
            why="only users with a standard licence are copied",
            advice="give them a profile with a standard licence, or add them in the other org by hand",
            command=f"orgsync users sync {subject.name}",
        )
    if name is None:
        yield Finding(
            severity=Severity.ERROR,
            code="no-suffix",
            what=f"{person.username} was made in the secondary without {SUFFIX} at the end of the username",
            why=f"users of the secondary are copied only under a name that ends in {SUFFIX}",
            advice=f"rename the user to {person.username}{SUFFIX}",
            command=f"orgsync users sync {subject.name}",
        )


def _queued(subject: Subject) -> Iterator[Finding]:
    items = read_queue(subject.source, subject.from_.number, subject.target, subject.to.number if subject.to else 0)
    for position, item in enumerate(items, 1):
        if item.record == subject.record:
            yield Finding(
                severity=Severity.WARNING,
                code="in-queue",
                what=f"the user is number {position} in the queue of {subject.source.label} ({item.action})",
                why=f"changed at {item.queued_at}, not sent yet",
                command=f"orgsync drain {subject.name} --from {subject.side}",
            )
            return


def _failed(subject: Subject, person: Person) -> Iterator[Finding]:
    failed = failures.failed_before(subject.source, subject.from_.number, "user", person.username)
    if failed is None:
        return
    entry = reading.log_number(subject.source, subject.from_.id, subject.record)
    yield Finding(
        severity=Severity.ERROR,
        code="failed",
        what=f"{person.username} was refused by {subject.partner_label}",
        why=failed[1] + (f" (entry {entry} of the log of {subject.source.label})" if entry is not None else ""),
        advice="mend the cause; users are not tried again by themselves",
        command=f"orgsync users sync {subject.name}",
    )


def _lacking(subject: Subject, person: Person, other: Person | None, setup: Setup) -> Iterator[Finding]:
    """What the user is given and the target does not have."""
    wanted = (
        ("profile", {person.profile} - {""}, setup.profiles),
        ("role", {person.role} - {""}, setup.roles),
        ("permission set", person.permission_sets, setup.permission_sets),
    )
    for noun, names, present in wanted:
        for name in sorted(set(names) - present.keys()):
            advice = "" if subject.side is Side.PRIMARY else f"create it in {subject.partner_label}"
            mend = f"orgsync users sync {subject.name}"
            if subject.side is Side.PRIMARY:
                mend = f"orgsync metadata sync {subject.name} && {mend}"
            yield Finding(
                severity=Severity.ERROR,
                code=f"{noun.replace(' ', '-')}-missing",
                what=f"{subject.partner_label} has no {noun} {name}",
                why=f"{person.username} has it; it is matched by name",
                advice=advice,
                command=mend,
            )
    seat = setup.licenses.get(person.profile, "")
    seated = other is not None and other.active and other.license == seat
    if seat and person.active and not seated and setup.free.get(seat, 0) <= 0:
        yield Finding(
            severity=Severity.ERROR,
            code="licence-full",
            what=f"no {seat} licence is left in {subject.partner_label}",
            why="an active user takes one",
            advice="add licences there, or deactivate a user",
            command=f"orgsync users sync {subject.name}",
        )


def _compared(subject: Subject, person: Person, other: Person, link: reading.Link) -> Finding:
    differing = [
        name
        for name, mine, theirs in (
            ("active", person.active, other.active),
            ("profile", person.profile, other.profile),
            ("role", person.role, other.role),
            ("permission sets", person.permission_sets, other.permission_sets),
            *((key, value, other.values.get(key)) for key, value in person.values.items()),
        )
        if mine != theirs
    ]
    if differing:
        return Finding(
            severity=Severity.ERROR,
            code="stale",
            what=f"{person.username} and {other.username} differ in {', '.join(differing)}",
            why="nothing about the user is queued",
            command=f"orgsync users sync {subject.name}",
        )
    return Finding(
        severity=Severity.OK,
        code="equal",
        what=f"nothing is wrong: {person.username} ({subject.record}) in {subject.source.label} and {other.username}"
        f" ({other.id}) in {subject.partner_label} are linked since {link.since} and the same",
    )
