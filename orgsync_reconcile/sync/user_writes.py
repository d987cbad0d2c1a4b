"""Writing one user into the target org: found or made, with profile, role, permission sets and manager (USR-1, -3, -4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from orgsync_reconcile.errors import RecordError
from orgsync_reconcile.model.connection import ConflictPolicy, Side
from orgsync_reconcile.stores.sql.connections import Connection
from orgsync_reconcile.stores.sql.kinship import Kinship
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.pending import pending_columns, watermark
from orgsync_reconcile.stores.sql.people import Person, PersonColumns, Setup, assign
from orgsync_reconcile.stores.sql.rows import insert_row, update_row

Outcome = Literal["copied", "linked", "updated", "same"]


class Refused(RecordError):
    """Why a user cannot be written: the platform's code, and the field where it is known (LOG-1)."""

    def __init__(self, message: str, *, code: str, field: str = "", field_type: str = "") -> None:
        super().__init__(message, code=code)
        self.field = field
        self.field_type = field_type


@dataclass(kw_only=True, slots=True)
class UserWriter:
    """The target of a run of users, with what was read of it once: setup by name, links, users who are there."""

    org: Org
    #: The source org, for what it has changed and not sent yet.
    other: Org
    connection: Connection
    partner: Connection
    #: The source's side.
    side: Side
    columns: PersonColumns
    setup: Setup
    #: User in the source -> user in the target.
    links: dict[str, str]
    #: Who else is the same person, over other connections.
    kin: Kinship
    #: Users of the target by Id, and by username in lower case.
    present: dict[str, Person]
    by_name: dict[str, Person]

    def write(self, person: Person, username: str) -> tuple[Outcome, str]:
        """Makes the user, or brings it up to date; returns what was done and the user's Id in the target.

        A user who was there under the right name is linked; coming from the secondary that is all that happens, since
        the primary's version of a user is the one to start from. So it is where the person came there over another
        connection (CON-10). Inside a transaction. Raises Refused.
        """
        known = self.present.get(self.links.get(person.id, ""))
        same = self.present.get(self.kin.same.get(person.id, ""))
        there = known or same or self.by_name.get(username.lower())
        if there is not None and known is None and (same or self.side is Side.SECONDARY):
            return "linked", there.id
        self._check(person, there)
        values = self._values(person, username)
        if there is None:
            user = insert_row(self.org, "User", values, self.columns.fields)
            assign(self.org, user, self.setup, person.permission_sets, exactly=True)
            self._take_seat(person)
            return "copied", user
        changed = self._changes(person, there, values) if known else _different(there, values, self.setup)
        update_row(self.org, "User", there.id, changed, self.columns.fields)
        sets_differ = there.permission_sets != person.permission_sets
        if sets_differ:
            assign(self.org, there.id, self.setup, person.permission_sets, exactly=known is not None)
        if known is None:
            return "linked", there.id
        return ("updated" if changed or sets_differ else "same"), there.id

    def _check(self, person: Person, there: Person | None) -> None:
        """Everything that the user is given exists here, and the licence has a seat left."""
        wanted = (
            ("profile", "ProfileId", {person.profile}, self.setup.profiles),
            ("role", "UserRoleId", {person.role} - {""}, self.setup.roles),
            ("permission set", "PermissionSetId", person.permission_sets, self.setup.permission_sets),
        )
        missing = [
            (f"{noun} {name}", column)
            for noun, column, names, present in wanted
            for name in sorted(names)
            if name not in present
        ]
        if missing:
            raise Refused(
                f"missing in {self.org.label}: {', '.join(text for text, _ in missing)};"
                " create it there, then save the user again",
                code="FIELD_INTEGRITY_EXCEPTION",
                field=missing[0][1],
                field_type="lookup",
            )
        seat = self.setup.licenses[person.profile]
        seated = there is not None and there.active and there.license == seat
        if person.active and not seated and self.setup.free.get(seat, 0) <= 0:
            raise Refused(
                f"no {seat} licence is left in {self.org.label}; add licences there, then save the user again",
                code="LICENSE_LIMIT_EXCEEDED",
                field="ProfileId",
                field_type="lookup",
            )

    def _take_seat(self, person: Person) -> None:
        if person.active:
            self.setup.free[self.setup.licenses[person.profile]] -= 1

    def _values(self, person: Person, username: str) -> dict[str, Any]:
        """The row as the target will have it; a manager who is not here yet is left out."""
        values: dict[str, Any] = {
            **person.values,
            **({} if person.id in self.kin.apart else {"Username": username}),
            "IsActive": int(person.active),
            "ProfileId": self.setup.profiles[person.profile],
            "UserRoleId": self.setup.roles[person.role] if person.role else None,
        }
        for column, other in person.people.items():
            if other is None or other in self.links:
                values[column] = self.links[other] if other else None
        return values

    def _changes(self, person: Person, there: Person, values: dict[str, Any]) -> dict[str, Any]:
        """What differs, less what the target has changed itself and not sent yet (CNF-1).

        Edits of different fields both survive; where both changed one field, the connection's policy decides.
        """
        changed = _different(there, values, self.setup)
        if not changed:
            return changed
        theirs = pending_columns(
            self.org, self.connection.number, "User", there.id, watermark(self.other, self.partner.number)
        )
        if not theirs:
            return changed
        ours = pending_columns(
            self.other, self.partner.number, "User", person.id, watermark(self.org, self.connection.number)
        )
        kept = theirs if not self._source_wins() else theirs - ours
        return {name: value for name, value in changed.items() if name not in kept}

    def _source_wins(self) -> bool:
        settings = self.partner.settings if self.side is Side.PRIMARY else self.connection.settings
        secondary = settings.get("conflicts") == ConflictPolicy.SECONDARY_WINS.value
        return (self.side is Side.SECONDARY) == secondary


def _different(there: Person, values: dict[str, Any], setup: Setup) -> dict[str, Any]:
    """The values that are not so in the target already."""
    present: dict[str, Any] = {
        **there.values,
        **there.people,
        "Username": there.username,
        "IsActive": int(there.active),
        "ProfileId": setup.profiles.get(there.profile),
        "UserRoleId": setup.roles.get(there.role) if there.role else None,
    }
    return {name: value for name, value in values.items() if present.get(name) != value}
