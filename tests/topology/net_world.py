"""Any number of orgs, connected as a test likes, and sessions of other programs beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from org_stores import Client, client_of, insert, update

from orgsync_reconcile.clock import iso
from orgsync_reconcile.model.connection import ConnectionStatus, Side, SyncOptions
from orgsync_reconcile.model.records import ObjectCounts, QueueItem
from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql import connections, links, publications, queue, subscriptions
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import Objects, deploy_objects
from orgsync_reconcile.stores.urls import create_store, open_store
from orgsync_reconcile.sync.bulk import bulk_sync
from orgsync_reconcile.sync.drain import drain
from orgsync_reconcile.sync.forward import forward
from orgsync_reconcile.sync.verify import verify

P, S = Side.PRIMARY, Side.SECONDARY
ACTOR = "admin@acme.example"


def thing() -> ObjectDef:
    """An object with two texts, a lookup to itself and a unique number."""
    return ObjectDef(
        name="Thing__c",
        key_prefix="a00",
        label="Thing",
        custom=True,
        fields={
            item["name"]: FieldDef.from_dict({"custom": item["name"] != "Name", **item})
            for item in (
                {"name": "Name", "type": FieldType.TEXT, "length": 80, "name_field": True},
                {"name": "A__c", "type": FieldType.TEXT, "length": 40},
                {"name": "B__c", "type": FieldType.TEXT, "length": 40},
                {"name": "Parent__c", "type": FieldType.LOOKUP, "reference_to": ("Thing__c",)},
            )
        },
    )


#: The names of orgs that are at hand.
FOUR, EIGHT = "abcd", "abcdefgh"


def make_four(address: Callable[[str], str]) -> None:
    """Four new orgs with the object."""
    make_orgs(address, FOUR)


def make_eight(address: Callable[[str], str]) -> None:
    """Eight of them."""
    make_orgs(address, EIGHT)


def make_orgs(address: Callable[[str], str], names: str) -> None:
    """New orgs with the object. Its fields have other numbers in every second one."""
    for place, name in enumerate(names):
        with create_store(address(name), NewOrg(name=name, admin=f"admin@{name}.example"), base=Path()) as org:
            if place % 2:
                plain = thing()
                fields = {"Name": plain.fields["Name"], "B__c": plain.fields["B__c"]}
                deploy_objects(
                    org, [ObjectDef(name=plain.name, key_prefix="a00", label="Thing", custom=True, fields=fields)]
                )
            deploy_objects(org, [thing()])


class Net:
    """Orgs by name, connections by the names of their ends: `ab` leads from primary a to secondary b."""

    def __init__(
        self, folder: Path, names: Sequence[str], stack: ExitStack, addresses: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.addresses = {name: (addresses or {}).get(name, f"sqlite:{folder / name}.db") for name in names}
        self.now = datetime.now(UTC)
        self.orgs: dict[str, Org] = {}
        self.clients: dict[str, Client] = {}
        self.pairs: dict[str, Pair] = {}
        for name in names:
            address = self.addresses[name]
            self.orgs[name] = stack.enter_context(open_store(address, base=folder, label=name, busy_seconds=10))
            db = self.clients[name] = client_of(address)
            stack.callback(db.close)

    def clock(self) -> datetime:
        return self.now

    # -- connecting --------------------------------------------------------------------------------------------

    def connect(
        self,
        *ends: str,
        objects: Sequence[str] = ("Thing__c",),
        fields: Mapping[str, Sequence[str]] | None = None,
        one_way: bool = False,
        policy: str = "primary-wins",
        users: bool = False,
    ) -> Net:
        """Connects each pair of orgs and publishes the objects over the connection, with all their fields or `fields`."""
        for name in ends:
            orgs = dict(zip(Side, (self.orgs[name[0]], self.orgs[name[1]]), strict=True))
            for side, org in orgs.items():
                connections.create_connection(
                    org,
                    name,
                    side,
                    partner_org_id=orgs[side.other].org_id,
                    partner_name=orgs[side.other].name,
                    owner_id=org.admin_id,
                    contact_id=None,
                    options=SyncOptions(users_primary=users, users_secondary=users),
                    status=ConnectionStatus.ACCEPTED,
                    settings={"conflicts": policy},
                    actor=ACTOR,
                    clock=self.clock,
                )
            for side, org in orgs.items():
                position = connections.outbox_position(orgs[side.other], name)
                connections.join_logs(org, name, position=position)
                with org.transaction():
                    number = connections.get_connection(org, name).number
                    links.add_link(
                        org, number, "User", org.admin_id, orgs[side.other].admin_id, made_here=False, since_ms=0
                    )
            self.pairs[name] = Pair(orgs[P], orgs[S], name)
            for item in objects:
                self.publish(name, item, (fields or {}).get(name), one_way=one_way)
        return self

    def publish(self, name: str, item: str, fields: Sequence[str] | None = None, *, one_way: bool = False) -> None:
        """Publishes and subscribes one object over a connection."""
        for side in (P,) if one_way else (P, S):
            org, partner = self.end(name, side), self.end(name, side.other)
            theirs = Objects(org)[item].fields
            wanted = list(fields or theirs)
            publications.publish_object(org, name, item, wanted, actor=ACTOR, clock=self.clock)
            subscriptions.subscribe_object(
                partner,
                name,
                item,
                {field: theirs[field].shape for field in wanted},
                since_seq=connections.log_position(org),
                since=iso(datetime.now(UTC)),
                actor=ACTOR,
                clock=self.clock,
            )

    def unpublish(self, name: str, item: str = "Thing__c") -> None:
        for side in Side:
            publications.unpublish_object(self.end(name, side), name, item, actor=ACTOR, clock=self.clock)
            subscriptions.unsubscribe_object(self.end(name, side), name, item, actor=ACTOR, clock=self.clock)

    def status(self, name: str, status: ConnectionStatus) -> None:
        for side in Side:
            connections.set_status(self.end(name, side), name, status, actor=ACTOR, clock=self.clock)

    def end_connection(self, name: str) -> None:
        """Deactivates a connection in both orgs."""
        for side in Side:
            connections.deactivate(self.end(name, side), name, actor=ACTOR, clock=self.clock)
        del self.pairs[name]

    def end(self, name: str, side: Side) -> Org:
        return self.orgs[name[0] if side is P else name[1]]

    # -- doing -------------------------------------------------------------------------------------------------

    def drain(self, name: str, *sides: Side, max_records: int | None = None) -> list[ObjectCounts]:
        return drain(self.pairs[name], sides=sides or (P, S), clock=self.clock, max_records=max_records)

    def bulk(self, name: str, source: Side = P) -> list[ObjectCounts]:
        return bulk_sync(self.pairs[name], source=source, cutoff=None, clock=self.clock)

    def forward(self, name: str, source: Side, *records: str) -> None:
        """Sends records of the object by hand."""
        forward(self.pairs[name], source=source, object_name="Thing__c", records=records, clock=self.clock)

    def round(self, *order: str) -> int:
        """Drains connections once, all of them unless some are named; how many records moved."""
        return sum(item.moved for name in (order or tuple(self.pairs)) for item in self.drain(name))

    def settle(self, *order: str, rounds: int = 14) -> int:
        """Drains until nothing moves and no queue holds anything; how many records moved in all."""
        total = 0
        for _ in range(rounds):
            total += (moved := self.round(*order))
            if not moved and not any(self.queue(name, side) for name in (order or self.pairs) for side in Side):
                return total
            self.now += timedelta(hours=9)
        raise AssertionError({name: [self.queue(name, side) for side in Side] for name in self.pairs})

    def insert(self, org: str, name: str, **values: object) -> str:
        return insert(self.clients[org], "Thing__c", Name=name, **values)

    def update(self, org: str, name: str, **values: object) -> None:
        """Updates the records of that name in one org."""
        update(self.clients[org], "Thing__c", name, values, key="Name")

    def delete(self, org: str, name: str) -> None:
        self.clients[org].execute('DELETE FROM "Thing__c" WHERE "Name" = ? AND "IsDeleted" = FALSE', [name])

    # -- seeing ------------------------------------------------------------------------------------------------

    def all(self, org: str, sql: str, *values: object) -> list[Any]:
        rows = self.clients[org].execute(sql, values).fetchall()
        return [row if len(row) > 1 else row[0] for row in rows]

    def values(self, org: str, column: str = "A__c") -> dict[str, Any]:
        """Name -> value, of the records that are not deleted."""
        return dict(self.all(org, f'SELECT "Name", "{column}" FROM "Thing__c" WHERE "IsDeleted" = FALSE ORDER BY 1'))

    def queue(self, name: str, side: Side) -> list[QueueItem]:
        pair = self.pairs[name]
        return list(
            queue.read_queue(pair.orgs[side], pair.numbers[side], pair.orgs[side.other], pair.numbers[side.other])
        )

    def assert_same(self, *orgs: str, objects: Sequence[str] = ("Thing__c",)) -> None:
        """Every org has the same records, by plain SQL and by verify, each once; nothing is queued or failed."""
        seen = {}
        for org in orgs or tuple(self.orgs):
            rows = self.all(
                org,
                'SELECT t."Name", t."A__c", t."B__c", p."Name" FROM "Thing__c" AS t'
                ' LEFT JOIN "Thing__c" AS p ON p."Id" = t."Parent__c" WHERE t."IsDeleted" = FALSE ORDER BY 1, 2, 3, 4',
            )
            seen[org] = rows
            assert self.all(org, "SELECT record, error FROM orgsync_held") == []
            assert self.all(org, "SELECT object FROM orgsync_outcome WHERE error_code <> ''") == []
        first = next(iter(seen.values()))
        assert all(rows == first for rows in seen.values()), seen
        for pair in self.pairs.values():
            report = verify(pair, clock=self.clock)
            assert report.equal, (pair.connection, report.objects, report.differences)
