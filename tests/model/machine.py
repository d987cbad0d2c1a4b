"""The state machine: whatever clients and admins do in connected orgs, in any order, between drains that stop anywhere."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from model_orgs import KINDS, OBJECTS, REFERENCES, SHAPES, make_template, open_net, plain_fields
from net_world import Net
from reference_model import Reference

from orgsync_reconcile.model.connection import ConnectionStatus, Side
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.sync.verify import verify

places = st.integers(0, 7)
sides = st.sampled_from(list(Side))
TEMPLATES = Path(tempfile.mkdtemp(prefix="orgsync-model-templates-"))


class Orgs(RuleBasedStateMachine):
    """Drives real orgs beside the reference model. Numbers are taken modulo what there is to choose from."""

    shape = "pair"

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="orgsync-model-"))
        self.stack = ExitStack()
        self.net: Net
        self.model = Reference({"Detail__c": "Node__c"})
        self.seed = 0
        self.suspended: set[str] = set()
        self.made = 0

    @initialize(seed=st.integers(0, 5))
    def connect(self, seed: int) -> None:
        self.seed = seed
        template = make_template(TEMPLATES, self.shape, seed)
        self.net = open_net(template, self.shape, self.folder, self.stack)

    def teardown(self) -> None:
        try:
            if hasattr(self, "net"):
                self.drain_all()
        finally:
            self.stack.close()
            shutil.rmtree(self.folder)

    # -- what clients do ---------------------------------------------------------------------------------------

    def _org(self, place: int) -> str:
        names = SHAPES[self.shape][0]
        return names[place % len(names)]

    def _names(self, org: str, kind: str, deleted: int = 0) -> list[str]:
        return self.net.all(org, f'SELECT "Name" FROM "{kind}" WHERE "IsDeleted" = ? ORDER BY "Name"', deleted)

    def _pick(self, org: str, kind: str, place: int, deleted: int = 0) -> str | None:
        names = self._names(org, kind, deleted)
        return names[place % len(names)] if names else None

    def _details(self, org: str, node: str) -> list[str]:
        """The records that go with a node."""
        return self.net.all(
            org,
            'SELECT d."Name" FROM "Detail__c" AS d JOIN "Node__c" AS n ON n."Id" = d."Node__c" WHERE n."Name" = ?',
            node,
        )

    def _do(self, org: str, sql: str, *values: object) -> None:
        self.net.clients[org].execute(sql, values)

    @rule(place=places, kind=st.sampled_from(OBJECTS), parent=places, value=places)
    def insert(self, place: int, kind: str, parent: int, value: int) -> None:
        org = self._org(place)
        column, other = next(iter(REFERENCES[kind].items()))
        owner = self._pick(org, other, parent) if kind == "Detail__c" or parent % 2 else None
        if kind == "Detail__c" and owner is None:
            return
        self.made += 1
        name = f"{org}{self.made}"
        values = {
            item: KINDS[what][1][value % len(KINDS[what][1])] for item, what in plain_fields(self.seed)[kind].items()
        }
        columns = ", ".join(f'"{item}"' for item in values)
        self._do(
            org,
            f'INSERT INTO "{kind}" ("Name", "{column}", {columns}) VALUES (?, (SELECT "Id" FROM "{other}" WHERE "Name" = ?),'
            f" {', '.join('?' for _ in values)})",
            name,
            owner,
            *values.values(),
        )
        self.model.insert(org, name, kind, {**values, column: owner})

    @rule(place=places, kind=st.sampled_from(OBJECTS), record=places, column=places, value=places)
    def update(self, place: int, kind: str, record: int, column: int, value: int) -> None:
        org = self._org(place)
        name = self._pick(org, kind, record)
        if name is None:
            return
        fields = list(plain_fields(self.seed)[kind].items())
        field, what = fields[column % len(fields)]
        chosen = KINDS[what][1][value % len(KINDS[what][1])]
        (before,) = self.net.all(org, f'SELECT "{field}" FROM "{kind}" WHERE "Name" = ?', name)
        if before != chosen:
            self._do(org, f'UPDATE "{kind}" SET "{field}" = ? WHERE "Name" = ?', chosen, name)
            self.model.write(org, name, {field: chosen})

    @rule(place=places, kind=st.sampled_from(OBJECTS), record=places, column=places, parent=places)
    def move(self, place: int, kind: str, record: int, column: int, parent: int) -> None:
        org = self._org(place)
        references = list(REFERENCES[kind].items())
        field, other = references[column % len(references)]
        name, owner = self._pick(org, kind, record), self._pick(org, other, parent)
        if name is None or owner is None:
            return
        change = f'UPDATE "{kind}" SET "{field}" = (SELECT "Id" FROM "{other}" WHERE "Name" = ?1) WHERE "Name" = ?2'
        self._do(org, f'{change} AND "{field}" IS NOT (SELECT "Id" FROM "{other}" WHERE "Name" = ?1)', owner, name)
        if self.net.all(org, "SELECT changes()") == [1]:
            self.model.write(org, name, {field: owner})

    @rule(place=places, kind=st.sampled_from(OBJECTS), record=places)
    def delete(self, place: int, kind: str, record: int) -> None:
        org = self._org(place)
        name = self._pick(org, kind, record)
        if name is not None:
            taken = [name, *(self._details(org, name) if kind == "Node__c" else ())]
            self._do(org, f'DELETE FROM "{kind}" WHERE "Name" = ?', name)
            self.model.delete(org, taken)

    @rule(place=places, kind=st.sampled_from(OBJECTS[:2]), record=places)
    def undelete(self, place: int, kind: str, record: int) -> None:
        org = self._org(place)
        name = self._pick(org, kind, record, deleted=1)
        if name is not None:
            before = set(self._names(org, "Detail__c"))
            self._do(org, f'UPDATE "{kind}" SET "IsDeleted" = 0 WHERE "Name" = ?', name)
            self.model.restore(org, [name, *(set(self._names(org, "Detail__c")) - before)])

    # -- what admins do ----------------------------------------------------------------------------------------

    def _way(self, place: int) -> str:
        ways = SHAPES[self.shape][1]
        return ways[place % len(ways)]

    @rule(way=places, side=sides, most=st.integers(1, 6))
    def drain_some(self, way: int, side: Side, most: int) -> None:
        self.net.drain(self._way(way), side, max_records=most)

    @rule(way=places)
    def drain_way(self, way: int) -> None:
        self.net.drain(self._way(way))

    @rule(way=places, side=sides)
    def bulk(self, way: int, side: Side) -> None:
        if self._way(way) not in self.suspended:
            self.net.bulk(self._way(way), side)

    @rule(way=places)
    def suspend(self, way: int) -> None:
        self.suspended.add(self._way(way))
        self.net.status(self._way(way), ConnectionStatus.SUSPENDED)

    @precondition(lambda self: self.suspended)
    @rule()
    def resume(self) -> None:
        for way in sorted(self.suspended):
            self.net.status(way, ConnectionStatus.ACCEPTED)
        self.suspended.clear()

    @rule(way=places)
    def reopen(self, way: int) -> None:
        name = self._way(way)
        self.net.pairs[name] = Pair(self.net.orgs[name[0]], self.net.orgs[name[1]], name)

    # -- what must hold ----------------------------------------------------------------------------------------

    @rule()
    def drain_all(self) -> None:
        """DESIGN's invariants, once everything is sent."""
        if self.suspended:
            self.resume()
        self.net.settle()
        found = {org: self._found(org) for org in self.net.orgs}
        one = found["a"]
        for org, records in found.items():
            assert records == one, f"{org} differs from a: {_differences(records, one)}"
        self.model.check(one)
        for org in self.net.orgs:
            assert self.net.all(org, "SELECT record, error FROM orgsync_held") == []
            for kind in OBJECTS:
                doubled = self.net.all(org, f'SELECT "Name" FROM "{kind}" GROUP BY 1 HAVING count(*) > 1')
                assert doubled == [], f"{org} has {doubled} more than once"
        for way, pair in self.net.pairs.items():
            report = verify(pair, clock=self.net.clock)
            assert report.equal, (way, report.differences)
        assert self.net.round() == 0, "a second drain moves something"

    def _found(self, org: str) -> dict[str, dict[str, Any]]:
        """The org's records that are not deleted, by name, by plain SQL."""
        found: dict[str, dict[str, Any]] = {}
        for kind in OBJECTS:
            columns = list(plain_fields(self.seed)[kind])
            joins = "".join(
                f' LEFT JOIN "{other}" AS p{place} ON p{place}."Id" = t."{column}" AND p{place}."IsDeleted" = 0'
                for place, (column, other) in enumerate(REFERENCES[kind].items())
            )
            parents = [f'p{place}."Name"' for place in range(len(REFERENCES[kind]))]
            wanted = ", ".join(['t."Name"', *(f't."{item}"' for item in columns), *parents])
            for name, *values in self.net.all(
                org, f'SELECT {wanted} FROM "{kind}" AS t{joins} WHERE t."IsDeleted" = 0'
            ):
                assert name not in found, f"{org} has {name} twice"
                found[name] = dict(zip([*columns, *REFERENCES[kind]], values, strict=True))
        return found


def _differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {name: (one.get(name), other.get(name)) for name in {*one, *other} if one.get(name) != other.get(name)}


def machine(shape: str) -> type[Orgs]:
    """The machine of one shape."""
    return type(f"Orgs_{shape}", (Orgs,), {"shape": shape})
