"""Two connected orgs, sessions of other programs beside them, and short words for what the sync tests do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from org_stores import Client, client_of, insert, logged, update

from orgsync_reconcile import catalog
from orgsync_reconcile.clock import iso
from orgsync_reconcile.model.connection import ConnectionStatus, Side, SyncOptions
from orgsync_reconcile.model.records import LogEntry, ObjectCounts, QueueItem
from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql import connections, history, links, publications, queue, subscriptions
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import Objects, deploy_objects
from orgsync_reconcile.stores.urls import create_store, open_store
from orgsync_reconcile.sync.bulk import bulk_sync
from orgsync_reconcile.sync.drain import drain
from orgsync_reconcile.sync.verify import VerifyReport, verify

P, S = Side.PRIMARY, Side.SECONDARY
NAMES = {P: "acme", S: "acme-dr"}
CONNECTION = "dr"
ACTOR = "admin@acme.example"


def field(name: str, kind: FieldType, **values: Any) -> FieldDef:
    """A custom field."""
    return FieldDef.from_dict({"name": name, "type": kind, "custom": True, **values})


def text(name: str, length: int = 80, **values: Any) -> FieldDef:
    """A custom text field."""
    return field(name, FieldType.TEXT, length=length, **values)


def custom_object(name: str, key_prefix: str, *fields: FieldDef) -> ObjectDef:
    """A custom object with a text name."""
    title = FieldDef(name="Name", type=FieldType.TEXT, length=80, name_field=True)
    return ObjectDef(
        name=name, key_prefix=key_prefix, label=name, custom=True, fields={f.name: f for f in (title, *fields)}
    )


def make_orgs(address: Callable[[str], str]) -> None:
    """Two new orgs that know nothing of each other, at the addresses of their names."""
    for name in NAMES.values():
        create_store(address(name), NewOrg(name=name, admin=f"admin@{name}.example"), base=Path()).close()


def create_orgs(folder: Path) -> None:
    """The same in files."""
    make_orgs(_file_in(folder))


def _file_in(folder: Path) -> Callable[[str], str]:
    return lambda name: f"sqlite:{folder / name}.db"


def publishable(org: Org, name: str, reachable: Iterable[str]) -> list[str]:
    """The fields that a publication of all fields offers."""
    known = {*reachable, "User", "Group", "RecordType", "CaseTeamRole", "CaseTeamTemplate"}
    return [
        item.name
        for item in Objects(org)[name].fields.values()
        if catalog.unpublishable_field(item) is None
        and (not item.is_reference or bool(set(item.reference_to) & (known | {name})))
    ]


class World:
    """Two orgs, in files of a folder or at `addresses`. `now` is the program's clock; the orgs have their own."""

    def __init__(
        self,
        folder: Path,
        stack: ExitStack,
        connection: str = CONNECTION,
        addresses: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.stack = stack
        self.connection = connection
        self.now = datetime.now(UTC)
        self.orgs: dict[Side, Org] = {}
        self.clients: dict[Side, Client] = {}
        self.numbers: dict[Side, int] = {}
        self.addresses = {side: (addresses or {}).get(name) or _file_in(folder)(name) for side, name in NAMES.items()}
        for side in NAMES:
            self.orgs[side] = self.opened(side)
            self.clients[side] = self.client(side)
        self._pair: Pair | None = None

    def opened(self, side: Side, **options: Any) -> Org:
        """The org, opened once more, for as long as the test."""
        said = {"label": NAMES[side], "busy_seconds": 10, **options}
        return self.stack.enter_context(open_store(self.addresses[side], base=self.folder, **said))

    # -- making ------------------------------------------------------------------------------------------------

    def clock(self) -> datetime:
        return self.now

    def later(self, **amount: float) -> None:
        """Moves the program's clock on."""
        self.now += timedelta(**amount)

    def client(self, side: Side) -> Client:
        """Any other program that uses the org: a plain session."""
        db = client_of(self.addresses[side])
        self.stack.callback(db.close)
        return db

    def deploy(self, *objects: ObjectDef, sides: Sequence[Side] = (P, S)) -> None:
        for side in sides:
            deploy_objects(self.orgs[side], objects)

    def extend(self, name: str, *fields: FieldDef, side: Side) -> None:
        """Adds or replaces fields of an object in one org."""
        old = Objects(self.orgs[side])[name]
        added = {item.name: item for item in fields}
        deploy_objects(
            self.orgs[side],
            [
                ObjectDef(
                    name=old.name,
                    key_prefix=old.key_prefix,
                    label=old.label,
                    custom=old.custom,
                    kind=old.kind,
                    fields={**old.fields, **added},
                )
            ],
        )

    def connect(
        self,
        *objects: str,
        fields: Mapping[str, Sequence[str]] | None = None,
        one_way: bool = False,
        audit: bool = False,
        settings: Mapping[str, str] | None = None,
        users: bool = False,
        link_admins: bool = True,
    ) -> World:
        """Connects the orgs and publishes the objects with all their fields, or with those in `fields`."""
        for side in (P, S):
            org, partner = self.orgs[side], self.orgs[side.other]
            self.numbers[side] = connections.create_connection(
                org,
                self.connection,
                side,
                partner_org_id=partner.org_id,
                partner_name=partner.name,
                owner_id=org.admin_id,
                contact_id=None,
                options=SyncOptions(feeds_and_audit_fields=audit, users_primary=users, users_secondary=users),
                status=ConnectionStatus.ACCEPTED,
                settings=settings,
                actor=ACTOR,
                clock=self.clock,
            )
        for side in (P, S):
            position = connections.outbox_position(self.orgs[side.other], self.connection)
            connections.join_logs(self.orgs[side], self.connection, position=position)
            if link_admins:
                self.link(side, "User", self.orgs[side].admin_id, self.orgs[side.other].admin_id)
        for name in objects:
            wanted = (fields or {}).get(name) or publishable(self.orgs[P], name, objects)
            self.publish(name, wanted, one_way=one_way)
        return self

    def publish(self, name: str, wanted: Sequence[str], *, one_way: bool = False) -> None:
        """Publishes and subscribes one object with these fields, in both directions or in one."""
        for side in (P,) if one_way else (P, S):
            org, partner = self.orgs[side], self.orgs[side.other]
            publications.publish_object(org, self.connection, name, wanted, actor=ACTOR, clock=self.clock)
            theirs = Objects(org)[name].fields
            subscriptions.subscribe_object(
                partner,
                self.connection,
                name,
                {item: theirs[item].shape for item in wanted},
                since_seq=connections.log_position(org),
                since=iso(datetime.now(UTC)),
                actor=ACTOR,
                clock=self.clock,
            )

    def link(self, side: Side, name: str, local: str, partner: str) -> None:
        """Links two records by hand, in one org."""
        number = connections.get_connection(self.orgs[side], self.connection).number
        with self.orgs[side].transaction():
            links.add_link(self.orgs[side], number, name, local, partner, made_here=False, since_ms=0)

    # -- doing -------------------------------------------------------------------------------------------------

    @property
    def pair(self) -> Pair:
        if self._pair is None:
            self._pair = Pair(self.orgs[P], self.orgs[S], self.connection)
        return self._pair

    def reopen(self) -> None:
        """Ends both handles and opens the orgs again, as another process would."""
        self._pair = None
        for side, org in list(self.orgs.items()):
            org.close()
            self.orgs[side] = self.opened(side)

    def drain(self, *sides: Side, max_records: int | None = None) -> dict[str, ObjectCounts]:
        counts = drain(self.pair, sides=sides or (P, S), clock=self.clock, max_records=max_records)
        return {item.object: item for item in counts}

    def bulk(self, source: Side = P, *objects: str, cutoff: datetime | None = None, limit: int | None = None) -> Any:
        counts = bulk_sync(self.pair, source=source, objects=objects, cutoff=cutoff, limit=limit, clock=self.clock)
        return {item.object: item for item in counts}

    def settle(self, rounds: int = 12) -> None:
        """Drains both ways, with time passing, until nothing is queued."""
        for _ in range(rounds):
            self.drain()
            if not self.queue(P) and not self.queue(S):
                return
            self.later(hours=9)
        raise AssertionError(f"the queues never empty: {self.queue(P)} {self.queue(S)}")

    def insert(self, side: Side, table: str, **values: object) -> str:
        return insert(self.clients[side], table, **values)

    def update(self, side: Side, table: str, record: str, **values: object) -> None:
        update(self.clients[side], table, record, values)

    def delete(self, side: Side, table: str, record: str) -> None:
        self.clients[side].execute(f'DELETE FROM "{table}" WHERE "Id" = ?', [record])

    def undelete(self, side: Side, table: str, record: str) -> None:
        self.update(side, table, record, IsDeleted=False)

    # -- seeing ------------------------------------------------------------------------------------------------

    def one(self, side: Side, sql: str, *values: object) -> Any:
        row = self.clients[side].execute(sql, values).fetchone()
        return row if row is None or len(row) > 1 else row[0]

    def all(self, side: Side, sql: str, *values: object) -> list[Any]:
        rows = self.clients[side].execute(sql, values).fetchall()
        return [row if len(row) > 1 else row[0] for row in rows]

    def get(self, side: Side, table: str, record: str, name: str) -> Any:
        return self.one(side, f'SELECT "{name}" FROM "{table}" WHERE "Id" = ?', record)

    def other(self, side: Side, record: str) -> str | None:
        """The Id, in the other org, of a record of `side`."""
        sql = "SELECT partner FROM orgsync_link WHERE local = ? AND connection = ? AND status <> 2"
        return self.one(side, sql, record, self._number(side))

    def _number(self, side: Side) -> int:
        if side not in self.numbers:
            self.numbers[side] = connections.get_connection(self.orgs[side], self.connection).number
        return self.numbers[side]

    def count(self, side: Side, table: str) -> int:
        return int(self.one(side, f'SELECT count(*) FROM "{table}" WHERE "IsDeleted" = FALSE'))

    def queue(self, side: Side) -> list[QueueItem]:
        return list(
            queue.read_queue(self.orgs[side], self._number(side), self.orgs[side.other], self._number(side.other))
        )

    def log(self, side: Side) -> list[LogEntry]:
        """The org's sync log, oldest first."""
        return list(reversed(history.read_log(self.orgs[side], self.connection, limit=1000)))

    def log_words(self, side: Side) -> list[tuple[str, str, str]]:
        """(status, error code, record) of every entry, oldest first."""
        return [(item.status, item.error_code, item.record) for item in self.log(side)]

    def log_size(self, side: Side) -> int:
        """How many changes the org has ever logged."""
        return logged(self.clients[side])

    def verify(self, *objects: str) -> VerifyReport:
        return verify(self.pair, clock=self.clock, objects=objects)

    def assert_equal(self) -> None:
        """CNF-3, VER-1: every linked record is equal in both orgs, and nothing is queued."""
        report = self.verify()
        assert report.equal, (report.objects, report.differences)
        assert self.queue(P) == []
        assert self.queue(S) == []


def copy_orgs(template: Path, folder: Path) -> None:
    """Copies two closed org files."""
    for name in NAMES.values():
        shutil.copyfile(template / f"{name}.db", folder / f"{name}.db")
