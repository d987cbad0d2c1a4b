"""Users who come, change and go, and own records; some are not copied until they get another licence."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule
from model_base import Base, places
from model_manifests import DEPTH

TITLES = ("Chief", "Agent", None)
_NAMED = 'SELECT "LastName" FROM "User" WHERE substr("LastName", 1, 1) = \'u\' ORDER BY 1'


class PeopleSteps(Base):
    """Users are known by their last name in every org."""

    def _person(self, org: str, place: int) -> str | None:
        names = self.net.all(org, _NAMED)
        return names[place % len(names)] if names else None

    @rule(place=places, standard=st.booleans())
    def hire(self, place: int, standard: bool) -> None:
        """USR-1: whoever has no standard licence stays in the org."""
        org = self._org(place)
        self.made += 1
        name = f"u{self.made}"
        self._do(
            org,
            'INSERT INTO "User" ("Username", "LastName", "Alias", "Email", "ProfileId", "IsActive")'
            ' SELECT ?1 || ?2, ?1, ?1, \'people@acme.example\', "Id", TRUE FROM "Profile" WHERE "Name" = ?3',
            name,
            "@acme.example" + ".dr" * DEPTH[self.shape][org],
            "Standard User" if standard else "Chatter Free User",
        )
        self.model.insert(name, "User", {"Title": None, "IsActive": 1})

    @rule(place=places, person=places)
    def promote(self, place: int, person: int) -> None:
        """USR-5: a user who arrives late takes over what a stand-in had for them."""
        name = self._person(self._org(place), person)
        if name is not None:
            change = 'UPDATE "User" SET "ProfileId" = (SELECT "Id" FROM "Profile" WHERE "Name" = \'Standard User\')'
            self._do(self._org(place), f'{change} WHERE "LastName" = ?', name)

    @rule(place=places, person=places, value=places)
    def change_person(self, place: int, person: int, value: int) -> None:
        """USR-3: in whichever org."""
        org = self._org(place)
        name = self._person(org, person)
        if name is None:
            return
        column, chosen = ("IsActive", value // 2 % 2) if value % 2 else ("Title", TITLES[value // 2 % len(TITLES)])
        if self.net.all(org, f'SELECT "{column}" FROM "User" WHERE "LastName" = ?', name) != [chosen]:
            self._do(org, f'UPDATE "User" SET "{column}" = ? WHERE "LastName" = ?', chosen, name)
            self.model.write(org, name, {column: chosen})

    @rule(place=places, record=places, person=places)
    def own(self, place: int, record: int, person: int) -> None:
        """USR-5, LKP-6: where the owner is not known, a stand-in is, there and nowhere else."""
        org = self._org(place)
        owner, name = self._person(org, person), self._pick(org, "Node__c", record)
        if owner is None or name is None:
            return
        user = '(SELECT "Id" FROM "User" WHERE "LastName" = ?1)'
        change = f'UPDATE "Node__c" SET "OwnerId" = {user} WHERE "Name" = ?2 AND "OwnerId" <> {user}'
        if self._do(org, change, owner, name) == 1:
            self.model.write(org, name, {"OwnerId": owner})

    def strangers(self) -> set[str]:
        """Users whom some org does not have."""
        known = [set(self.net.all(org, _NAMED)) for org in self.net.orgs]
        everywhere = set.intersection(*known)
        missing = set.union(*known) - everywhere
        for org in self.net.orgs:
            licensed = self.net.all(
                org,
                'SELECT u."LastName" FROM "User" AS u JOIN "Profile" AS p ON p."Id" = u."ProfileId"'
                " WHERE p.\"Name\" = 'Standard User'",
            )
            assert not missing & set(licensed), f"{missing & set(licensed)} of {org} are not everywhere"
        return missing

    def look_past_stand_ins(self, told: dict[str, dict[str, Any]]) -> None:
        """Who owns a record is not compared while its owner is unknown somewhere: there it waits, and beyond there.

        Where a stand-in came back to the owner's org, nobody unknown is left, and the model has it that this was wrong.
        """
        strangers = self.strangers()
        for name in set.union(*(set(records) for records in told.values())):
            owners = {records[name].get("OwnerId") for records in told.values() if name in records}
            if owners & strangers:
                for records in told.values():
                    records.get(name, {}).pop("OwnerId", None)
