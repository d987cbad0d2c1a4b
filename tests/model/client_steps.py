"""What clients do in an org: they make, change, move, delete and restore records."""

from __future__ import annotations

import sqlite3

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import rule
from model_base import Base, kinds, places
from model_orgs import ADMIN, KINDS, MASTER, OBJECTS, OWNED, lookups, plain_fields
from org_stores import insert


class ClientSteps(Base):
    """Plain writes of any SQL client."""

    def _details(self, org: str, node: str) -> list[str]:
        """The records that go with a node."""
        return self.net.all(
            org,
            'SELECT d."Name" FROM "Detail__c" AS d JOIN "Node__c" AS n ON n."Id" = d."Node__c" WHERE n."Name" = ?',
            node,
        )

    @rule(place=places, kind=kinds, parent=places, value=places)
    def insert(self, place: int, kind: str, parent: int, value: int) -> None:
        org = self._org(place)
        leading = lookups(self.seed)[kind]
        parents = {
            column: self._pick(org, other, parent) if (kind, column) == ("Detail__c", MASTER) or turn % 2 else None
            for turn, (column, other) in enumerate(leading.items(), parent)
        }
        if kind == "Detail__c" and parents[MASTER] is None:
            return
        self.made += 1
        name = f"{org}{self.made}"
        values = {
            item: KINDS[what][1][value % len(KINDS[what][1])] for item, what in plain_fields(self.seed)[kind].items()
        }
        found = {
            column: self.net.all(org, f'SELECT "Id" FROM "{leading[column]}" WHERE "Name" = ?', name)[0]
            for column, name in parents.items()
            if name is not None
        }
        insert(self.net.clients[org], kind, Name=name, **found, **values)
        self.model.insert(name, kind, {**values, **parents, **({"OwnerId": ADMIN} if kind == OWNED else {})})

    @rule(edits=st.lists(st.tuples(places, kinds, places, places, places), min_size=1, max_size=8))
    def update(self, edits: list[tuple[int, str, int, int, int]]) -> None:
        """Some changes at once, in any orgs."""
        for edit in edits:
            self._update(*edit)

    def _update(self, place: int, kind: str, record: int, column: int, value: int) -> None:
        org = self._org(place)
        name = self._pick(org, kind, record)
        if name is None:
            return
        fields = list(plain_fields(self.seed)[kind].items())
        field, what = fields[column % len(fields)]
        chosen = KINDS[what][1][value % len(KINDS[what][1])]
        (before,) = self.net.all(org, f'SELECT "{field}" FROM "{kind}" WHERE "Name" = ?', name)
        if before != chosen:
            self._set(org, kind, name, **{field: chosen})

    @rule(place=places, kind=kinds, record=places, column=places, parent=places)
    def move(self, place: int, kind: str, record: int, column: int, parent: int) -> None:
        org = self._org(place)
        references = list(lookups(self.seed)[kind].items())
        field, other = references[column % len(references)]
        name, owner = self._pick(org, kind, record), self._pick(org, other, parent)
        if name is None or owner is None:
            return
        change = f'UPDATE "{kind}" SET "{field}" = (SELECT "Id" FROM "{other}" WHERE "Name" = ?1) WHERE "Name" = ?2'
        changed = f'{change} AND "{field}" IS NOT (SELECT "Id" FROM "{other}" WHERE "Name" = ?1)'
        if self._do(org, changed, owner, name) == 1:
            self.model.write(org, name, {field: owner})

    @rule(place=places, kind=kinds, record=places)
    def delete(self, place: int, kind: str, record: int) -> None:
        org = self._org(place)
        name = self._pick(org, kind, record)
        if name is not None:
            taken = [name, *(self._details(org, name) if kind == "Node__c" else ())]
            self._do(org, f'DELETE FROM "{kind}" WHERE "Name" = ?', name)
            self.model.delete(org, taken)

    @rule(place=places, kind=kinds.filter(lambda kind: kind in OBJECTS[:2]), record=places)
    def undelete(self, place: int, kind: str, record: int) -> None:
        org = self._org(place)
        name = self._pick(org, kind, record, deleted=1)
        if name is None:
            return
        before = set(self._names(org, "Detail__c"))
        try:
            self._do(org, f'UPDATE "{kind}" SET "IsDeleted" = FALSE WHERE "Name" = ?', name)
        except (sqlite3.IntegrityError, psycopg.IntegrityError) as error:
            # Its key, or that of a detail, belongs to another record by now.
            assert "unique" in str(error).lower(), error
            return
        self.model.restore(org, [name, *(set(self._names(org, "Detail__c")) - before)])

    @rule(place=places, kind=kinds.filter(lambda kind: kind in OBJECTS[:2]), record=places)
    def delete_for_good(self, place: int, kind: str, record: int) -> None:
        """QUE-4: a hard delete arrives as a soft delete, and takes back what the other org restores."""
        org = self._org(place)
        name = self._pick(org, kind, record, deleted=1)
        if name is not None:
            self._do(org, f'DELETE FROM "{kind}" WHERE "Name" = ? AND "IsDeleted" = TRUE', name)
            self.model.purge(org, name)
