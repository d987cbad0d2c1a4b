"""Two connected orgs, other programs beside them, and ways to damage one behind the engine's back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from org_stores import Client, client_of, insert, update

from orgsync_reconcile import catalog
from orgsync_reconcile.clock import iso
from orgsync_reconcile.model.connection import ConnectionStatus, Side, SyncOptions
from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql import connections, links, publications, subscriptions
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import Objects, deploy_objects
from orgsync_reconcile.stores.urls import create_store, open_store
from orgsync_reconcile.sync.bulk import bulk_sync
from orgsync_reconcile.sync.drain import drain
from orgsync_reconcile.sync.verify import VerifyReport, verify, verify_by_hashes

P, S = Side.PRIMARY, Side.SECONDARY
FILES = {P: "acme", S: "acme-dr"}
CONNECTION = "dr"
ACTOR = "admin@acme.example"
#: Every type that a publication carries as a value of its own.
TYPED = (
    FieldDef(name="Text__c", type=FieldType.TEXT, length=80, custom=True),
    FieldDef(name="Number__c", type=FieldType.NUMBER, precision=18, scale=4, custom=True),
    FieldDef(name="Check__c", type=FieldType.CHECKBOX, custom=True),
    FieldDef(name="Date__c", type=FieldType.DATE, custom=True),
    FieldDef(name="Moment__c", type=FieldType.DATETIME, custom=True),
    FieldDef(name="Account__c", type=FieldType.LOOKUP, reference_to=("Account",), custom=True),
    FieldDef(name="Self__c", type=FieldType.LOOKUP, reference_to=("Thing__c",), custom=True),
)


def thing() -> ObjectDef:
    """A custom object with fields of many types."""
    name = FieldDef(name="Name", type=FieldType.TEXT, length=80, name_field=True)
    return ObjectDef(
        name="Thing__c", key_prefix="a00", label="Thing", custom=True, fields={f.name: f for f in (name, *TYPED)}
    )


def make_orgs(address: Callable[[str], str]) -> None:
    """Two new orgs with Thing__c that are not connected."""
    for side, name in FILES.items():
        admin = ACTOR if side is P else f"{ACTOR}.dr"
        with create_store(address(name), NewOrg(name=name, admin=admin), base=Path()) as org:
            deploy_objects(org, [thing()])


def create_orgs(folder: Path) -> None:
    """The same in files."""
    make_orgs(lambda name: f"sqlite:{folder / name}.db")


def publishable(org: Org, name: str, objects: Iterable[str]) -> list[str]:
    """The fields that a publication of all fields offers."""
    known = {*objects, "User", "Group", "RecordType"}
    return [
        item.name
        for item in Objects(org)[name].fields.values()
        if catalog.unpublishable_field(item) is None and (not item.is_reference or bool(set(item.reference_to) & known))
    ]


class Joined:
    """Two orgs, in files of a folder or at `addresses`. `now` is the program's clock."""

    def __init__(self, folder: Path, stack: ExitStack, addresses: Mapping[str, str] | None = None) -> None:
        self.now = datetime.now(UTC)
        self.stack = stack
        self.addresses = {name: (addresses or {}).get(name, f"sqlite:{folder / name}.db") for name in FILES.values()}
        self.orgs: dict[Side, Org] = {}
        self.clients: dict[Side, Client] = {}
        for side, name in FILES.items():
            self.open(side)
            self.clients[side] = client_of(self.addresses[name])
            stack.callback(self.clients[side].close)
        self._pair: Pair | None = None

    def open(self, side: Side, **options: Any) -> None:
        """Opens the org by a session of its own, which the next steps use."""
        name = FILES[side]
        opened = open_store(self.addresses[name], base=Path(), label=name, **options)
        self.orgs[side] = self.stack.enter_context(opened)
        self._pair = None

    def clock(self) -> datetime:
        return self.now

    def later(self, **amount: float) -> None:
        """Moves the program's clock on."""
        self.now += timedelta(**amount)

    # -- making ------------------------------------------------------------------------------------------------

    def connect(
        self,
        *objects: str,
        fields: Mapping[str, Sequence[str]] | None = None,
        one_way: bool = False,
        users: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> Joined:
        """Connects the orgs and publishes the objects, with all fields or with those in `fields`."""
        for side in (P, S):
            org, partner = self.orgs[side], self.orgs[side.other]
            connections.create_connection(
                org,
                CONNECTION,
                side,
                partner_org_id=partner.org_id,
                partner_name=partner.name,
                owner_id=org.admin_id,
                contact_id=None,
                options=SyncOptions(users_primary=users, users_secondary=users),
                status=ConnectionStatus.ACCEPTED,
                settings=settings,
                actor=ACTOR,
                clock=self.clock,
            )
        for side in (P, S):
            position = connections.outbox_position(self.orgs[side.other], CONNECTION)
            connections.join_logs(self.orgs[side], CONNECTION, position=position)
            number = connections.get_connection(self.orgs[side], CONNECTION).number
            with self.orgs[side].transaction():
                ours, theirs = self.orgs[side].admin_id, self.orgs[side.other].admin_id
                links.add_link(self.orgs[side], number, "User", ours, theirs, made_here=False, since_ms=0)
        for name in objects:
            self.publish(name, (fields or {}).get(name) or publishable(self.orgs[P], name, objects), one_way=one_way)
        return self

    def publish(self, name: str, wanted: Sequence[str], *, one_way: bool = False) -> None:
        """Publishes and subscribes one object with these fields, in both directions or in one."""
        for side in (P,) if one_way else (P, S):
            org, partner = self.orgs[side], self.orgs[side.other]
            publications.publish_object(org, CONNECTION, name, wanted, actor=ACTOR, clock=self.clock)
            theirs = Objects(org)[name].fields
            subscriptions.subscribe_object(
                partner,
                CONNECTION,
                name,
                {item: theirs[item].shape for item in wanted},
                since_seq=connections.log_position(org),
                since=iso(datetime.now(UTC)),
                actor=ACTOR,
                clock=self.clock,
            )

    # -- doing -------------------------------------------------------------------------------------------------

    @property
    def pair(self) -> Pair:
        if self._pair is None:
            self._pair = Pair(self.orgs[P], self.orgs[S], CONNECTION)
        return self._pair

    def drain(self, *sides: Side) -> None:
        drain(self.pair, sides=sides or (P, S), clock=self.clock)

    def bulk(self, source: Side = P, *objects: str, cutoff: datetime | None = None) -> None:
        bulk_sync(self.pair, source=source, objects=objects, cutoff=cutoff, clock=self.clock)

    def insert(self, side: Side, table: str, **values: object) -> str:
        return insert(self.clients[side], table, **values)

    def update(self, side: Side, table: str, record: str, **values: object) -> None:
        update(self.clients[side], table, record, values)

    def delete(self, side: Side, table: str, record: str) -> None:
        self.clients[side].execute(f'DELETE FROM "{table}" WHERE "Id" = ?', [record])

    def forget(self, side: Side) -> None:
        """Loses what the org has logged and not sent: damage that verify is there to find."""
        self.clients[side].execute("DELETE FROM orgsync_change")

    # -- seeing ------------------------------------------------------------------------------------------------

    def one(self, side: Side, sql: str, *values: object) -> Any:
        row = self.clients[side].execute(sql, values).fetchone()
        return row if row is None or len(row) > 1 else row[0]

    def get(self, side: Side, table: str, record: str, name: str) -> Any:
        return self.one(side, f'SELECT "{name}" FROM "{table}" WHERE "Id" = ?', record)

    def other(self, side: Side, record: str) -> str:
        """The Id, in the other org, of a record of `side`."""
        return str(self.one(side, "SELECT partner FROM orgsync_link WHERE local = ? AND status = 1", record))

    def verify(self, *objects: str, repair: bool = False) -> VerifyReport:
        return verify(self.pair, clock=self.clock, objects=objects, repair=repair)

    def verify_hashes(self, *objects: str) -> VerifyReport:
        return verify_by_hashes(self.pair, clock=self.clock, objects=objects)
