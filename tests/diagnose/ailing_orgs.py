"""Two connected orgs with something wrong in them, and what diagnose says of it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from org_stores import Client, client_of, update
from two_orgs import ORGS, connection, documents

from orgsync_reconcile import catalog
from orgsync_reconcile.cli.main import cli
from orgsync_reconcile.cli.reference import root_context
from orgsync_reconcile.clock import iso
from orgsync_reconcile.model.connection import ConnectionStatus, Side, SyncOptions
from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef
from orgsync_reconcile.stores.sql import connections, links, publications, subscriptions
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.rows import insert_row
from orgsync_reconcile.stores.sql.schema import Objects, deploy_objects
from orgsync_reconcile.stores.urls import create_store, open_store
from orgsync_reconcile.sync.bulk import bulk_sync
from orgsync_reconcile.sync.diagnose import diagnose
from orgsync_reconcile.sync.diagnosis import Diagnosis, Finding
from orgsync_reconcile.sync.drain import drain
from orgsync_reconcile.sync.users import sync_all_users

P, S = Side.PRIMARY, Side.SECONDARY
FILES = {P: "acme", S: "acme-dr"}
NAME = "dr"
ADMIN = "admin@acme.example"
MANIFEST = documents(ORGS, connection(NAME))


def text(name: str, length: int = 80) -> FieldDef:
    return FieldDef(name=name, type=FieldType.TEXT, length=length, custom=True)


def deployed(name: str, prefix: str, *fields: FieldDef) -> ObjectDef:
    title = FieldDef(name="Name", type=FieldType.TEXT, length=80, name_field=True)
    return ObjectDef(
        name=name, key_prefix=prefix, label=name, custom=True, fields={f.name: f for f in (title, *fields)}
    )


def make_orgs(address: Callable[[str], str]) -> None:
    seats = {"Salesforce": 3, "Chatter Free": 10}
    for side, name in FILES.items():
        admin = ADMIN if side is P else f"{ADMIN}.dr"
        create_store(address(name), NewOrg(name=name, admin=admin, licenses=seats), base=Path()).close()


class Ailing:
    """Two orgs with a folder for manifests."""

    def __init__(self, folder: Path, addresses: Mapping[str, str], stack: ExitStack) -> None:
        self.folder = folder
        self.addresses = addresses
        self.now = datetime.now(UTC)
        self.orgs: dict[Side, Org] = {
            side: stack.enter_context(open_store(addresses[name], base=folder, label=name))
            for side, name in FILES.items()
        }
        self.clients: dict[Side, Client] = {}
        for side, name in FILES.items():
            self.clients[side] = client_of(addresses[name])
            stack.callback(self.clients[side].close)
        self._pair: Pair | None = None

    def clock(self) -> datetime:
        return self.now

    def later(self, **amount: float) -> None:
        self.now += timedelta(**amount)

    # -- making ------------------------------------------------------------------------------------------------

    def connect(self, *objects: str, users: bool = False, one_way: bool = False, **settings: str) -> Ailing:
        for side in (P, S):
            connections.create_connection(
                self.orgs[side],
                NAME,
                side,
                partner_org_id=self.orgs[side.other].org_id,
                partner_name=self.orgs[side.other].name,
                owner_id=self.orgs[side].admin_id,
                contact_id=None,
                options=SyncOptions(users_primary=users, users_secondary=users),
                status=ConnectionStatus.ACCEPTED,
                settings=settings,
                actor=ADMIN,
                clock=self.clock,
            )
        for side in (P, S):
            position = connections.outbox_position(self.orgs[side.other], NAME)
            connections.join_logs(self.orgs[side], NAME, position=position)
            number = connections.get_connection(self.orgs[side], NAME).number
            with self.orgs[side].transaction():
                ours, theirs = self.orgs[side].admin_id, self.orgs[side.other].admin_id
                links.add_link(self.orgs[side], number, "User", ours, theirs, made_here=False, since_ms=0)
        for name in objects:
            self.publish(name, objects, one_way=one_way)
        return self

    def publish(
        self,
        name: str,
        reachable: Iterable[str] = (),
        *,
        one_way: bool = False,
        wanted: Sequence[str] = (),
        accepted: bool = True,
    ) -> None:
        """Publishes an object, and subscribes to it where `accepted`."""
        known = {*reachable, name, "User", "Group", "RecordType"}
        for side in (P,) if one_way else (P, S):
            org = self.orgs[side]
            fields = Objects(org)[name].fields
            names = list(wanted) or [
                f.name
                for f in fields.values()
                if catalog.unpublishable_field(f) is None and (not f.is_reference or bool(set(f.reference_to) & known))
            ]
            publications.publish_object(org, NAME, name, names, actor=ADMIN, clock=self.clock)
            if accepted:
                subscriptions.subscribe_object(
                    self.orgs[side.other],
                    NAME,
                    name,
                    {item: fields[item].shape for item in names},
                    since_seq=connections.log_position(org),
                    since=iso(datetime.now(UTC)),
                    actor=ADMIN,
                    clock=self.clock,
                )

    def deploy(self, *objects: ObjectDef, sides: Sequence[Side] = (P, S)) -> None:
        for side in sides:
            deploy_objects(self.orgs[side], objects)

    # -- doing -------------------------------------------------------------------------------------------------

    @property
    def pair(self) -> Pair:
        if self._pair is None:
            self._pair = Pair(self.orgs[P], self.orgs[S], NAME)
        return self._pair

    def drain(self) -> None:
        drain(self.pair, clock=self.clock)

    def bulk(self, source: Side = P, *objects: str, cutoff: datetime | None = None) -> None:
        bulk_sync(self.pair, source=source, objects=objects, cutoff=cutoff, clock=self.clock)

    def sync_users(self) -> None:
        for side in (P, S):
            sync_all_users(self.orgs[side], self.orgs[side.other], NAME, side, self.clock)

    def insert(self, side: Side, table: str, **values: object) -> str:
        return insert_row(self.orgs[side], table, values)

    def update(self, side: Side, table: str, record: str, **values: object) -> None:
        update(self.clients[side], table, record, values)

    def delete(self, side: Side, table: str, record: str) -> None:
        self.clients[side].execute(f'DELETE FROM "{table}" WHERE "Id" = ?', [record])

    def forget(self, side: Side) -> None:
        """Loses what the org has logged and not sent."""
        self.clients[side].execute("DELETE FROM orgsync_change")

    def id_of(self, side: Side, table: str, name: str) -> str:
        return str(self.clients[side].execute(f'SELECT "Id" FROM "{table}" WHERE "Name" = ?', [name]).fetchone()[0])

    def add_user(self, side: Side, username: str, profile: str = "Standard User", **more: object) -> str:
        values = {"Username": username, "LastName": "Person", "Email": "p@acme.example", "Alias": username[:8]}
        return self.insert(side, "User", **values, ProfileId=self.id_of(side, "Profile", profile), **more)

    def other(self, side: Side, record: str) -> str:
        row = self.clients[side].execute("SELECT partner FROM orgsync_link WHERE local = ?", [record]).fetchone()
        return str(row[0])

    # -- asking ------------------------------------------------------------------------------------------------

    def ask(self, record: str, side: Side | None = None, **down: str) -> Diagnosis:
        """The diagnosis; every command in it must exist. `secondary="…"` says that this org is down, and why."""
        ends: Mapping[Side, Org | None] = {end: None if end.value in down else org for end, org in self.orgs.items()}
        reasons = {Side(name): why for name, why in down.items()}
        found = diagnose(NAME, ends, record, side=side, down=reasons, clock=self.clock)
        for item in found.findings:
            for part in item.command.split(" && ") if item.command else ():
                check_command(part)
        return found


def codes(found: Diagnosis, *, infos: bool = False) -> list[str]:
    """The codes of what is wrong; with `infos`, all but that fields are not published."""
    return [
        item.code
        for item in found.findings
        if item.code != "fields-not-published" and (infos or item.severity in ("error", "warning"))
    ]


def the(found: Diagnosis, code: str) -> Finding:
    (finding,) = [item for item in found.findings if item.code == code]
    return finding


def check_command(line: str) -> None:
    """The program has the command and its options; raises otherwise."""
    words = shlex.split(line)
    assert words.pop(0) == "orgsync"
    command: click.Command = cli
    ctx = root_context()
    while isinstance(command, click.Group):
        found = command.get_command(ctx, words.pop(0))
        assert found is not None, line
        command = found
        ctx = click.Context(command, parent=ctx)
    command.make_context("orgsync", words, parent=ctx, resilient_parsing=False)
