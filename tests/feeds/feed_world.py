"""Two orgs whose records have feeds, and other programs that post, comment and look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from org_stores import Client, client_of, insert

from orgsync_reconcile.clock import iso
from orgsync_reconcile.model.connection import ConnectionStatus, Side, SyncOptions
from orgsync_reconcile.model.records import LogEntry, ObjectCounts
from orgsync_reconcile.stores.sql import connections, history, links, publications, subscriptions
from orgsync_reconcile.stores.sql.create import NewOrg
from orgsync_reconcile.stores.sql.flow import Pair
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import Objects
from orgsync_reconcile.stores.urls import create_store, open_store
from orgsync_reconcile.sync.bulk import bulk_sync
from orgsync_reconcile.sync.drain import drain
from orgsync_reconcile.sync.verify import verify, verify_by_hashes

P, S = Side.PRIMARY, Side.SECONDARY
FIELDS = {
    "Account": ("Name",),
    "FeedItem": ("ParentId", "Type", "Body", "Title", "LinkUrl", "Status"),
    "FeedComment": ("FeedItemId", "CommentType", "CommentBody", "ParentId"),
}


def make_orgs(address: Callable[[str], str]) -> None:
    """Two new orgs that know nothing of each other."""
    for side in Side:
        new = NewOrg(name=side.value, features=["feed-tracking"])
        create_store(address(side.value), new, base=Path()).close()


def clock() -> datetime:
    return datetime.now(UTC)


class Feeds:
    """Two orgs; `connect` joins them."""

    def __init__(self, addresses: Mapping[str, str], stack: ExitStack) -> None:
        self.orgs: dict[Side, Org] = {}
        self.clients: dict[Side, Client] = {}
        for side in Side:
            address = addresses[side.value]
            opened = open_store(address, base=Path(), label=side.value, busy_seconds=10)
            self.orgs[side] = stack.enter_context(opened)
            self.clients[side] = client_of(address)
            stack.callback(self.clients[side].close)
        self._pair: Pair | None = None

    def connect(
        self, *, option: bool = True, objects: tuple[str, ...] = tuple(FIELDS), limit: int | None = None
    ) -> Feeds:
        """Connects the orgs both ways and publishes the objects."""
        settings = {} if limit is None else {"limits": f"feed_file_bytes={limit}"}
        for side in Side:
            org, partner = self.orgs[side], self.orgs[side.other]
            number = connections.create_connection(
                org,
                "dr",
                side,
                partner_org_id=partner.org_id,
                partner_name=partner.name,
                owner_id=org.admin_id,
                contact_id=None,
                options=SyncOptions(feeds_and_audit_fields=option, users_primary=False, users_secondary=False),
                status=ConnectionStatus.ACCEPTED,
                settings=settings if side is P else None,
                actor="admin",
                clock=clock,
            )
            with org.transaction():
                links.add_link(org, number, "User", org.admin_id, partner.admin_id, made_here=False, since_ms=0)
        for name in objects:
            for side in Side:
                self._publish(name, side)
        return self

    def _publish(self, name: str, side: Side) -> None:
        org, partner = self.orgs[side], self.orgs[side.other]
        publications.publish_object(org, "dr", name, FIELDS[name], actor="admin", clock=clock)
        shapes = {field: Objects(org)[name].fields[field].shape for field in FIELDS[name]}
        position = connections.log_position(org)
        subscriptions.subscribe_object(
            partner, "dr", name, shapes, since_seq=position, since=iso(clock()), actor="admin", clock=clock
        )

    def insert(self, side: Side, table: str, **values: object) -> str:
        """A record made by any client; returns its Id."""
        return insert(self.clients[side], table, **values)

    def account(self, side: Side) -> str:
        return self.insert(side, "Account", Name="Acme")

    def post(self, side: Side, parent: str, body: str, **values: object) -> str:
        return self.insert(side, "FeedItem", ParentId=parent, Body=body, **values)

    def comment(self, side: Side, post: str, body: str, **values: object) -> str:
        return self.insert(side, "FeedComment", FeedItemId=post, CommentBody=body, **values)

    def file(self, side: Side, title: str, data: bytes = b"data", **values: object) -> str:
        return self.insert(side, "ContentVersion", Title=title, PathOnClient=title, VersionData=data, **values)

    def file_post(self, side: Side, parent: str, body: str, file: str) -> str:
        return self.post(side, parent, body, Type="ContentPost", RelatedRecordId=file)

    def one(self, side: Side, sql: str, *values: object) -> Any:
        row = self.clients[side].execute(sql, values).fetchone()
        return row if row is None or len(row) > 1 else row[0]

    def bodies(self, side: Side) -> list[str]:
        return [row[0] for row in self.clients[side].execute('SELECT "Body" FROM "FeedItem" ORDER BY "Body"')]

    def comments(self, side: Side) -> list[str]:
        sql = 'SELECT "CommentBody" FROM "FeedComment" ORDER BY "CommentBody"'
        return [row[0] for row in self.clients[side].execute(sql)]

    def files(self, side: Side) -> list[tuple[str, bytes]]:
        return self.clients[side].execute('SELECT "Title", "VersionData" FROM "ContentVersion" ORDER BY 1').fetchall()

    @property
    def pair(self) -> Pair:
        if self._pair is None:
            self._pair = Pair(self.orgs[P], self.orgs[S], "dr")
        return self._pair

    def send(self, *, bulk: bool = False) -> dict[str, ObjectCounts]:
        """A bulk sync from the primary, or drains both ways until nothing is left; linked records are equal then."""
        if bulk:
            counts = bulk_sync(self.pair, source=P, cutoff=None, clock=clock)
        else:
            counts = drain(self.pair, clock=clock)
            drain(self.pair, clock=clock)
        for report in (verify(self.pair, clock=clock), verify_by_hashes(self.pair, clock=clock)):
            assert report.equal, report.differences
        return {item.object: item for item in counts}

    def log(self, side: Side) -> list[LogEntry]:
        """The org's sync log, oldest first."""
        return list(reversed(history.read_log(self.orgs[side], "dr", limit=100)))
